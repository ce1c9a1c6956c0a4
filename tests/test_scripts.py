"""Every script under ``benchmarks`` and ``scripts`` runs, at toy size, and minds the house.

The slow ones, and those that need more than the tests do, run in ``tox -e benchmarks``.
"""

import ast
import importlib
import os
import re
import runpy
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from safetensors.numpy import load_file
from scipy import stats

from msaestimator.archive import RELEASES
from msaestimator.datasets import load_apogee_xp, load_isochrones, split_by_source_id
from msaestimator.datasets._packaged import read_arrays
from msaestimator.schema import GAIA_DR3
from msaestimator.tables import read_stars, write_stars

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted(ROOT.glob("benchmarks/*.py"))
SCRIPTS = [*BENCHMARKS, *sorted(ROOT.glob("scripts/**/*.py"))]
SHARED = sorted(ROOT.glob("benchmarks/*/*.py"))
EXPERIMENTS = ROOT / "benchmarks/generalist_experiments.py"
# Longer than the others, or in need of the extra ``benchmarks``.
SLOW = {
    "accuracy",
    "fast_model",
    "generalist_recipes",
    "golden_answers",
    "label_efficiency",
    "long_boosting",
    "train",
}
WEIGHTS = next(ROOT.glob("msaestimator/*/weights/gaia-xp"))
FAST = WEIGHTS.with_name("gaia-xp-fast")


def label(path):
    return str(path.relative_to(ROOT))


def each(paths, *, slow_apart=False):
    """Parametrize a test by scripts."""
    marks = {True: [pytest.mark.benchmarks], False: []}
    return pytest.mark.parametrize(
        "path",
        [pytest.param(p, marks=marks[slow_apart and p.stem in SLOW], id=label(p)) for p in paths],
    )


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a script as a command would, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(path, *arguments):
        with monkeypatch.context() as patch:
            patch.syspath_prepend(path.parent)
            patch.setattr(sys, "argv", [str(path), *map(str, arguments)])
            runpy.run_path(str(path), run_name="__main__")
        return tmp_path

    return run


@each([path for path in BENCHMARKS if path != EXPERIMENTS], slow_apart=True)
@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.CalibrationWarning")
@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.PrecisionWarning")
def test_benchmark_runs_at_toy_size(path, run):
    output = ["output"] if path.stem == "label_efficiency" else []
    folder = run(path, *output, "--toy")
    for table in folder.rglob("*.inc"):
        assert re.search(r"``python benchmarks/\w+\.py .*--toy.*`` at commit", table.read_text())


@pytest.mark.benchmarks
def test_experiments_make_the_figures_and_tables_of_their_page(run):
    folder = run(EXPERIMENTS, "--toy")
    page = (ROOT / "docs/user_guide/generalist_experiments.rst").read_text(encoding="utf-8")
    figures = {path.stem for path in folder.rglob("*.png")}
    tables = {path.name for path in folder.rglob("*.inc")}
    assert figures == set(re.findall(r"^\.\. figure:: .*/(\w+)\.png$", page, re.MULTILINE))
    assert tables == set(re.findall(r"^\.\. include:: .*/(\w+\.inc)$", page, re.MULTILINE))


def test_dachs_describes_what_it_loads(run):
    folder = run(ROOT / "scripts/dachs.py", "describe", "--inputs", "inputs", "--stars", 20)
    described = ElementTree.parse(folder / "inputs/gaiadr3/q.rd").getroot()
    columns = {column.get("name") for column in described.iter("column")}
    assert {column.source for column in RELEASES["dr3"].source} <= columns
    for data in described.iter("sources"):
        assert len(Table.read(folder / "inputs/gaiadr3" / data.text, format="votable"))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="says who is root")
def test_dachs_leaves_other_machines_alone(run, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="needs Debian and root"):
        run(ROOT / "scripts/dachs.py", "status")


def test_archive_columns_are_listed(run):
    folder = run(ROOT / "scripts/list_archive_columns.py", "--output", "page.rst")
    committed = ROOT / "docs/user_guide/archive_columns.rst"
    assert (folder / "page.rst").read_text() == committed.read_text()


def test_packaged_data_are_made_of_source_tables(run, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    stars = load_apogee_xp()[:100]
    Table(stars).write(source / "apogee_xp.parquet")
    companions = Table(stars)
    companions["age"] = 1.0
    for end in ("", "_error"):
        companions[f"parallax_dr2{end}"] = stars[f"parallax{end}"].value
    companions["parallax_dr2"][3] = -5.1 * companions["parallax_dr2_error"][3]
    companions.write(source / "apogee_companions.parquet")
    packaged = ROOT / "msaestimator"
    noise = read_arrays("xp_noise.npz")
    bins = Table({"g": noise["g_magnitude"]})
    for band in ("bp", "rp"):
        bins[f"{band}_relative_error"] = noise[f"{band}_relative_error"]
        # The source tells the 16th and 84th percentile too.
        bins[f"{band}_n_relevant"] = np.outer(noise[f"{band}_n_relevant"], [0.5, 1.0, 2.0])
    bins.write(source / "xp_noise.ecsv")
    for made, given in {
        "datasets/data/isochrones_mist.parquet": "isochrones_mist.parquet",
        "datasets/data/xp_sampling.npz": "xp_sampling_matrix.npz",
        "dust/data/sfd_ebv_healpix_nside64.fits": "sfd_ebv_healpix_nside64.fits",
    }.items():
        shutil.copyfile(packaged / made, source / given)
    run(ROOT / "scripts/package_data.py", source, "--output", "made", "--stars", 50)
    companions[::-1].write(source / "apogee_companions.parquet", overwrite=True)
    with pytest.raises(SystemExit, match="of the same stars in the same order"):
        run(ROOT / "scripts/package_data.py", source, "--output", "other", "--stars", 50)
    data = tmp_path / "made/datasets/data"
    made = Table.read(data / "apogee_xp.parquet")
    assert len(made) == 50
    assert "age" not in made.colnames
    rows = np.array([np.flatnonzero(stars["source_id"] == star)[0] for star in made["source_id"]])
    for name in ("psfmag_u", "y_mean_psf_mag", "v_psf"):
        np.testing.assert_array_equal(made[name], stars[name].value[rows])
        error = GAIA_DR3[name].error
        np.testing.assert_array_equal(made[error], stars[error].value[rows])
    expected = stars["parallax"].value[rows] + 0.02
    expected[rows == 3] = np.nan  # a spurious one
    np.testing.assert_allclose(made["parallax"], expected, atol=2.0**-11)
    with np.load(data / "xp_noise.npz") as made:
        for name, values in noise.items():
            np.testing.assert_array_equal(made[name], values)
    again = Table.read(data / "isochrones_mist.parquet")
    points = load_isochrones()
    np.testing.assert_array_equal(again["logg"], points["logg"].value)


def test_the_sky_is_counted(run):
    folder = run(ROOT / "scripts/count_sky.py", "--output", ".", "--stars", 500)
    packaged = read_arrays("sky_mix.npz")
    with np.load(folder / "sky_mix.npz") as made:
        assert set(made) == set(packaged)
        for name, values in packaged.items():
            assert made[name].shape == values.shape
            if name.endswith("edges"):
                np.testing.assert_array_equal(made[name], values)
        tables = made["kinds"], packaged["kinds"]
        giants = [kinds[..., :6, :].sum() / kinds.sum() for kinds in tables]
    assert giants[0] == pytest.approx(giants[1], abs=0.03)


@pytest.fixture
def gathered(run, tmp_path):
    """What `gather` makes of packaged stars, with the tables that it was made of."""
    stars = load_apogee_xp()[:60]
    spectra = [f"{b}_{n}" for b in ("bp", "rp") for n in ("coefficients", "coefficient_errors")]
    bands = ["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m"]
    labels = [n + end for n in ("teff", "logg", "fe_h", "alpha_m") for end in ("", "_err")]
    own = ["source_id", "ra", "dec", "ebv", *spectra, *bands, *labels]
    known = np.full(60, np.nan)
    known[0] = 1.5
    columns = ("age", "seismic_mass", "seismic_age")
    companions = Table({n + end: known for n in columns for end in ("", "_err")})
    companions["source_id"] = stars["source_id"]
    companions["parallax_dr2"] = companions["parallax_dr2_error"] = np.full(60, np.nan)
    companions["parallax_dr2"][:2], companions["parallax_dr2_error"][:2] = 1.0, 0.5
    photometry = Table(stars[[*bands, *labels[:4]]])[:40]
    photometry["m_h"], photometry["m_h_err"] = stars["fe_h"][:40], stars["fe_h_err"][:40]
    photometry["j_m"][20:] += 0.001
    photometry["parallax"], photometry["parallax_error"] = np.full((2, 40), [[2.0], [9.0]])
    for name in (*bands, *(f"ps1_{band}" for band in "grizy"), "w1", "w2"):
        if name not in photometry.colnames:
            photometry[name] = 12.0
        photometry[f"{name}_error"] = 0.029
    photometry["label_source"] = "lamost"
    tables = {
        "stars": Table(stars[own]),
        "companions": companions,
        "photometry": photometry,
        "field": Table(stars[["source_id", *spectra]]),
        "magnitudes": Table(stars[["source_id", *bands[:3]]]),
    }
    for name, table in tables.items():
        table.write(tmp_path / f"{name}.parquet")
    options = [f"--{name}={name}.parquet" for name in ("stars", "companions", "photometry")]
    options += ["--field", "field.parquet", "magnitudes.parquet", "--output", "gathered.parquet"]
    run(ROOT / "scripts/release/gather.py", *options)
    return read_stars(tmp_path / "gathered.parquet"), tables


def test_stars_of_the_release_are_gathered_on_one_scale(gathered):
    made, tables = gathered
    apogee, photometry, field = (
        made[np.asarray(made["sample"]) == name] for name in ("apogee", "photometry", "field")
    )
    assert [len(sample) for sample in (apogee, photometry, field)] == [60, 40, 60]
    assert len(set(np.concatenate([photometry["source_id"], apogee["source_id"]]))) == 100
    is_test = split_by_source_id(apogee["source_id"])
    np.testing.assert_array_equal(apogee["is_test"], is_test)
    # Stars of both samples are on one side; the magnitudes of the others are changed.
    np.testing.assert_array_equal(photometry["is_test"][:20], is_test[:20])
    assert not field["is_test"].any()
    np.testing.assert_allclose(photometry["catwise_w1"].value, 12.0 - 2.699, atol=1e-5)
    np.testing.assert_allclose(photometry["j_msigcom"].value, 0.021, atol=1e-5)
    np.testing.assert_allclose(photometry["parallax"].value, 2.02, atol=1e-5)
    np.testing.assert_allclose(apogee["parallax"].value[:2], 1.02, atol=1e-5)
    assert np.isnan(photometry["bp_coefficients"]).all()
    assert np.isnan(photometry["ebv"].value).all()
    # Pixels of HEALPix are 0.9 arcmin wide; a source id has the place of another epoch.
    np.testing.assert_allclose(field["dec"].value, apogee["dec"].value, atol=0.1)
    assert set(made.meta["sources"]) == {f"{name}.parquet" for name in tables}


def test_known_masses_and_ages_go_before_those_of_isochrones(gathered):
    made, _ = gathered
    assert (made["mass"][0].value, made["age"][0].value) == (1.5, 1.5)
    assert (made["mass_source"][0], made["age_source"][0]) == ("seismic", "seismic")
    of_isochrones = np.asarray(made["mass_source"]) == "isochrones"
    assert of_isochrones.sum() > 40
    assert not np.isfinite(made["age"].value[of_isochrones & (made["logg"].value < 3.5)]).any()
    mass, lower, upper = (
        made[f"mass{end}"].value[of_isochrones] for end in ("", "_lower", "_upper")
    )
    assert (lower < mass).all()
    assert (mass < upper).all()
    hot = made["teff"].value > 7000
    assert hot.any()
    assert np.isnan(made["parallax_label"].value[hot]).all()


@pytest.mark.benchmarks
@each([WEIGHTS, FAST])
def test_golden_answers_are_stored(path, run):
    folder = run(ROOT / "scripts/release/golden_answers.py", path.name, "--output", ".")
    with (
        np.load(folder / f"{path.name}.npz") as stored,
        np.load(ROOT / f"tests/golden/{path.name}.npz") as golden,
    ):
        assert set(stored) == set(golden)


@pytest.mark.benchmarks
@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.CalibrationWarning")
def test_release_is_trained_scored_and_described(run, tmp_path):
    stars = load_apogee_xp()[::20]
    stars["sample"] = ["apogee"] * len(stars)
    stars["is_test"] = split_by_source_id(stars["source_id"])
    for name in ("mass", "age", "parallax_label"):
        unit = {"mass": u.solMass, "age": u.Gyr, "parallax_label": u.mas}[name]
        stars[name] = np.ones(len(stars)) * unit
        stars[f"{name}_err"] = np.full(len(stars), 0.1) * unit
    write_stars(stars, tmp_path / "stars.parquet")
    command = ROOT / "scripts/release/train.py", "--toy", "--stars", tmp_path / "stars.parquet"
    folder = run(*command) / "build/toy/release"
    run(ROOT / "scripts/release/write_card.py", folder)
    card = (folder / "MODEL_CARD.md").read_text()
    for words in ("StellarParameterRegressor", "gradient boosting", "packaged stars: "):
        assert words in card
    fast = "--output", "build/toy/fast", "--checkpoints", "build/toy/student"
    run(*command, "--teacher", folder / "StellarParameterRegressor", *fast)
    run(ROOT / "scripts/release/write_card.py", folder.with_name("fast"))
    card = (folder.with_name("fast") / "MODEL_CARD.md").read_text()
    assert "is the model\nthat it learned from" in card
    assert "StellarFoundationModel" not in card
    saved = folder / "StellarParameterRegressor" / "model.safetensors"
    before = load_file(saved)
    run(*command, "--after-training")
    after = load_file(saved)
    for name in before:
        if not name.startswith("fitted/"):
            np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    run(ROOT / "scripts/release/write_card.py", folder)
    assert "--after-training" in (folder / "MODEL_CARD.md").read_text()


@each([WEIGHTS, FAST])
def test_card_of_the_release_is_what_the_script_writes(path, run, tmp_path):
    folder = tmp_path / path.name
    shutil.copytree(path, folder)
    (folder / "MODEL_CARD.md").unlink()
    run(ROOT / "scripts/release/write_card.py", folder)
    assert (folder / "MODEL_CARD.md").read_text() == (path / "MODEL_CARD.md").read_text()


def imports(path):
    """Return what a script imports, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private_names(path):
    """Return the private names that a script takes of others."""
    found = {part for name in imports(path) for part in name.split(".")}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        own = isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls")
        if isinstance(node, ast.Attribute) and not own:
            found.add(node.attr)
    return {name for name in found if re.match(r"_[^_]", name)}


@each(SCRIPTS + SHARED)
def test_script_uses_public_names_only(path):
    assert private_names(path) == set()


@each(SCRIPTS + SHARED)
def test_script_imports_no_other(path):
    assert {name.split(".")[0] for name in imports(path)}.isdisjoint(p.stem for p in SCRIPTS)


PAGE = ROOT / "docs/performance.rst"
TABLES = sorted(ROOT.glob("docs/performance/*.inc"))


def test_pages_include_every_table_and_type_none():
    pages = [page.read_text(encoding="utf-8") for page in ROOT.glob("docs/**/*.rst")]
    included = re.findall(
        r"^\.\. include:: (?:\.\./)?performance/(\w+\.inc)$", "\n".join(pages), re.MULTILINE
    )
    assert sorted(included) == [path.name for path in TABLES]
    text = PAGE.read_text(encoding="utf-8")
    assert not re.search(r"^ *(={3,} +={3,}|\+-|\.\. (csv-|list-)?table::)", text, re.MULTILINE)


@pytest.mark.parametrize("path", TABLES, ids=label)
def test_table_tells_command_commit_and_machine_of_its_rows(path):
    assert any(
        f'"{path.name}"' in script.read_text(encoding="utf-8") for script in (*BENCHMARKS, *SHARED)
    )
    text = path.read_text(encoding="utf-8")
    runs = dict(re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE))
    rows = re.findall(r'^   ".*"(\d+)"$', text, re.MULTILINE)
    assert set(rows) == set(runs)
    for run in runs.values():
        assert re.fullmatch(r"``.*python .*`` at commit [0-9a-f]{7,40}\b.* on .* cores of .*", run)


@pytest.fixture
def tables(monkeypatch):
    """The module that writes tables, as a script imports it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setattr(sys, "argv", [str(ROOT / "benchmarks/some.py"), "--stars", "5"])
    return importlib.import_module("common.tables")


def test_a_repeated_row_takes_its_place_and_says_of_which_run_it_is(tables, tmp_path):
    path = tmp_path / "some.inc"
    first = tables.ResultTable(path, ("what", "error, in K"))
    first.run = "``python old.py`` at commit 1234567 on 2026-01-01, on a machine."
    first.add("one", "1, 2")
    first.add("two", "3, 4")
    tables.ResultTable(path, ("what", "error, in K")).add("one", "5, 6")
    text = path.read_text()
    assert '"one","5, 6","1"\n   "two","3, 4","2"' in text
    assert re.search(r"^1\. ``python benchmarks/some.py --stars 5`` at commit", text, re.MULTILINE)
    assert re.search(r"^2\. ``python old.py`` at commit 1234567", text, re.MULTILINE)


def test_other_columns_make_a_new_table(tables, tmp_path):
    path = tmp_path / "some.inc"
    tables.ResultTable(path, ("what", "error")).add("one", 1)
    tables.ResultTable(path, ("what", "other error")).add("two", 2)
    assert '"one"' not in path.read_text()


@pytest.fixture
def trust_scores(monkeypatch):
    """The module of a model's scores, as a script imports it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("common.trust_scores")


def test_scores_and_aims_come_back_from_their_file(trust_scores, tmp_path):
    score = trust_scores.Score(
        "bright", "XP, parallax", 16.75, "teff", "nmad", 30, 51.239, high=50
    )
    bare = trust_scores.Score("field", "all", 0.0, "", "giants", 40, 0.125)
    trust_scores.Scores("some", [score, bare], "a run").write(tmp_path / "scores.ecsv")
    again = trust_scores.Scores.read(tmp_path / "scores.ecsv")
    assert (again.model, again.run) == ("some", "a run")
    assert [s.value for s in again.all] == [51.24, 0.125]
    assert [s.aim for s in again.all] == [trust_scores.Aim(-np.inf, 50), None]
    assert [s.is_met for s in again.all] == [False, True]
    assert again.like(score).n_stars == 30


def test_errors_kept_are_those_of_the_other_model(trust_scores):
    def scores(value, group="XP"):
        score = trust_scores.Score("bright", group, 0.0, "teff", "nmad", 30, value)
        return trust_scores.Scores("some", [score], "a run")

    better, worse, elsewhere = scores(50.0), scores(55.0), scores(55.0, "photometry")
    for kept in (better, worse, elsewhere):
        kept.keep("bright", "XP", scores(52.0))
    assert [kept.all[0].is_met for kept in (better, worse, elsewhere)] == [True, False, True]


def test_labels_are_scored_where_they_are_known(trust_scores):
    truth = np.append(np.arange(30.0), np.nan)
    median = np.append(truth[:30] + 1.0, 0.0)
    interval = [median, median - 2.0, median + 0.5, median - 0.5, median + 3.0]
    group = "some", "group", 0.0, "logg"
    scores = {s.score: s for s in trust_scores.score_label(group, truth, interval)}
    assert {s.n_stars for s in scores.values()} == {30}
    values = {name: score.value for name, score in scores.items()}
    assert values == {"nmad": 0.0, "bias": 1.0, "coverage": 1.0, "coverage 90": 0.0}
    few = np.full(31, np.nan)
    assert list(trust_scores.score_label(group, few, interval)) == []
    error = np.full(31, 2.0)
    wider = {s.score: s for s in trust_scores.score_label(group, truth, interval, wider=error)}
    assert wider["coverage 90"].value == 1.0


def test_boosting_is_trained_on_copies_for_the_aims(run, monkeypatch):
    script = ROOT / "benchmarks/trusted.py"
    errors = run(script, "--toy", "--train-boosting", "--boosting", "errors.ecsv") / "errors.ecsv"
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    boosting = importlib.import_module("common.trust_boosting")
    trained, stated = boosting.Boosting(errors), boosting.Boosting()
    for key in ("bright", "XP", "teff"), ("bright", "photometry", "logg"):
        assert trained.nmad(*key) > stated.nmad(*key)
    assert trained.nmad("fainter", "G = 17.5", "alpha_m") > 0
    assert stated.nmad("fainter", "G = 17.5", "alpha_m") is None


def test_what_misses_its_aim_is_bold(trust_scores):
    tables = importlib.import_module("common.trust_tables")
    rows = [
        trust_scores.Score("fainter", "G = 16", 16.0, "logg", "nmad", 90, 0.3, high=0.226),
        trust_scores.Score("fainter", "G = 16", 16.0, "logg", "bias", 90, -0.01, -0.04, 0.04),
        trust_scores.Score("fainter", "G = 16", 16.0, "logg", "coverage", 90, 0.7, 0.64, 0.72),
    ]
    other = trust_scores.Scores("other", [rows[0]], "a run")
    columns = ["nmad", "bias", "coverage"]
    assert list(tables.score_rows(rows, columns, other)) == [
        [
            "G = 16, logg [dex]",
            "90",
            "**0.300** (≤ 0.226)",
            "-0.010 (±0.040)",
            "70% (64% to 72%)",
            "0.300 / – / –",
        ]
    ]
    assert tables.summary_row("faint", rows, other) == ["faint", "3", "2", "0"]


@pytest.fixture
def experiment(monkeypatch):
    """Return a function that imports an experiment as its command does."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return lambda name: importlib.import_module(f"experiments.{name}")


def test_extinction_of_a_pair_is_the_law_that_reddened_it(experiment):
    wavelength = np.linspace(336.0, 1020.0, 343)
    law = 3.1 * (550.0 / wavelength) ** 1.3
    # A grey difference, of unequal distances, is no extinction.
    own, curve = experiment("extinction_curve").of_pairs(0.2 * law + 0.7, wavelength, law)
    assert own == pytest.approx(0.2)
    np.testing.assert_allclose(curve, law)
    steeper = law * wavelength**-0.2
    _, curve = experiment("extinction_curve").of_pairs(steeper, wavelength, law)
    assert curve[0] > law[0]
    assert curve[-1] > law[-1]


def test_few_giants_near_a_point_have_no_median(experiment):
    branch = experiment("giant_branch")
    giants = Table({"teff": [4500.0, np.nan, 4700.0], "logg": [2.5] * 3, "age": [2.0, 2.0, 8.0]})
    many = Table(np.repeat(giants.as_array(), 10))
    assert np.isnan(branch.median_near(giants, "teff", logg=2.5))
    assert branch.median_near(many, "teff", logg=2.5) == 4600.0
    assert branch.median_near(many, "teff", logg=2.5, age=2.3) == 4500.0
    assert np.isnan(branch.median_near(many, "teff", logg=2.5, age=4.0))


@pytest.mark.parametrize("n_factors", [0, 1])
def test_chi_squared_takes_what_errors_have_in_common(experiment, n_factors):
    rng = np.random.default_rng(0)
    error, common = np.array([1.0, 2.0, 3.0]), n_factors * np.array([1.0, 2.0, 2.5])
    covariance = np.diag(error**2 - common**2) + np.outer(common, common)
    noise = np.full((4000, 3), 0.5)
    covariance_seen = covariance + 0.25 * np.eye(3)
    off = rng.multivariate_normal(np.zeros(3), covariance_seen, size=4000)

    class Model:
        def covariance(self, stars, asked, inputs):
            return np.tile(covariance.astype("float32"), (len(stars), 1, 1))

        def request(self, stars, asked, inputs):
            return {
                f"{n}_err": np.full(len(stars), e) * u.mag
                for n, e in zip(asked, error, strict=True)
            }

    model = Model()
    model.n_factors = n_factors
    stars = Table({"a": np.zeros(4000)})
    found = experiment("scores").chi2(model, stars, ["a"], ["x", "y", "z"], off, noise)
    assert np.median(found) == pytest.approx(stats.chi2(3).median() / 3, abs=0.04)
    assert np.mean(found) == pytest.approx(1.0, abs=0.04)
