"""``msa convert``: bulk files in, parquet out."""

import pytest
from common.bulk_files import write_pair

from msaestimator.cli import main
from msaestimator.cli._options import ORDERS
from msaestimator.datasets import StarDataset


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    """A folder with a pair of bulk files of 12 stars."""
    folder = tmp_path_factory.mktemp("bulk")
    write_pair(folder, 0, 3111, 12, per_spectrum=1)
    return folder


@pytest.mark.parametrize("order", ORDERS)
def test_every_order(bulk, tmp_path, capsys, order):
    output = tmp_path / "out"
    words = ["convert", str(bulk), str(output), "--order", order, "--rows", "5"]
    assert main(words) == 0
    stars = StarDataset(output)
    assert len(stars) == 12
    n_files = len(stars.files)
    assert f"Wrote 12 stars in {n_files} files to {output}\n" in capsys.readouterr().out
    assert (output / "hats.properties").exists() == (order == "sky")


def test_folders_of_spectra_and_of_sources(bulk, tmp_path):
    spectra, sources = (next(bulk.glob(f"{what}*")) for what in ("Xp", "Gaia"))
    assert main(["convert", str(spectra), str(sources), str(tmp_path / "out")]) == 0


def test_a_fault_is_told(tmp_path, capsys):
    assert main(["convert", str(tmp_path / "nothing"), str(tmp_path / "out")]) == 1
    assert "msa: There is no file or folder" in capsys.readouterr().err
