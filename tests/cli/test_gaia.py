"""``msa predict`` for stars of an archive, which is on this machine."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from catalogue import SPECIAL
from simbad import NAMES

from msaestimator.archive import GaiaArchive
from msaestimator.cli import main
from msaestimator.cli._gaia import archive_of
from msaestimator.cli._options import make_parser
from msaestimator.dust import _map_files
from msaestimator.saving import _released_models
from msaestimator.tables import read_stars, write_stars

UNKNOWN = 4242


@pytest.fixture
def ids(catalogue):
    """Five source ids, one twice, one that nobody knows."""
    known = np.array(catalogue["gaiadr3.gaia_source"]["source_id"])
    return [*known[[30, SPECIAL["no_bp"], 30]].tolist(), UNKNOWN, int(known[7])]


@pytest.fixture
def predict(bare_model, server, tmp_path):
    """Return a function that runs ``msa predict`` with a server and a cache."""

    def run(*words, ending=".ecsv", model=bare_model[1]):
        output = tmp_path / f"out{ending}"
        options = ["--tap-url", server.tap_url, "--cache", tmp_path / "cache", *words]
        arguments = ["predict", model, output, *options]
        return output, main([str(argument) for argument in arguments])

    return run


@pytest.fixture
def predicted(predict, capsys):
    """Return a function that gives the table that was written."""

    def run(*words, **settings):
        output, status = predict(*words, **settings)
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        table = read_stars(output)
        assert printed.out == f"Wrote {len(table)} rows to {output}\n"
        return table

    return run


@pytest.fixture
def refused(predict, server, capsys):
    """Return a function that gives the message of a command that asks nobody anything."""

    def run(*words):
        output, status = predict(*words)
        printed = capsys.readouterr()
        assert (status, printed.out) == (1, "")
        assert printed.err.startswith("msa: ")
        assert not output.exists()
        assert server.requests == []
        return printed.err

    return run


def assert_predicts(table, bare_model, loopback, ids):
    expected = bare_model[0].predict_from_gaia(ids, loopback)
    assert table.colnames == expected.colnames
    assert table["source_id"].tolist() == expected["source_id"].tolist()
    np.testing.assert_allclose(
        np.asarray(table["teff"].value), np.asarray(expected["teff"].value), rtol=1e-5
    )
    assert table["teff"].unit == u.K
    for name in ("flags", "archive_flags", "has_bp", "has_tmass"):
        np.testing.assert_array_equal(table[name], expected[name])


def test_ids_as_words(predicted, bare_model, loopback, ids):
    assert_predicts(predicted("--source-id", *ids), bare_model, loopback, ids)


@pytest.mark.parametrize("ending", [".fits", ".parquet", ".vot"])
def test_every_form_of_output(predicted, bare_model, loopback, ids, ending):
    known = [one for one in ids if one != UNKNOWN]
    table = predicted("--source-id", *known, ending=ending)
    assert_predicts(table, bare_model, loopback, known)
    assert table["source_id"].dtype.kind == "i"


@pytest.mark.parametrize("ending", [".fits", ".vot"])
def test_the_file_says_where_it_is_from(predicted, bare_model, ids, ending):
    meta = predicted("--source-id", ids[0], ending=ending).meta
    meta = {name.lower(): value for name, value in meta.items()}
    assert meta["model"] == bare_model[1].name
    assert meta["release"] == "Gaia DR3"
    assert {"model_id", "version", "service", "received", "flags"} <= meta.keys()


@pytest.mark.parametrize("between", ["\n", " ", "\n\nGaia DR3 "])
def test_ids_of_a_text(predicted, bare_model, loopback, ids, tmp_path, between):
    path = tmp_path / "ids.txt"
    path.write_text(between.join(map(str, ids)) + "\n\n")
    assert_predicts(predicted("--ids", path), bare_model, loopback, ids)


def test_ids_by_the_name_that_gaia_gives(predicted, bare_model, loopback, ids):
    words = [f"Gaia DR3 {one}" for one in ids]
    assert_predicts(predicted("--source-id", *words), bare_model, loopback, ids)


def test_stars_by_name(predicted, simbad, ids):
    """A name that is an id needs no SIMBAD."""
    names = [*NAMES[:3], f"Gaia DR3 {ids[0]}"]
    table = predicted("--name", *names)
    assert table.colnames[:2] == ["name", "source_id"]
    assert table["name"].tolist() == names
    assert table["source_id"].tolist()[::3] == [4345775217221821312, ids[0]]
    assert np.isfinite(table["teff"]).tolist() == [False, False, False, True]


def test_names_without_one_id_are_all_told(refused, simbad):
    message = refused("--name", *NAMES)
    assert "but 3 of 6 are not. 'alf Cen': SIMBAD has the object, and no Gaia DR3 id" in message
    assert "'Nobody 1': SIMBAD does not know the name; 'GJ 65': SIMBAD has several" in message
    assert "choose a candidate (5140693571158946048 5140693571158739840). Leave them" in message


@pytest.mark.parametrize("ending", [".fits", ".ecsv", ".parquet", ".vot"])
def test_ids_of_a_table(predicted, bare_model, loopback, ids, tmp_path, ending):
    path = tmp_path / f"ids{ending}"
    write_stars(Table({"name": ["a"] * 5, "source_id": ids}), path)
    assert_predicts(predicted("--ids", path), bare_model, loopback, ids)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_cone(predicted, bare_model, loopback, catalogue, sign):
    source = catalogue["gaiadr3.gaia_source"]
    row = np.flatnonzero(np.sign(source["dec"]) == sign)[50]
    ra, dec = source["ra"][row], source["dec"][row]
    table = predicted("--cone", ra, dec, "3deg")
    assert len(table) > 1
    assert table["source_id"][0] == source["source_id"][row], "The nearest comes first."
    assert_predicts(table, bare_model, loopback, table["source_id"])


def test_a_query(predicted, bare_model, loopback):
    query = "SELECT TOP 7 source_id FROM gaiadr3.gaia_source WHERE dec < -60 ORDER BY source_id"
    table = predicted("--query", query)
    assert len(table) == 7
    assert_predicts(table, bare_model, loopback, loopback.query(query)["source_id"])


def test_the_cache_is_used(predicted, server, ids):
    first = predicted("--source-id", *ids)
    server.requests.clear()
    again = predicted("--source-id", *ids, "--overwrite")
    assert server.requests == []
    np.testing.assert_array_equal(first["teff"], again["teff"])


def test_the_options_before_the_model(bare_model, server, ids, tmp_path, capsys):
    output = tmp_path / "out.ecsv"
    words = ["--service", "local", "--tap-url", server.tap_url, "--cache", tmp_path / "cache"]
    words += ["--source-id", ids[0], "--", bare_model[1], output]
    assert main(["predict", *map(str, words)]) == 0
    assert read_stars(output)["source_id"].tolist() == ids[:1]


def test_the_released_model_is_the_default(
    bare_model, server, loopback, ids, tmp_path, monkeypatch
):
    folder = tmp_path / "weights" / "gaia-xp" / "StellarParameterRegressor"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(bare_model[1])
    monkeypatch.setattr(_released_models, "RELEASED", tmp_path / "weights")
    words = ["--tap-url", server.tap_url, "--cache", tmp_path / "cache", "--source-id", *ids]
    for name, model in {"default": [], "named": ["gaia-xp"]}.items():
        output = tmp_path / f"{name}.ecsv"
        assert main(["predict", *model, str(output), *map(str, words)]) == 0
        assert_predicts(read_stars(output), bare_model, loopback, ids)


def test_the_dust_map_that_stands_in_is_told(regressor, predict, tmp_path, monkeypatch, ids):
    regressor.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(_map_files, "_data_folder", lambda: tmp_path / "no-maps")
    with pytest.warns(UserWarning, match="'sfd-lowres' stands in for 'sfd'"):
        output, status = predict("--source-id", ids[0], model=tmp_path / "model")
    assert status == 0
    assert read_stars(output)["has_dust"].all()


@pytest.mark.parametrize(
    ("words", "name", "beside_tap"),
    [
        ((), "esa", True),
        (("--service", "aip"), "aip", False),
        (("--tap-url", "http://127.0.0.1:9/tap"), "local", False),
        (("--tap-url", "http://127.0.0.1:9/tap", "--service", "esa"), "esa", True),
    ],
)
def test_the_archive_of_the_options(words, name, beside_tap):
    archive = archive_of(make_parser().parse_args(["predict", "out.fits", *words]))
    assert archive.service.name == name
    assert (archive.service.datalink_url is not None) == beside_tap
    assert archive.cache is True
    if "--tap-url" in words:
        assert archive.service.tap_url == "http://127.0.0.1:9/tap"


def test_bad_ids(refused, ids, tmp_path):
    for word, told in {"1.5": "'1.5'", "Gaia": "'Gaia'", "-3": "-3", "1e9": "'1e9'"}.items():
        message = refused(f"--source-id={word}")
        assert f"--source-id must be integers between 1 and 2**63 - 1, got {told} " in message
    assert "must be ids of Gaia DR3" in refused("--source-id", "Gaia DR2 7")
    assert "between 1 and 2**63 - 1, got 0 (int) at position 1" in refused(
        "--source-id", ids[0], 0
    )
    assert "got 9223372036854775808" in refused("--source-id", 2**63)
    path = tmp_path / "ids.txt"
    path.write_text("source_id\n1\n")
    assert "ids.txt must be integers between 1 and 2**63 - 1, got 'source_id' (str)" in (
        refused("--ids", path)
    )


def test_bad_tables_of_ids(refused, ids, tmp_path):
    path = tmp_path / "ids.fits"
    Table({"star": ids}).write(path)
    message = refused("--ids", path)
    assert "The table 'ids.fits' must have the column 'source_id', got star" in message
    Table({"source_id": np.array(ids, dtype=float)}).write(path, overwrite=True)
    message = refused("--ids", path)
    assert "Column 'source_id' of 'ids.fits' must be integers" in message
    assert "got 3.56" in message
    Table({"source_id": np.ma.MaskedArray(ids, mask=[0, 1, 0, 0, 0])}).write(path, overwrite=True)
    assert "must all be known, got 1 of 5 masked" in refused("--ids", path)
    assert "There is no file" in refused("--ids", tmp_path / "none.fits")
    assert "No such file" in refused("--ids", tmp_path / "none.txt")


def test_no_ids(predicted, tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("\n")
    assert len(predicted("--ids", path)) == 0


@pytest.mark.parametrize(
    ("cone", "reason"),
    [
        ("56.75 24.12 2", "No unit specified"),
        ("56.75 95 2arcmin", "Latitude angle"),
        ("east 24.12 2arcmin", "parsing angle 'east'"),
        ("56.75 24.12 2parsec", "parsing angle '2parsec'"),
    ],
)
def test_bad_cones(refused, cone, reason):
    message = refused("--cone", *cone.split())
    assert f"such as 56.75 24.12 2arcmin, got {cone}: " in message
    assert reason in message


def test_an_empty_cone_radius(refused):
    assert "must be one angle in (0, 180] deg" in refused("--cone", 10, 10, "0deg")


def test_neither_a_table_nor_stars_of_the_archive(refused):
    assert "needs either a table of stars or one of --source-id, --ids" in refused()


def test_a_table_and_stars_of_the_archive(bare_model, ids, tmp_path, capsys):
    words = ["predict", bare_model[1], tmp_path / "stars.fits", tmp_path / "out.fits"]
    assert main([str(word) for word in [*words, "--source-id", ids[0]]]) == 1
    assert "needs either a table of stars or one of" in capsys.readouterr().err


def test_two_ways_to_name_stars(predict, capsys):
    with pytest.raises(SystemExit, match="2"):
        predict("--source-id", 1, "--query", "SELECT 1")
    assert "not allowed with argument" in capsys.readouterr().err


def test_an_unknown_service(predict, capsys):
    with pytest.raises(SystemExit, match="2"):
        predict("--source-id", 1, "--service", "eso")
    assert "invalid choice: 'eso'" in capsys.readouterr().err


def test_what_the_archive_says_is_passed_on(predict, capsys):
    output, status = predict("--query", "SELECT colour FROM gaiadr3.gaia_source")
    printed = capsys.readouterr().err
    assert status == 1
    assert printed.startswith("msa: local TAP server, your query: ")
    assert "no such column" in printed
    assert not output.exists()


def test_ctrl_c_says_what_is_kept(predict, monkeypatch, capsys, ids):
    def interrupted(*_):
        raise KeyboardInterrupt("Interrupted in chunk 2 of 3. What was received is kept.")

    monkeypatch.setattr(GaiaArchive, "fetch_features", interrupted)
    output, status = predict("--source-id", *ids)
    assert status == 130
    assert capsys.readouterr().err == (
        "msa: Interrupted in chunk 2 of 3. What was received is kept.\n"
    )
    assert not output.exists()
