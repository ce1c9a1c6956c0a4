"""Files of stars, and what a catalogue of answers holds."""

import numpy as np
import pytest


@pytest.fixture
def write_files(tmp_path):
    """Return a function that writes stars to files of given sizes, and returns their folder."""
    from msaestimator.tables import write_stars

    def write(stars, sizes, name="xp"):
        ends = np.cumsum(sizes)
        for number, end in enumerate(ends):
            rows = stars[end - sizes[number] : end]
            write_stars(rows, tmp_path / name / f"{number}.parquet", overwrite=True)
        return tmp_path / name

    return write


@pytest.fixture
def answers_of():
    """Return a function that reads a catalogue, its stars in the order of their ids."""
    from msaestimator.datasets import StarDataset

    def read(folder):
        stars = StarDataset(folder)
        (table,) = stars.batches(max(len(stars), 1))
        return table[np.argsort(np.asarray(table["source_id"]))]

    return read


@pytest.fixture(scope="session")
def assert_same_answers():
    """Return a function that compares tables of answers, up to rounding of float32."""

    def compare(found, expected):
        order = np.argsort(np.asarray(expected["source_id"]))
        assert len(found) == len(expected)
        for name in expected.colnames:
            assert getattr(found[name], "unit", None) == getattr(expected[name], "unit", None)
            values = [np.asarray(getattr(t[name], "value", t[name])) for t in (found, expected)]
            if values[1].dtype.kind == "f":
                # Parts of errors are differences of large numbers, of float32.
                near = 2e-5 * np.nanmedian(np.abs(values[1]))
                np.testing.assert_allclose(
                    values[0], values[1][order], rtol=2e-5, atol=near, err_msg=name
                )
            else:
                np.testing.assert_array_equal(values[0], values[1][order], err_msg=name)

    return compare
