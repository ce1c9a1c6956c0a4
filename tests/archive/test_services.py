"""The services as data: nothing contradicts itself, and one's own is made from another."""

from dataclasses import FrozenInstanceError, fields, replace
from urllib.parse import urlsplit

import pytest

from msaestimator.archive import SERVICES, GaiaArchive
from msaestimator.archive._companions import COMPANIONS
from msaestimator.archive._releases import RELEASES
from msaestimator.schema import GAIA_DR3

LIMITS = ("ids_per_query", "ids_per_xp_query", "ids_per_sync")


@pytest.fixture(params=SERVICES.values(), ids=SERVICES)
def service(request):
    return request.param


def test_services_are_found_by_their_name():
    assert list(SERVICES) == ["esa", "aip", "ari", "local"]
    assert all(name == service.name for name, service in SERVICES.items())
    assert len({service.title for service in SERVICES.values()}) == len(SERVICES)
    assert all(name == companion.name for name, companion in COMPANIONS.items())


def test_addresses_are_encrypted_unless_on_this_machine(service):
    urls = [service.tap_url, service.datalink_url]
    urls += [companion.tap_url for companion in COMPANIONS.values()]
    for url in filter(None, urls):
        address = urlsplit(url)
        assert address.scheme == "https" or address.hostname == "127.0.0.1"
        assert not url.endswith("/")


def test_what_services_name_is_known(service):
    blocks = {survey.block for survey in RELEASES["dr3"].surveys}
    tables = {survey.table for survey in RELEASES["dr3"].surveys}
    assert set(service.surveys or ()) <= blocks
    assert set(service.companions) <= set(COMPANIONS)
    assert set(service.tables) <= tables
    here = set(service.tables.values()) | tables
    assert {name.rpartition(".")[0] for name in service.columns} <= here
    assert {companion.block for companion in COMPANIONS.values()} <= blocks


def test_limits_are_positive_and_those_of_datalink(service):
    assert all(getattr(service, name) > 0 for name in LIMITS)
    assert service.datalink_url is None or service.ids_per_xp_query <= 5000


def test_surveys_and_gaia_itself_give_the_whole_schema():
    for release in RELEASES.values():
        given = {column.name for column in (*release.features, *release.xp)}
        members = {member.name for member in release.schema.members if member.block != "dust"}
        assert members <= given
        assert [array.size for array in release.schema.arrays] == [
            column.size for column in release.xp if column.name.endswith("_coefficients")
        ]
        assert len(given) == len(release.features) + len(release.xp)


def test_units_are_those_of_the_schema():
    for column in (
        *RELEASES["dr3"].features,
        *(c for k in COMPANIONS.values() for c in k.columns),
    ):
        if column.name in GAIA_DR3.names:
            assert column.unit == str(GAIA_DR3[column.name].unit)


def test_only_what_was_checked_is_called_verified():
    assert RELEASES["dr3"].verified
    assert not RELEASES["dr4"].verified
    assert [column.size for column in RELEASES["dr4"].xp if column.size] == [51, 51, 55, 55]


def test_one_of_your_own_differs_where_you_say():
    mine = replace(SERVICES["local"], name="mine", tap_url="http://127.0.0.1:9999/tap")
    changed = [
        f.name for f in fields(mine) if getattr(mine, f.name) != getattr(SERVICES["local"], f.name)
    ]
    assert changed == ["name", "tap_url"]
    assert repr(GaiaArchive(mine)) == "GaiaArchive('mine', release='dr3')"
    with pytest.raises(FrozenInstanceError, match="tap_url"):
        mine.tap_url = "http://127.0.0.1:1/tap"
