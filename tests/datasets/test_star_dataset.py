"""Stars in files: the same stars as in memory, whatever files and pieces they come in."""

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from msaestimator import StarTable
from msaestimator.datasets import Fragment, StarDataset, star_paths
from msaestimator.exceptions import ColumnError, RenamedColumnWarning
from msaestimator.tables import stars_of_arrow, write_stars

BIG = 5937083312263887616


def make_stars(start, n):
    """Return n stars whose values tell their number, one in five without a value."""
    numbers = np.arange(start, start + n)
    magnitudes = np.where(numbers % 5 == 0, np.nan, numbers / 8)
    coefficients = numbers[:, None] + np.arange(55) / 64
    return StarTable(
        {
            "source_id": BIG + numbers,
            "phot_g_mean_mag": magnitudes * u.mag,
            "bp_coefficients": coefficients,
        }
    )


def number_of(stars):
    return np.asarray(stars["source_id"]) - BIG


def check(stars):
    """Compare stars in any order with those that were written."""
    expected = make_stars(0, 1000)[number_of(stars)]
    assert isinstance(stars, StarTable)
    assert stars.colnames == expected.colnames
    assert stars["phot_g_mean_mag"].unit == u.mag
    assert stars["bp_coefficients"].dtype == np.float32
    for name in expected.colnames:
        found = np.asarray(getattr(stars[name], "value", stars[name]))
        np.testing.assert_array_equal(found, np.asarray(expected[name]).astype(found.dtype))


def write_groups(stars, path, size):
    """Write a parquet file with row groups of one size."""
    write_stars(stars, path)
    pq.write_table(pq.read_table(path), path, row_group_size=size)


@pytest.fixture
def folder(tmp_path):
    """Three files of 250, 1 and 60 stars, in row groups of 100, with what is none of them."""
    write_groups(make_stars(0, 250), tmp_path / "a.parquet", 100)
    write_groups(make_stars(250, 1), tmp_path / "b.parquet", 100)
    (tmp_path / "c").mkdir()
    write_groups(make_stars(251, 60), tmp_path / "c" / "c.parquet", 100)
    (tmp_path / "_SUCCESS").touch()
    return tmp_path


def test_what_it_says_of_itself(folder):
    stars = StarDataset(folder)
    assert len(stars) == 311
    assert stars.columns == ("source_id", "phot_g_mean_mag", "bp_coefficients")
    assert stars.units == {"phot_g_mean_mag": "mag"}
    assert stars.files == (
        folder / "a.parquet",
        folder / "b.parquet",
        folder / "c" / "c.parquet",
    )
    assert repr(stars) == "<StarDataset of 3 files: 3 columns>"


def test_fragments_are_the_row_groups(folder):
    stars = StarDataset(folder)
    a, b, c = stars.files
    assert stars.fragments == (
        Fragment(a, 0, 0, 100),
        Fragment(a, 1, 100, 100),
        Fragment(a, 2, 200, 50),
        Fragment(b, 0, 250, 1),
        Fragment(c, 0, 251, 60),
    )
    for fragment in stars.fragments:
        read = stars.read(fragment)
        check(read)
        expected = np.arange(fragment.start, fragment.start + fragment.n_rows)
        np.testing.assert_array_equal(number_of(read), expected)


@pytest.mark.parametrize("size", [1, 64, 100, 311, 1000])
def test_batches_are_all_stars_in_order(folder, size):
    batches = [*StarDataset(folder).batches(size)]
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert 0 < len(batches[-1]) <= size
    for batch in batches:
        check(batch)
    np.testing.assert_array_equal(np.concatenate([*map(number_of, batches)]), np.arange(311))


def test_batches_of_one_file(folder):
    stars = StarDataset(folder)
    batches = [*stars.file_batches(folder / "a.parquet", 120)]
    assert [len(batch) for batch in batches] == [120, 120, 10]
    np.testing.assert_array_equal(np.concatenate([*map(number_of, batches)]), np.arange(250))


def test_no_batch_is_empty_or_of_no_size(folder):
    with pytest.raises(ValueError, match="`size` must be at least 1, got 0"):
        next(StarDataset(folder).batches(0))


def test_pieces_of_a_large_row_group(folder, monkeypatch):
    monkeypatch.setattr("msaestimator.datasets._star_dataset.PIECE", 7)
    stars = StarDataset(folder)
    check(stars.read(stars.fragments[0]))
    assert [len(batch) for batch in stars.batches(200)] == [200, 111]


def test_sample_is_of_distinct_stars(folder):
    stars = StarDataset(folder)
    sample = stars.sample(120, random_state=3)
    check(sample)
    assert len(np.unique(number_of(sample))) == 120
    np.testing.assert_array_equal(number_of(stars.sample(120, 3)), number_of(sample))
    assert (number_of(stars.sample(120, 4)) != number_of(sample)).any()
    np.testing.assert_array_equal(np.sort(number_of(stars.sample(400, 0))), np.arange(311))
    assert len(stars.sample(0)) == 0


@pytest.mark.parametrize("state", [np.random.RandomState, np.random.default_rng])
def test_sample_takes_generators(folder, state):
    stars = StarDataset(folder)
    first, second = (number_of(stars.sample(50, state(5))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_every_star_is_as_likely(folder):
    """Of 100 samples of 62 stars, each of 311 is in 20, whatever the size of its row group."""
    stars = StarDataset(folder, columns=["source_id"])
    drawn = np.concatenate([number_of(stars.sample(62, seed)) for seed in range(100)])
    for fragment in stars.fragments:
        inside = (drawn >= fragment.start) & (drawn < fragment.start + fragment.n_rows)
        expected = 6200 * fragment.n_rows / 311
        assert abs(inside.sum() - expected) < 5 * np.sqrt(expected)


def test_sample_of_a_large_dataset_reads_some_of_it(folder, monkeypatch):
    monkeypatch.setattr("msaestimator.datasets._star_dataset.FEWEST", 2)
    stars = StarDataset(folder)
    opened = []
    pieces = StarDataset._pieces

    def count(self, path, group, names):
        opened.append((path, group))
        return pieces(self, path, group, names)

    monkeypatch.setattr(StarDataset, "_pieces", count)
    assert len(stars.sample(10, 0)) == 10
    assert 2 <= len(opened) < 5


def test_chosen_columns(folder):
    stars = StarDataset(folder, columns=["bp_coefficients", "source_id"])
    assert stars.columns == ("bp_coefficients", "source_id")
    assert stars.units == {}
    assert stars.sample(5).colnames == ["bp_coefficients", "source_id"]
    assert next(stars.batches(5, columns=["source_id"])).colnames == ["source_id"]
    assert stars.read(stars.fragments[0], ["source_id"]).colnames == ["source_id"]


def test_a_column_that_is_not_there(folder):
    with pytest.raises(ColumnError, match=r"of the files, got 'source'; .* mean 'source_id'\?"):
        StarDataset(folder, columns=["source"])
    stars = StarDataset(folder, columns=["source_id"])
    with pytest.raises(ColumnError, match="columns of the dataset, got 'bp_coefficients'"):
        stars.sample(3, columns=["bp_coefficients"])


def test_files_in_the_order_given(folder):
    stars = StarDataset([folder / "c", str(folder / "a.parquet")])
    assert stars.files == (folder / "c" / "c.parquet", folder / "a.parquet")
    assert number_of(next(stars.batches(1))) == 251


def test_names_of_other_catalogues(tmp_path):
    plain = pa.table({"Source": [BIG, BIG + 1], "Gmag": [9.5, None]})
    pq.write_table(plain, tmp_path / "x.parquet")
    with pytest.warns(RenamedColumnWarning, match="'Gmag' for 'phot_g_mean_mag'"):
        stars = StarDataset(tmp_path)
    assert stars.columns == ("source_id", "phot_g_mean_mag")
    (batch,) = stars.batches(10, columns=["phot_g_mean_mag"])
    assert batch["phot_g_mean_mag"].mask.tolist() == [False, True]
    assert StarDataset(tmp_path, aliases=False).columns == ("Source", "Gmag")


def test_units_go_with_renamed_columns(tmp_path):
    write_stars(StarTable({"Plx": [0.5, 1.5] * u.arcsec}), tmp_path / "x.parquet")
    with pytest.warns(RenamedColumnWarning, match="'Plx' for 'parallax'"):
        stars = StarDataset(tmp_path / "x.parquet")
    assert stars.units == {"parallax": "arcsec"}
    assert stars.sample(2)["parallax"].unit == u.arcsec


KINDS_OF_ARRAYS = {
    "lists": pa.list_(pa.float64()),
    "large lists": pa.large_list(pa.float32()),
    "fixed lists": pa.list_(pa.float32(), 3),
    "half floats": pa.list_(pa.float16(), 3),
}


@pytest.mark.parametrize("kind", KINDS_OF_ARRAYS)
def test_arrays_of_every_kind(tmp_path, kind):
    rows = [[1.5, 2.5, 3.5], None, [4.5, None, 6.5]]
    pq.write_table(pa.table({"x": pa.array(rows, KINDS_OF_ARRAYS[kind])}), tmp_path / "x.parquet")
    pq.write_table(pa.table({"x": pa.array(rows, pa.list_(pa.float32()))}), tmp_path / "y.parquet")
    stars = StarDataset(tmp_path)
    (batch,) = stars.batches(6)
    expected = [[1.5, 2.5, 3.5], [np.nan] * 3, [4.5, np.nan, 6.5]] * 2
    np.testing.assert_array_equal(np.asarray(batch["x"]), np.float32(expected))
    assert batch["x"].mask.sum() == 8
    assert batch["x"].dtype == stars.read(stars.fragments[0])["x"].dtype == np.float32


def test_structs_and_columns_of_nulls(tmp_path):
    first = pa.table({"a": [{"x": 1, "y": 2.5}], "b": pa.nulls(1)})
    pq.write_table(first, tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": [{"x": 3, "y": None}], "b": [1.5]}), tmp_path / "2.parquet")
    stars = StarDataset(tmp_path)
    assert stars.columns == ("a.x", "a.y", "b")
    (batch,) = stars.batches(2, columns=["b", "a.y"])
    assert batch["b"].mask.tolist() == [True, False]
    assert batch["a.y"].mask.tolist() == [False, True]


def test_a_file_without_stars(folder):
    write_stars(make_stars(0, 0), folder / "none.parquet")
    stars = StarDataset(folder)
    assert len(stars) == 311
    assert len(stars.fragments) == 5
    assert [*stars.file_batches(folder / "none.parquet", 10)] == []
    alone = StarDataset(folder / "none.parquet")
    assert len(alone) == len(alone.sample(3)) == 0
    assert alone.sample(3).colnames == [*alone.columns]


def test_fingerprint_is_of_the_content(folder, tmp_path_factory):
    stars = StarDataset(folder)
    elsewhere = tmp_path_factory.mktemp("copy")
    for number, path in enumerate(stars.files):
        (elsewhere / f"{number}.parquet").write_bytes(path.read_bytes())
    assert StarDataset(elsewhere).fingerprint == stars.fingerprint
    assert StarDataset(folder, columns=["source_id"]).fingerprint != stars.fingerprint
    assert StarDataset([*stars.files[::-1]]).fingerprint != stars.fingerprint
    before = stars.fingerprint_of(folder / "b.parquet")
    (folder / "b.parquet").unlink()
    write_groups(make_stars(260, 1), folder / "b.parquet", 100)
    changed = StarDataset(folder)
    assert changed.fingerprint != stars.fingerprint
    assert changed.fingerprint_of(folder / "b.parquet") != before
    assert changed.fingerprint_of(folder / "a.parquet") == stars.fingerprint_of(stars.files[0])


def test_stars_of_arrow_are_those_of_a_file(tmp_path):
    write_stars(make_stars(0, 10), tmp_path / "x.parquet")
    stars = stars_of_arrow(pq.read_table(tmp_path / "x.parquet"))
    assert stars["phot_g_mean_mag"].unit == u.mag
    assert stars["bp_coefficients"].shape == (10, 55)


def test_files_are_listed_and_counted(folder):
    stars = StarDataset(folder)
    assert tuple(star_paths(folder)) == stars.files
    assert [stars.n_stars_of(path) for path in stars.files] == [250, 1, 60]


@pytest.mark.parametrize("rows", [[], [310], [7, 251, 100, 7, 250], range(310, -1, -1)])
def test_rows_by_their_numbers(folder, rows, monkeypatch):
    monkeypatch.setattr("msaestimator.datasets._star_dataset.PIECE", 30)
    taken = StarDataset(folder).take(rows, columns=["source_id", "bp_coefficients"])
    assert number_of(taken).tolist() == list(rows)
    expected = make_stars(0, 311)[np.array(rows, int)]["bp_coefficients"]
    np.testing.assert_array_equal(taken["bp_coefficients"], expected)


def test_only_what_rows_are_in_is_read(folder):
    stars = StarDataset(folder)
    (folder / "c" / "c.parquet").unlink()
    assert number_of(stars.take([249, 3])).tolist() == [249, 3]


@pytest.mark.parametrize("row", [-1, 311])
def test_rows_that_are_not_there(folder, row):
    with pytest.raises(IndexError, match="`rows` must be numbers from 0 to 310, got"):
        StarDataset(folder).take([5, row])
