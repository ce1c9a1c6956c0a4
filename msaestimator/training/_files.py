"""Tensors and JSON in one safetensors file, written whole or not at all."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from msaestimator.exceptions import CheckpointError

__all__ = ["read_tensors", "write_bytes", "write_tensors"]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename it: readers see the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_tensors(path: Path, tensors: Mapping[str, Tensor], description: Any) -> None:
    """Write tensors with a JSON description of them in the file's header."""
    owned = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(path, save(owned, metadata={"msaestimator": json.dumps(description)}))


def read_tensors(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Tensor], Any]:
    """Return the tensors of a file and its description.

    Raises
    ------
    CheckpointError
        The file is truncated, altered or not one of ours; or it is a folder.
    """
    if path.is_dir():
        raise CheckpointError(f"{str(path)!r} must be a file, got a folder. Name a file in it.")
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            description = json.loads((file.metadata() or {})["msaestimator"])
            return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no file {str(path)!r}.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"The file {str(path)!r} is truncated, altered or was not written by msaestimator "
            f"({error}). Delete it, or restore it from a copy."
        ) from error
