"""Where a table may be written: what exists, and what is read, stays as it is."""

import os

import pytest
from astropy.table import Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables import expand_home, output_path, read_stars, write_stars


def test_a_new_file_in_a_new_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "out.fits"
    assert output_path(str(path)) == path
    assert not path.parent.exists(), "Nothing is made before there is something to write."


def test_an_unknown_ending(tmp_path):
    with pytest.raises(ColumnError, match="got 'out.txt'"):
        output_path(tmp_path / "out.txt")


def test_a_file_that_exists(tmp_path):
    path = tmp_path / "out.csv"
    write_stars(Table({"a": [1]}), path)
    for write in (output_path, lambda path: write_stars(Table({"a": [2]}), path)):
        with pytest.raises(
            FileExistsError, match=r"out.csv' exists. .*`overwrite=True` \(--overw"
        ):
            write(path)
    assert read_stars(path)["a"].tolist() == [1]
    assert output_path(path, overwrite=True) == path
    write_stars(Table({"a": [2]}), path, overwrite=True)
    assert read_stars(path)["a"].tolist() == [2]


def test_the_input(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    source = tmp_path / "stars.csv"
    write_stars(Table({"a": [1]}), source)
    (tmp_path / "link.csv").symlink_to(source)
    os.link(source, tmp_path / "hard.csv")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("stars.csv", "link.csv", "hard.csv", "folder/stars.csv", "new/../stars.csv"):
        for given in (source, "~/stars.csv", tmp_path / "link.csv"):
            with pytest.raises(ColumnError, match="is the input .* Choose another name"):
                output_path(tmp_path / name, True, [tmp_path / "none.csv", given])
    assert output_path(tmp_path / "other.csv", True, [source])


def test_a_link_is_followed(tmp_path):
    write_stars(Table({"a": [1]}), tmp_path / "older.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "older.csv")
    (tmp_path / "loose.csv").symlink_to(tmp_path / "new.csv")
    with pytest.raises(FileExistsError, match="link.csv' exists"):
        output_path(tmp_path / "link.csv")
    write_stars(Table({"a": [2]}), tmp_path / "link.csv", overwrite=True)
    write_stars(Table({"a": [3]}), tmp_path / "loose.csv")
    assert read_stars(tmp_path / "older.csv")["a"].tolist() == [2]
    assert read_stars(tmp_path / "new.csv")["a"].tolist() == [3]


def test_a_folder_of_parts_is_not_written_into(tmp_path):
    parts = tmp_path / "parts"
    write_stars(Table({"a": [1]}), parts / "0.parquet")
    for name in ("out.parquet", "0.parquet", "below/out.fits"):
        with pytest.raises(ColumnError, match="is the input .*parts', or lies in it"):
            output_path(parts / name, True, [parts])


def test_what_is_no_place_for_a_file(tmp_path, monkeypatch):
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(IsADirectoryError, match="folder.parquet' is a folder"):
        output_path(tmp_path / "folder.parquet", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file' is a file, not a folder"):
        output_path(tmp_path / "file" / "below" / "out.csv")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="may not be written to"):
        output_path(tmp_path / "new" / "out.csv")


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_home("~/a.csv") == output_path("~/a.csv") == tmp_path / "a.csv"
    assert str(expand_home("~nobody-of-this-name/a")) == "~nobody-of-this-name/a"
    assert str(expand_home("a/~b")) == "a/~b"
