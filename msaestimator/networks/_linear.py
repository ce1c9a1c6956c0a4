"""Linear layers that oneDNN computes on a CPU, where torch's own may use half its vectors."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Linear"]


class Linear(nn.Linear):
    """A linear layer as torch's, computed by oneDNN in single precision on a CPU.

    torch calls MKL for it, which leaves half of the vector width of processors of other makers
    than Intel unused; the two differ by rounding. torch's switch of oneDNN,
    ``torch.backends.mkldnn.flags(enabled=False)``, leaves the layer to torch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the product with the weights, and the bias."""
        if not self._is_for_onednn(x):
            return super().forward(x)
        if torch.is_grad_enabled():
            return F.linear(x.to_mkldnn(), self.weight, self.bias).to_dense()
        # Inductor's operation, which has no derivative and needs no copies.
        product = torch.ops.mkldnn._linear_pointwise
        return cast(Tensor, product(x, self.weight, self.bias, "none", [], ""))

    def _is_for_onednn(self, x: Tensor) -> bool:
        return (
            torch.backends.mkldnn.is_available()
            and bool(torch.backends.mkldnn.enabled)
            and x.device.type == "cpu"
            and x.dtype == self.weight.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and x.dim() > 1
            and x.numel() > 0
        )
