"""Every query that can be produced, read by a parser of ADQL that nobody here wrote."""

import re
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
from antlr4 import PredictionMode
from hypothesis import given
from hypothesis import strategies as st
from queryparser.adql import ADQLQueryTranslator, adqltranslator
from queryparser.exceptions import QuerySyntaxError

from msaestimator.archive import SERVICES
from msaestimator.archive._adql import (
    companion_query,
    cone_query,
    features_query,
    source_query,
    survey_query,
    surveys_of,
    xp_query,
)
from msaestimator.archive._companions import COMPANIONS
from msaestimator.archive._releases import RELEASES

DR3, ESA, LOCAL = RELEASES["dr3"], SERVICES["esa"], SERVICES["local"]
IDS = (1, 2**63 - 1)
SQL_INJECTION = "1); DROP TABLE gaia_source --"
RELEASES_AND_SERVICES = [
    pytest.param(release, service, id=f"{release.name}-{service.name}")
    for release in RELEASES.values()
    for service in SERVICES.values()
]


class _FirstStageParser(adqltranslator.ADQLParser):
    """Looks ahead without the context of rules: what it reads, the whole parser reads alike."""

    def __init__(self, tokens):
        super().__init__(tokens)
        self._interp.predictionMode = PredictionMode.SLL


@cache
def parse(query):
    """Read a query; bad ADQL is a QuerySyntaxError.

    ANTLR's two stages: the first is five times as fast, and may refuse what the second reads.
    """
    with pytest.MonkeyPatch.context() as patch, suppress(QuerySyntaxError):
        patch.setattr(adqltranslator, "ADQLParser", _FirstStageParser)
        return ADQLQueryTranslator(query)
    return ADQLQueryTranslator(query)


def assert_parses(query):
    # ESA's own examples write the schema as it is, and the parser takes EXTERNAL for reserved.
    query = query.replace(" external.", ' "external".')
    # The parser knows no tables: what it read under one release need not be read again.
    parse(query.replace("gaiadr4.", "gaiadr3."))


def queries(release, service):
    """Return every query of one release at one service, ids uploaded and listed."""
    surveys = surveys_of(release, service)
    return [
        make(*what, service, ids)
        for ids in (None, IDS)
        for make, what in (
            (features_query, (release,)),
            (source_query, (release,)),
            (xp_query, (release,)),
            *((survey_query, (survey,)) for survey in surveys),
        )
    ]


@pytest.mark.parametrize(("release", "service"), RELEASES_AND_SERVICES)
def test_every_query_of_a_service_is_adql(release, service):
    for query in queries(release, service):
        assert_parses(query)


@pytest.mark.parametrize("companion", COMPANIONS.values(), ids=lambda companion: companion.name)
def test_every_query_of_a_companion_is_adql(companion):
    assert_parses(companion_query(companion, IDS))


@pytest.mark.parametrize(
    ("ra", "dec", "radius"),
    [(0.0, 90.0, 180), (360.0, -90.0, 1e-12), (1e-20, 1e-300, 1 / 3600), (10**-5, -0.0, 2)],
)
def test_cones_are_adql(ra, dec, radius):
    query = cone_query(DR3, ESA, ra, dec, radius)
    assert "spoint(RADIANS(g.ra), RADIANS(g.dec))" in parse(query).to_postgresql()


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 180, exclude_min=True))
def test_cones_say_the_very_numbers_without_an_exponent(ra, dec, radius):
    query = cone_query(DR3, ESA, ra, dec, radius)
    circle = re.search(r"CIRCLE\('ICRS', (-?[\d.]+), (-?[\d.]+), ([\d.]+)\)\)$", query)
    assert tuple(map(float, circle.groups())) == (ra, dec, radius)


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT source_id FROM gaiadr3.gaia_source WHERE",
        "SELECT source_id,, ra FROM gaiadr3.gaia_source",
        "SELECT source_id FROM gaiadr3.gaia_source LIMIT 3",
        pytest.param(source_query(DR3, ESA, []), id="an empty list"),
        pytest.param(source_query(DR3, ESA).replace(" ON ", " "), id="no ON"),
        pytest.param(
            survey_query(DR3.surveys[2], LOCAL).replace('sd."type"', "sd.order"), id="reserved"
        ),
    ],
)
def test_the_parser_refuses_what_is_not_adql(wrong):
    with pytest.raises(QuerySyntaxError, match=r"\(1, \d+, "):
        parse(wrong)


def test_the_parser_refuses_esa_only_for_the_schema_that_esa_does_not_quote():
    query = survey_query(DR3.surveys[-1], ESA)
    assert " external.xgboost_table1 " in query
    with pytest.raises(QuerySyntaxError, match="external"):
        parse(query)
    parse(query.replace("external.", '"external".'))
    for ours, theirs in zip(queries(DR3, LOCAL), queries(DR3, ESA), strict=True):
        assert ours.replace('"external".', "external.") == theirs


@pytest.mark.parametrize("n_ids", [1, 40, 5000])
def test_a_list_of_ids_is_the_only_thing_that_grows(n_ids):
    # So the parser need not read 5000 ids, for which it takes minutes.
    ids = range(2**62, 2**62 + n_ids)
    for make in (features_query, source_query, xp_query):
        head, listed = make(DR3, LOCAL, ids).split(" IN ")
        assert f"{head} IN (1, {IDS[1]})" == make(DR3, LOCAL, IDS)
        assert listed == f"({', '.join(map(str, ids))})"
    companion = COMPANIONS["skymapper_dr4"]
    head, listed = companion_query(companion, ids).split(" IN ")
    assert f"{head} IN (1, {IDS[1]})" == companion_query(companion, IDS)


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=5))
def test_listed_ids_are_there_digit_by_digit(ids):
    listed = re.search(r"IN \(([^)]*)\)$", xp_query(DR3, LOCAL, ids))
    assert list(map(int, listed[1].split(", "))) == ids


@pytest.mark.parametrize("make", [features_query, source_query, xp_query])
def test_nothing_but_integers_gets_into_a_query(make):
    with pytest.raises(ValueError, match="invalid literal for int"):
        make(DR3, LOCAL, [SQL_INJECTION])
    with pytest.raises(ValueError, match="invalid literal for int"):
        survey_query(DR3.surveys[0], LOCAL, [SQL_INJECTION])
    with pytest.raises(ValueError, match="invalid literal for int"):
        companion_query(COMPANIONS["skymapper_dr4"], [SQL_INJECTION])
    with pytest.raises(TypeError, match="must be real number|could not be converted|str"):
        cone_query(DR3, LOCAL, SQL_INJECTION, 0.0, 1.0)


@pytest.mark.parametrize(("release", "service"), RELEASES_AND_SERVICES)
def test_queries_hold_names_and_ids_only(release, service):
    for query in queries(release, service):
        assert re.fullmatch(r'[\w\s.,"()=]+', query)
        numbers = re.findall(r"(?<![\w.])\d+", query)
        assert set(numbers) <= set(map(str, IDS))


@pytest.mark.parametrize(("release", "service"), RELEASES_AND_SERVICES)
def test_an_answer_has_the_columns_in_order(release, service):
    surveys = surveys_of(release, service)
    expected = [c.name for c in release.source] + [c.name for s in surveys for c in s.columns]
    for ids in (None, IDS):
        assert names_of(features_query(release, service, ids)) == ["source_id", *expected]
        assert names_of(xp_query(release, service, ids)) == [
            "source_id",
            *(c.name for c in release.xp),
        ]
        for survey in surveys:
            columns = [c.name for c in survey.columns]
            assert names_of(survey_query(survey, service, ids)) == ["source_id", *columns]


def names_of(query):
    """Return what the columns of the outermost SELECT are called."""
    selected = query.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    return [re.split(r"\.| AS ", one)[-1].strip('"') for one in selected]


def test_a_service_has_its_own_names():
    query = survey_query(DR3.surveys[0], SERVICES["aip"])
    assert "tm.k_m AS ks_m, tm.k_msigcom AS ks_msigcom" in query
    assert "catalogs.tmass AS tm" in query
    assert "gaiadr1.tmass_original_valid AS tm" in survey_query(DR3.surveys[0], ESA)
    other = replace(LOCAL, columns={"gaiadr3.gaia_source.ra": "raj2000"})
    assert "g.raj2000 AS ra, g.dec," in source_query(DR3, other)


def test_a_service_is_asked_for_its_own_surveys():
    assert [s.block for s in surveys_of(DR3, SERVICES["aip"])] == ["tmass"]
    assert surveys_of(DR3, SERVICES["ari"]) == ()
    assert surveys_of(DR3, ESA) == DR3.surveys
    assert features_query(DR3, SERVICES["ari"]) == source_query(DR3, SERVICES["ari"])


def test_a_release_is_asked_for_by_its_own_tables():
    for ours, theirs in zip(queries(RELEASES["dr4"], ESA), queries(DR3, ESA), strict=True):
        assert ours == theirs.replace("gaiadr3.", "gaiadr4.")
