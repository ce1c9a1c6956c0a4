"""Double precision for tests of derivatives and formulas."""

import pytest
import torch


@pytest.fixture
def double():
    """Make new tensors and modules double precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
