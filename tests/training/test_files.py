"""Files are written whole or not at all, and read back exactly or refused."""

import os
import stat

import pytest
import torch
from safetensors.torch import save_file

from msaestimator.exceptions import CheckpointError
from msaestimator.training import read_tensors, write_bytes, write_tensors

TENSORS = {
    "matrix": torch.arange(12.0).reshape(3, 4).T,  # not contiguous
    "scalar": torch.tensor(3.5, dtype=torch.float64),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "empty": torch.empty(0, 3),
}
DESCRIPTION = {"epochs": [1, 2.5, None], "name": "Gaia ★"}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    write_tensors(path, TENSORS, DESCRIPTION)
    return path


def test_comes_back_exactly(saved):
    tensors, description = read_tensors(saved)
    assert description == DESCRIPTION
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=0, atol=0)


def test_tensors_that_share_memory_are_saved_each(tmp_path):
    whole = torch.arange(6.0)
    write_tensors(tmp_path / "a", {"whole": whole, "part": whole[2:4]}, None)
    tensors, _ = read_tensors(tmp_path / "a")
    assert tensors["part"].tolist() == [2.0, 3.0]


def test_makes_the_folder_and_leaves_one_readable_file(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    write_bytes(path, b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt("disk full")])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(saved, monkeypatch, step, error):
    before = saved.read_bytes()

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error), match="disk full"):
        write_tensors(saved, {"other": torch.zeros(3)}, None)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.5, 0.99])
def test_truncated(saved, fraction):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(CheckpointError, match="truncated, altered or was not written by"):
        read_tensors(saved)


def test_altered(saved):
    saved.write_bytes(saved.read_bytes().replace(b'"msaestimator":"{', b'"msaestimator":"x'))
    with pytest.raises(CheckpointError, match=r"model\.safetensors.*truncated, altered"):
        read_tensors(saved)


def test_of_another_program(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="was not written by msaestimator"):
        read_tensors(path)


def test_not_safetensors_at_all(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("These are not the weights you are looking for.")
    with pytest.raises(CheckpointError, match="was not written by msaestimator"):
        read_tensors(path)


def test_absent(tmp_path):
    with pytest.raises(CheckpointError, match=r"There is no file .*nowhere"):
        read_tensors(tmp_path / "nowhere")
