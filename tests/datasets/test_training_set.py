"""The training set: against joins, cuts and counts by loops, and interrupted at any place."""

import os

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn

from msaestimator.archive import QUALITY_CUTS, apply_quality_cuts
from msaestimator.datasets import (
    StarDataset,
    _training_recipe,
    _training_set,
    build_training_set,
    load_apogee_xp,
    stack_labels,
)
from msaestimator.dust import add_reddening
from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, StarTable
from msaestimator.tables import arrow_of_table, read_stars, write_stars

N_FILES, N_STARS = 2, 160
TITLES = {
    "read": "sources read",
    "xp": "sources with XP coefficients",
    "kept": "with a parallax, no quasar or galaxy candidate",
    "tmass": "with 2MASS magnitudes",
    "wise": "with CatWISE magnitudes",
    "skymapper": "with SkyMapper magnitudes",
    "ps1": "with Pan-STARRS 1 magnitudes",
    "sdss": "with SDSS magnitudes",
    "written": "rows in the training set",
}


def _save(stars, path, rows=50):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow_of_table(stars), path, row_group_size=rows)


@pytest.fixture(scope="module")
def sky():
    """Stars sorted by id, as Gaia's files are, with what surveys say of them."""
    stars = load_apogee_xp("test")[:N_STARS]
    stars = stars[np.argsort(stars["source_id"])]
    rng = np.random.default_rng(0)
    stars["has_xp_continuous"] = np.ones(N_STARS, dtype=bool)
    stars["in_qso_candidates"] = rng.random(N_STARS) < 0.05
    stars["in_galaxy_candidates"] = rng.random(N_STARS) < 0.05
    stars["parallax"][stars["parallax"].value != stars["parallax"].value] = 0.7 * u.mas
    stars["parallax"][::17] = np.nan
    for band in ("bp", "rp"):
        stars[f"{band}_coefficients"][5::40] = np.nan
    stars["rp_coefficients"][6::40] = np.nan  # BP is there
    keys = rng.integers(1, 99, N_STARS)
    stars["tmass_ext_key"] = MaskedColumn(keys, mask=rng.random(N_STARS) > 0.1)
    for band in "ugriz":
        stars[f"sdss_flags_{band}"] = np.where(rng.random(N_STARS) < 0.1, 1 << 18, 0)
    stars["sdss_type"] = np.where(rng.random(N_STARS) < 0.1, 3, 6)
    stars["smss_class_star"] = rng.random(N_STARS)
    return stars


@pytest.fixture(scope="module")
def files(sky, tmp_path_factory):
    """Gaia's stars in three files, and each survey's in others, in pieces that fit no file."""
    folder = tmp_path_factory.mktemp("sky")
    blocks = {block: _columns_of(block, sky) for block in ("tmass", "skymapper", "sdss", "ps1")}
    own = [name for name in sky.colnames if not any(name in names for names in blocks.values())]
    for number, rows in enumerate(np.array_split(np.arange(N_STARS), N_FILES)):
        _save(sky[own][rows], folder / "gaia" / f"{number}.parquet")
    for block, names in blocks.items():
        seen = np.arange(N_STARS)[np.arange(N_STARS) % 7 != 3]
        for number, rows in enumerate(np.array_split(seen, 2)):
            table = sky[["source_id", *names]][rows]
            _save(table, folder / block / f"{number}.parquet", rows=37)
    return folder


def _columns_of(block, stars):
    magnitudes = [GAIA_DR3[name] for name in GAIA_DR3.block(block)]
    names = [n for one in magnitudes for n in (one.name, one.error) if n in stars.colnames]
    flags = {
        "tmass": ["tmass_ext_key"],
        "skymapper": ["smss_class_star"],
        "sdss": ["sdss_type", *(f"sdss_flags_{band}" for band in "ugriz")],
    }
    return names + flags.get(block, [])


@pytest.fixture
def build(files, tmp_path):
    """Return a function that builds from all files into a new folder."""

    def run(output="out", stars=files / "gaia", **settings):
        blocks = ("tmass", "skymapper", "sdss", "ps1")
        surveys = {block: files / block for block in blocks}
        settings = {"surveys": surveys, "dust_map": "sfd-lowres", "progress": False} | settings
        counts = build_training_set(stars, tmp_path / output, **settings)
        return dict(zip(counts["stars"], counts["n"].tolist(), strict=True)), tmp_path / output

    return run


def _joined(sky):
    """Return all stars with what the surveys' files have of them."""
    seen = np.arange(N_STARS) % 7 != 3
    stars = StarTable(sky)
    for block in ("tmass", "skymapper", "sdss", "ps1"):
        for name in _columns_of(block, sky):
            if stars[name].dtype.kind == "f":
                stars[name][~seen] = np.nan
            else:
                stars[name] = MaskedColumn(stars[name], mask=~seen | np.ma.getmaskarray(sky[name]))
    return stars


def _expected(sky):
    """Return the stars of a training set by the rules of the archive, all at once."""
    stars = _joined(sky)
    has_xp = np.isfinite(stars["bp_coefficients"]).any(axis=1)
    has_xp |= np.isfinite(stars["rp_coefficients"]).any(axis=1)
    has_parallax = np.isfinite(stars["parallax"].value)
    is_star = ~(stars["in_qso_candidates"] | stars["in_galaxy_candidates"])
    cut, cut["archive_flags"] = apply_quality_cuts(stars, QUALITY_CUTS["mckay2025"])
    kept = has_xp & has_parallax & is_star
    counts = {"read": N_STARS, "xp": int(has_xp.sum()), "kept": int(kept.sum())}
    return cut[kept], counts


def _same(found, expected):
    """Compare two columns in float32, NaN where masked."""
    values = [np.ma.filled(np.ma.asarray(getattr(c, "value", c)), 0) for c in (found, expected)]
    np.testing.assert_array_equal(*(np.asarray(v, dtype=np.float32) for v in values))


def test_stars_are_those_of_one_join_and_one_cut(build, sky):
    _, folder = build()
    found, (expected, _) = read_stars(folder), _expected(sky)
    assert found["source_id"].tolist() == expected["source_id"].tolist()
    assert len(StarDataset(folder).files) == N_FILES
    names = set(GAIA_DR3.names) - {"ebv"}
    names |= {GAIA_DR3[name].error for name in names if name in found.colnames}
    for name in names & {*expected.colnames}:
        _same(found[name], expected[name])
        assert found[name].unit == expected[name].unit
    for band in ("bp", "rp"):
        _same(found[f"{band}_coefficients"], expected[f"{band}_coefficients"])
    reddened = add_reddening(expected, "sfd-lowres")["ebv"]
    np.testing.assert_allclose(found["ebv"].value, reddened.value, rtol=1e-6)


def test_what_was_cut_is_flagged_and_flags_of_catalogues_are_left_out(build, sky):
    _, folder = build()
    found, (expected, _) = read_stars(folder), _expected(sky)
    assert found["archive_flags"].dtype == np.int32
    assert len(np.unique(found["archive_flags"])) > 3
    np.testing.assert_array_equal(found["archive_flags"], expected["archive_flags"])
    assert {"sdss_type", "tmass_ext_key", "has_xp_continuous"}.isdisjoint(found.colnames)


def test_counts_are_those_of_table_2_1(build, sky):
    counts, _ = build()
    expected, steps = _expected(sky)
    for block in ("tmass", "skymapper", "ps1", "sdss"):
        rows = [
            any(np.isfinite(expected[name][row].value) for name in GAIA_DR3.block(block))
            for row in range(len(expected))
        ]
        steps[block] = sum(rows)
    steps |= {"wise": 0, "written": len(expected)}
    assert counts == {TITLES[step]: steps[step] for step in TITLES}


def test_a_catalogue_with_all_surveys_gives_the_same(build, sky, tmp_path):
    """As LSDB's cross-match writes it."""
    for number, rows in enumerate(np.array_split(np.arange(N_STARS), N_FILES)):
        _save(_joined(sky)[rows], tmp_path / "joined" / f"{number}.parquet")
    counts, folder = build("together", tmp_path / "joined", surveys=None)
    other, separate = build()
    assert counts == other
    one, two = read_stars(folder), read_stars(separate)
    assert {*one.colnames} == {*two.colnames}
    for name in one.colnames:
        _same(one[name], two[name])


def test_order_of_a_survey_is_of_no_importance(build, files, sky, tmp_path):
    rows = np.random.default_rng(1).permutation(np.flatnonzero(np.arange(N_STARS) % 7 != 3))
    _save(sky[["source_id", *_columns_of("tmass", sky)]][rows], tmp_path / "mixed.parquet", 20)
    _, mixed = build("mixed", surveys={"tmass": tmp_path / "mixed.parquet"})
    _, sorted_ = build("sorted", surveys={"tmass": files / "tmass"})
    assert _content(mixed) == _content(sorted_)


def _content(folder):
    """Return the rows of each file."""
    return [pq.read_table(path).to_pydict().__repr__() for path in sorted(folder.iterdir())]


def test_of_two_matches_the_nearest_counts(build, sky, tmp_path):
    ids = np.asarray(sky["source_id"][:3])
    matches = StarTable({"source_id": np.repeat(ids, 2)})
    matches["j_m"] = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0] * u.mag
    matches["tmass_distance"] = [0.5, 0.1, 0.1, 0.5, np.nan, 0.9] * u.arcsec
    _save(matches, tmp_path / "twice.parquet")
    _, folder = build(surveys={"tmass": tmp_path / "twice.parquet"}, quality_cuts="none")
    stars = read_stars(folder)
    found = dict(zip(stars["source_id"].tolist(), stars["j_m"].value.tolist(), strict=True))
    expected = dict(zip(ids.tolist(), [11.0, 12.0, 15.0], strict=True))
    assert {one: found[one] for one in expected if one in found}.items() <= expected.items()
    assert set(expected) & set(found)


def test_a_surveys_own_names_are_understood(build, sky, tmp_path):
    """SkyMapper's own table has its Gaia ids as gaia_dr3_id1."""
    stars = sky[["source_id", "r_psf", "e_r_psf"]]
    stars.rename_column("source_id", "gaia_dr3_id1")
    stars["class_star"] = np.where(np.arange(N_STARS) % 2, 0.99, 0.1)
    _save(stars, tmp_path / "smss.parquet")
    _, folder = build(surveys={"skymapper": tmp_path / "smss.parquet"})
    found = read_stars(folder)
    bright = np.isin(found["source_id"], stars["gaia_dr3_id1"][stars["class_star"] > 0.9])
    magnitudes = found["r_psf"].value
    faint = magnitudes >= 19
    assert np.isnan(magnitudes[~bright & ~faint]).all()
    assert np.isfinite(magnitudes[bright]).any()


def test_without_cuts_candidates_stay(build, sky):
    counts, _ = build(quality_cuts="none")
    _, steps = _expected(sky)
    assert counts[TITLES["kept"]] > steps["kept"]


def test_a_source_is_taken_once(build, sky, files, tmp_path):
    doubled = sky[np.sort(np.r_[np.arange(N_STARS), np.arange(40)])]
    _save(doubled, tmp_path / "doubled.parquet", rows=11)
    counts, folder = build(stars=tmp_path / "doubled.parquet", surveys=None)
    assert counts["sources read"] == N_STARS
    assert len(np.unique(read_stars(folder)["source_id"])) == counts["rows in the training set"]


def test_row_groups_are_full(build, monkeypatch, files):
    monkeypatch.setattr(_training_set, "BATCH", 30)
    _, folder = build()
    for path in folder.iterdir():
        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        assert all(size >= 30 for size in sizes[:-1])


def test_interrupted_anywhere_it_goes_on_to_the_same(build, monkeypatch, files):
    whole_counts, whole = build("whole")
    for at in range(N_FILES):
        calls = []
        apply = _training_recipe.Recipe.apply

        def fails(self, stars, calls=calls, at=at, apply=apply):
            calls.append(len(stars))
            if len(calls) == at + 1:
                raise OSError("No space left on device")
            return apply(self, stars)

        with monkeypatch.context() as patch:
            patch.setattr(_training_recipe.Recipe, "apply", fails)
            with pytest.raises(OSError, match="No space left"):
                build(f"part{at}")
        done = whole.parent / f"part{at}"
        before = {path: path.stat().st_mtime_ns for path in done.glob("*.parquet")}
        assert len(before) == at
        counts, folder = build(f"part{at}")
        assert counts == whole_counts
        assert _content(folder) == _content(whole)
        assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_a_folder_of_another_training_set_is_refused(build, files, sky, tmp_path):
    _, folder = build()
    for settings in ({"quality_cuts": "none"}, {"surveys": None}, {"dust_map": None}):
        with pytest.raises(FileExistsError, match=r"has '00000.parquet', which is not of this"):
            build(**settings)
    labels = StarTable({"source_id": sky["source_id"][:9], "teff": sky["teff"][:9]})
    with pytest.raises(FileExistsError, match="its stars, surveys, labels or cuts are others"):
        build(labels=labels)
    write_stars(sky[:3], tmp_path / "other" / "mine.parquet")
    with pytest.raises(FileExistsError, match=r"'mine.parquet'.*remove the file"):
        build("other")
    assert len([*folder.iterdir()]) == N_FILES


def test_labels_give_a_row_each(build, sky):
    ids = np.asarray(sky["source_id"])
    galah = StarTable({"source_id": ids[:60], "survey": ["galah"] * 60, "teff": sky["teff"][:60]})
    apogee = StarTable({"source_id": ids[50:80], "survey": ["apogee"] * 30})
    apogee["logg"] = sky["logg"][50:80]
    counts, folder = build(labels=stack_labels([galah, apogee]))
    found, (expected, _) = read_stars(folder), _expected(sky)
    kept = expected["source_id"].tolist()
    rows = [(one, "galah") for one in ids[:60] if one in kept]
    rows += [(one, "apogee") for one in ids[50:80] if one in kept]
    assert sorted(zip(found["source_id"], found["survey"], strict=True)) == sorted(rows)
    assert counts["sources read"] == 80
    assert counts["rows in the training set"] == len(rows) > counts[TITLES["kept"]]
    value = dict(zip(ids.tolist(), sky["teff"].value.tolist(), strict=True))
    for star, survey, teff, logg in found["source_id", "survey", "teff", "logg"].iterrows():
        assert np.isnan(teff.value) == (survey == "apogee")
        assert np.isnan(logg.value) == (survey == "galah")
        assert survey == "apogee" or teff.value == np.float32(value[int(star)])
    assert found["teff"].unit == u.K


def test_an_archive_gives_everything_by_id(loopback, catalogue, tmp_path):
    ids = np.array(catalogue["gaiadr3.gaia_source"]["source_id"])[:60]
    settings = {"dust_map": "sfd-lowres", "progress": False, "archive": loopback}
    counts = build_training_set([*ids.tolist(), int(ids[0])], tmp_path / "out", **settings)
    found = read_stars(tmp_path / "out")
    stars = loopback.fetch_features(np.unique(ids))
    has_xp = np.isfinite(stars["bp_coefficients"]).any(axis=1)
    has_xp |= np.isfinite(stars["rp_coefficients"]).any(axis=1)
    kept = has_xp & np.isfinite(stars["parallax"].value) & (stars["archive_flags"] & 8 == 0)
    assert found["source_id"].tolist() == stars["source_id"][kept].tolist()
    assert 0 < len(found) < len(ids)
    for name in ("ks_m", "catwise_w1", "psfmag_r", "y_mean_psf_mag", "pmra"):
        _same(found[name], stars[name][kept])
    np.testing.assert_array_equal(found["archive_flags"], stars["archive_flags"][kept])
    numbers = dict(zip(counts["stars"], counts["n"].tolist(), strict=True))
    assert numbers["sources read"] == len(ids)
    w1 = np.isfinite(stars["catwise_w1"][kept].value) | np.isfinite(
        stars["catwise_w2"][kept].value
    )
    assert numbers["with CatWISE magnitudes"] == w1.sum()


def test_ids_of_files_are_enough_for_an_archive(loopback, catalogue, tmp_path):
    ids = np.sort(np.array(catalogue["gaiadr3.gaia_source"]["source_id"])[:20])
    _save(StarTable({"source_id": ids}), tmp_path / "ids.parquet")
    settings = {"dust_map": None, "progress": False, "archive": loopback}
    for stars, output in ((tmp_path / "ids.parquet", "files"), (ids, "ids")):
        build_training_set(stars, tmp_path / output, **settings)
    assert _content(tmp_path / "files") == _content(tmp_path / "ids")


def test_an_input_without_stars(build, sky, files, tmp_path):
    for number in range(2):
        _save(sky[: 30 * number], tmp_path / "few" / f"{number}.parquet")
    counts, _ = build(stars=tmp_path / "few", surveys=None)
    assert counts["sources read"] == 30
    none, folder = build("none", stars=tmp_path / "few", surveys=None, labels=_foreign())
    assert set(none.values()) == {0}
    assert len(read_stars(folder)) == 0


def test_an_archive_is_asked_for_no_star(loopback, catalogue, tmp_path):
    ids = np.array(catalogue["gaiadr3.gaia_source"]["source_id"])[:5]
    counts = build_training_set(
        ids, tmp_path, archive=loopback, labels=_foreign(), dust_map=None, progress=False
    )
    assert set(counts["n"]) == {0}


def _foreign():
    return StarTable({"source_id": [1], "teff": [5000.0] * u.K})


def test_what_cannot_be(build, loopback, sky, files, tmp_path):
    with pytest.raises(ValueError, match="`surveys` and `archive` must not both be given"):
        build(archive=loopback)
    with pytest.raises(ValueError, match="`stars` must be files, .* got ndarray"):
        build(stars=np.asarray(sky["source_id"]))
    with pytest.raises(ValueError, match="`quality_cuts` must be one of mckay2025, none, or a"):
        build(quality_cuts="thesis")
    with pytest.raises(ColumnError, match="must be called tmass, .* got '2mass'"):
        build(surveys={"2mass": files / "tmass"})
    with pytest.raises(
        ColumnError, match=r"`surveys\['ps1'\]` must have source_id and magnitudes"
    ):
        build(surveys={"ps1": files / "tmass"})
    with pytest.raises(
        ColumnError, match="`stars` must have the columns parallax, bp_coeff.*Gaia"
    ):
        build(stars=files / "tmass")
    with pytest.raises(ColumnError, match="`labels` must have 'source_id' and labels"):
        build(labels=StarTable({"source_id": [1], "survey": ["a"]}))
    assert not any(name.endswith(".parquet") for name in os.listdir(tmp_path))
