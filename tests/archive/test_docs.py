"""The page of the user guide does what it says, at an archive on this machine."""

import re
import shlex
import textwrap
from pathlib import Path

import numpy as np
import pytest

from msaestimator.archive import SERVICES, ArchiveFlag
from msaestimator.archive._adql import features_query
from msaestimator.archive._releases import RELEASES
from msaestimator.cli import main
from msaestimator.tables import read_stars

PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "archive.rst"

pytestmark = [
    pytest.mark.usefixtures("esa_is_here", "simbad"),
    # Whether SFD's map is on disk is the machine's affair.
    pytest.mark.filterwarnings("ignore:The packaged low-resolution map:UserWarning"),
]


def blocks(start):
    """Return the page's indented blocks after lines that match, dedented."""
    found = re.findall(
        rf"^{start}\n\n((?: +.*\n|\n)+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return [textwrap.dedent(block).strip() for block in found]


@pytest.mark.filterwarnings("ignore:.* sources are left out:UserWarning")
def test_python(server, regressor, make_msa, tmp_path):
    page = {"__name__": "page", "tap_url": server.tap_url, "regressor": regressor}
    page["msa"] = make_msa(max_epochs=1)
    code = blocks(r"\.\. code-block:: python")
    assert len(code) > 8
    for number, block in enumerate(code, start=1):
        block = block.replace("TOP 1000", "TOP 50")  # the matching of positions is slow here
        exec(compile(block, f"{PAGE.name} block {number}", "exec"), page)
    asked = [6083701435428075904, 464858539679433344]
    for name in ("stars", "spectra", "again", "known", "without_cuts", "corrected"):
        assert page[name]["source_id"].tolist() == asked, name
    assert (page["stars"]["archive_flags"] & ArchiveFlag.NOT_FOUND == 0).all()
    assert page["neighbours"]["source_id"][0] == asked[0], "The nearest comes first."
    assert len(page["bright"]) == 20
    assert (page["bright"]["phot_g_mean_mag"].value < 13).all()
    assert len(page["parameters"]) == len(page["neighbours"]) > 10
    assert np.isfinite(page["parameters"]["teff"]).all()
    assert 0 < len(page["trusted"]) <= len(page["parameters"])
    assert page["msa"].n_features_in_ == 138
    assert (page["corrected"]["parallax"] != page["stars"]["parallax"]).all()
    assert page["resolved"]["name"].tolist() == ["18 Sco", "HD 49933"]
    assert page["mirror"].fetch_xp(asked)["source_id"].tolist() == asked
    assert {"esa", "companions"} <= {path.name for path in tmp_path.rglob("archive/*")}


def test_shell(regressor, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    regressor.save_pretrained("model")
    Path("ids.txt").write_text("6083701435428075904\n464858539679433344\n")
    (commands,) = (block.splitlines() for block in blocks("Predictions in a shell::"))
    n_rows = []
    for program, *arguments in map(shlex.split, commands):
        assert program == "msa"
        assert main(arguments) == 0, capsys.readouterr().err
        n_rows.append(len(read_stars(Path(arguments[2]))))
    assert [*n_rows[:2], n_rows[3]] == [2, 2, 2]
    assert n_rows[2] > 10


def test_the_table_of_services():
    text = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^``(\w+)`` {2,}(.+)$", text, flags=re.MULTILINE))
    assert set(rows) == set(SERVICES) - {"local"}
    for name, row in rows.items():
        service = SERVICES[name]
        assert ("DataLink" in row) == (service.datalink_url is not None)
        assert ("2MASS" in row) == (service.surveys == ("tmass",))
        assert ("one query" in row) == (service.surveys is None)
        limit = service.ids_per_xp_query
        assert (f"{limit} ids a" in row) == (limit < 5000 or service.datalink_url is not None)


def test_the_number_of_joined_tables():
    joins = features_query(RELEASES["dr3"], SERVICES["esa"]).count(" JOIN ")
    assert joins == 10
    assert "joins ten tables" in PAGE.read_text(encoding="utf-8")
