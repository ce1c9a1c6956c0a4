"""``msa build`` builds what ``build_training_set`` does, and prints its counts."""

import numpy as np
import pytest

from msaestimator.cli import main
from msaestimator.datasets import build_training_set, load_apogee_xp
from msaestimator.tables import read_stars, write_stars

MAGNITUDES = ["j_m", "h_m", "ks_m"]


@pytest.fixture
def files(tmp_path):
    """Gaia's file, another of 2MASS, and one of labels."""
    stars = load_apogee_xp("test")[:60]
    own = [name for name in stars.colnames if name not in MAGNITUDES]
    write_stars(stars[own], tmp_path / "gaia.parquet")
    write_stars(stars[["source_id", *MAGNITUDES]], tmp_path / "tmass.parquet")
    write_stars(stars[["source_id", "teff"]][:30], tmp_path / "labels.ecsv")
    return tmp_path


def _run(folder, *words):
    words = ["build", folder / "gaia.parquet", folder / "out", "--dust-map", "sfd-lowres", *words]
    return main([str(word) for word in words])


def test_files_and_counts(files, capsys):
    assert _run(files, "--survey", f"tmass={files / 'tmass.parquet'}") == 0
    surveys = {"tmass": files / "tmass.parquet"}
    counts = build_training_set(
        files / "gaia.parquet", files / "same", surveys=surveys, dust_map="sfd-lowres"
    )
    assert capsys.readouterr().out.splitlines() == [
        *counts.pformat(max_lines=-1, max_width=-1),
        f"Wrote {files / 'out'}",
    ]
    found, same = read_stars(files / "out"), read_stars(files / "same")
    assert np.isfinite(found["ks_m"]).any()
    np.testing.assert_array_equal(found["source_id"], same["source_id"])


def test_labels(files):
    assert _run(files, "--labels", files / "labels.ecsv", "--quality-cuts", "none") == 0
    stars, labels = read_stars(files / "out"), read_stars(files / "labels.ecsv")
    assert 0 < len(stars) <= 30
    assert set(stars["source_id"]) <= set(labels["source_id"])


def test_reddening_may_stay_as_it_is(files):
    assert _run(files, "--dust-map", "none") == 0
    ours = load_apogee_xp("test")[:60]
    stars = read_stars(files / "out")
    rows = np.isin(ours["source_id"], stars["source_id"])
    np.testing.assert_array_equal(stars["ebv"].value, ours["ebv"][rows].value)


def test_what_is_wrong_is_told(files, capsys):
    assert _run(files, "--survey", "tmass") == 1
    assert "--survey must be a name and files, such as tmass=folder" in capsys.readouterr().err
    assert _run(files, "--survey", f"2mass={files / 'tmass.parquet'}") == 1
    assert "must be called tmass" in capsys.readouterr().err
