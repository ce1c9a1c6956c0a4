"""The archive's bulk files: the numbers that are in them, and faults that name the file."""

import gzip
import re
import sys

import numpy as np
import pytest
from common.bulk_files import GAIA_SOURCE, XP_COLUMNS, write_pair

from msaestimator.archive import ZERO_POINT_ERRORS
from msaestimator.datasets import StarDataset
from msaestimator.datasets._bulk_stars import BulkStars
from msaestimator.exceptions import ColumnError
from msaestimator.tables import read_stars

WITHOUT_BP = 17


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two files of 40 and 5 stars, one of them without BP, and their true values."""
    folder = tmp_path_factory.mktemp("bulk")
    first = write_pair(folder, 0, 3111, 40, per_spectrum=2, without_bp=[WITHOUT_BP])
    second = write_pair(folder, 3112, 5000, 5, per_spectrum=2)
    (folder / "other.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (folder / "_MD5SUM.txt").write_text("")
    return folder, {name: np.concatenate([first[name], second[name]]) for name in first}


@pytest.fixture
def files(pair, tmp_path):
    """Copies of the first pair, which a test may break."""
    for path in pair[0].glob("*_000000-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return spectra_in(tmp_path), next(tmp_path.glob("GaiaSource*"))


def spectra_in(folder):
    return next(folder.glob("XpContinuousMeanSpectrum_000000-003111.csv.gz"))


def rewrite(path, change):
    """Change the text of a compressed file."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def values_of(column):
    values = np.asarray(getattr(column, "value", column))
    return np.where(getattr(column, "mask", False), np.nan, values)


def test_layout_is_the_archive_s():
    assert len(GAIA_SOURCE) == 152
    assert len(XP_COLUMNS) == 26


def test_stars_are_those_of_the_files(pair):
    folder, truth = pair
    stars = StarDataset(folder)
    assert [path.name[-20:] for path in stars.files] == [
        "000000-003111.csv.gz",
        "003112-005000.csv.gz",
    ]
    assert len(stars) == 45
    (read,) = stars.batches(100)
    np.testing.assert_array_equal(read["source_id"], truth["source_id"])
    assert set(truth) <= set(stars.columns)
    for name, expected in truth.items():
        if name not in ("source_id", "random_index", "has_xp_continuous"):
            found = values_of(read[name])
            dtype = np.float64 if name in ("ra", "dec") else np.float32
            np.testing.assert_array_equal(found.astype(dtype), expected.astype(dtype), name)
    np.testing.assert_array_equal(read["random_index"], truth["random_index"])
    assert read["has_xp_continuous"].all()
    assert read["parallax"].unit == "mas"
    assert read["bp_coefficients"].shape == (45, 55)


def test_one_star_has_no_bp(pair):
    (read,) = StarDataset(pair[0], columns=["bp_coefficients", "rp_coefficients"]).batches(100)
    has_none = np.isnan(values_of(read["bp_coefficients"])).all(axis=1)
    assert np.flatnonzero(has_none).tolist() == [WITHOUT_BP]
    assert np.isfinite(values_of(read["rp_coefficients"])).all()


def test_spectra_are_as_the_general_reader_has_them(pair):
    expected = read_stars(spectra_in(pair[0]))
    stars = StarDataset(pair[0])
    read = stars.read(stars.fragments[0])
    for name in ("bp_coefficients", "rp_coefficients", "bp_coefficient_errors"):
        np.testing.assert_array_equal(
            values_of(read[name]), values_of(expected[name]).astype(np.float32)
        )
    np.testing.assert_array_equal(read["source_id"], expected["source_id"])


def test_magnitude_errors_are_the_archive_s(pair):
    folder, truth = pair
    (read,) = StarDataset(folder, columns=["phot_bp_mean_mag_error"]).batches(100)
    ratio = truth["phot_bp_mean_flux_over_error"]
    expected = np.hypot(2.5 / np.log(10) / ratio, ZERO_POINT_ERRORS["bp"])
    np.testing.assert_allclose(values_of(read["phot_bp_mean_mag_error"]), expected, rtol=1e-6)
    assert read["phot_bp_mean_mag_error"].unit == "mag"


def test_folders_of_spectra_and_of_sources(files):
    spectra, sources = files
    for path in files:
        (path.parent / path.name[:4]).mkdir()
    apart = [path.rename(path.parent / path.name[:4] / path.name) for path in files]
    assert len(StarDataset([path.parent for path in apart])) == 40
    assert len(StarDataset([path for path in apart])) == 40
    with pytest.raises(FileNotFoundError, match=r"need .* in 'GaiaSource_000000-003111.csv.gz'"):
        StarDataset(apart[0])
    with pytest.raises(ColumnError, match="has no stars with spectra. Pass the folder of its"):
        StarDataset(apart[1])


def test_sources_beside_the_spectra(files):
    assert len(StarDataset(files[0])) == 40


def test_uncompressed_files_and_a_last_line_without_its_end(files):
    for path in files:
        text = gzip.decompress(path.read_bytes()).removesuffix(b"\n")
        path.with_suffix("").write_bytes(text)
        path.unlink()
    stars = StarDataset(files[0].with_suffix(""))
    assert len(stars) == 40
    assert len(stars.sample(100)) == 40


def test_columns_of_one_table_alone(files, monkeypatch):
    files[1].write_bytes(b"no bulk file")
    read = StarDataset(files[0], columns=["rp_n_relevant_bases"]).sample(3, 0)
    assert read.colnames == ["rp_n_relevant_bases"]


@pytest.mark.parametrize("words", [(b"[", b", ", b"]"), (b"(", b",", b")"), (b"(", b", ", b")")])
def test_arrays_in_other_words(files, pair, words):
    """JSON with spaces, and the parentheses of what DataLink answers."""
    start, between, end = words

    def write(array):
        return b'"' + start + array[1].replace(b",", between) + end + b'"'

    rewrite(files[0], lambda text: re.sub(rb'"\[([^"]*)\]"', write, text))
    (read,) = StarDataset(files[0], columns=["bp_coefficients"]).batches(100)
    expected = pair[1]["bp_coefficients"][:40].astype(np.float32)
    np.testing.assert_array_equal(values_of(read["bp_coefficients"]), expected)


def test_a_number_of_an_array_is_null(files):
    rewrite(files[0], lambda text: text.replace(b'"[', b'"[null,', 1).replace(b",", b"", 0))
    text = gzip.decompress(files[0].read_bytes())
    first = text.index(b'"[null,')
    end = text.index(b",", first + 7)
    files[0].write_bytes(gzip.compress(text[: first + 6] + text[end:]))
    (read,) = StarDataset(files[0], columns=["bp_coefficients"]).batches(100)
    is_missing = np.isnan(values_of(read["bp_coefficients"][0]))
    assert is_missing.tolist() == [True] + [False] * 54


def test_without_isal(files, monkeypatch):
    monkeypatch.setattr("msaestimator.datasets._bulk_text.find_spec", lambda name: None)
    assert len(StarDataset(files[0]).sample(50)) == 40


def test_with_isal(files):
    pytest.importorskip("isal")
    assert len(StarDataset(files[0]).sample(50)) == 40
    assert "isal" in sys.modules


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("isal", [True, False])
def test_a_truncated_file(files, which, isal, monkeypatch):
    if not isal:
        monkeypatch.setattr("msaestimator.datasets._bulk_text.find_spec", lambda name: None)
    content = files[which].read_bytes()
    files[which].write_bytes(content[: len(content) // 2])
    with pytest.raises(ColumnError, match=rf"{files[which].name}' cannot be read .* Download"):
        StarDataset(files[0]).sample(3)


@pytest.mark.parametrize("which", [0, 1])
def test_an_empty_or_vanished_file(files, which):
    stars = StarDataset(files[0])
    files[which].write_bytes(b"")
    with pytest.raises(ColumnError, match=rf"{files[which].name}' cannot be read .*: it is empty"):
        stars.sample(3)
    files[which].unlink()
    with pytest.raises(FileNotFoundError, match=rf"{files[which].name}' is not there any more"):
        stars.sample(3)


@pytest.mark.parametrize(("which", "name"), [(0, b"bp_coefficients"), (1, b"random_index")])
def test_a_file_that_lacks_a_column(files, which, name):
    rewrite(files[which], lambda text: text.replace(name, b"something"))
    with pytest.raises(ColumnError, match=rf"{files[which].name}' must have .* '{name.decode()}'"):
        StarDataset(files[0]).sample(3)


def test_a_row_with_too_few_values(files):
    def cut(text):
        lines = text.split(b"\n")
        return b"\n".join([*lines[:-2], b'12345,67,"[1.0]"\n'])

    rewrite(files[0], cut)
    with pytest.raises(ColumnError, match=r"must have 26 values, got 3 in that of 12345\."):
        StarDataset(files[0]).sample(3)


def test_a_row_with_an_array_of_another_length(files, pair):
    rewrite(files[0], lambda text: text.replace(b'"[', b'"[1.0,', 1))
    first = pair[1]["source_id"][0]
    with pytest.raises(ColumnError, match=rf"of one length, 55, got 56 for source_id {first}"):
        StarDataset(files[0]).sample(3)


def test_an_array_of_no_numbers(files):
    rewrite(files[0], lambda text: text.replace(b'"[', b'"[x,', 1))
    with pytest.raises(ColumnError, match="'bp_coefficients' must have arrays of numbers, got"):
        StarDataset(files[0]).sample(3)


def test_sources_of_another_range(files, pair):
    other = next(pair[0].glob("GaiaSource_003112*"))
    files[1].write_bytes(other.read_bytes())
    first = pair[1]["source_id"][0]
    with pytest.raises(ColumnError, match=rf"40 of 40 are absent, the first of them {first}\."):
        StarDataset(files[0]).sample(3)


def test_a_file_without_rows(files):
    def only_header(text):
        return text[: text.index(b"\n", text.index(b"\nsource_id,") + 1) + 1]

    rewrite(files[0], only_header)
    stars = StarDataset(files[0])
    assert len(stars) == 0
    assert [*stars.batches(3)] == []


def test_fingerprint_changes_with_either_file(files):
    before = BulkStars(*files).fingerprint()
    assert BulkStars(*files).fingerprint() == before
    rewrite(files[1], lambda text: text.replace(b"1.234567", b"1.234568"))
    assert BulkStars(*files).fingerprint() != before
