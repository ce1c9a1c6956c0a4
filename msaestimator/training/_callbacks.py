"""skorch callbacks that watch the training: a progress bar and a check of the loss."""

import math
import sys
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback
from tqdm.auto import tqdm

__all__ = ["FiniteLoss", "Progress"]


class Progress(Callback):
    """A progress bar over the epochs, with the latest losses."""

    def __init__(self, title: str) -> None:
        self.title = title

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Open the bar where a resumed run left off."""
        self.bar_ = tqdm(
            total=net.max_epochs,
            initial=min(len(net.history), net.max_epochs),
            desc=self.title,
            unit="epoch",
            file=sys.stderr,
        )

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Advance the bar."""
        latest = net.history[-1]
        losses = {
            key: f"{latest[key]:.4f}" for key in ("train_loss", "valid_loss") if key in latest
        }
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar_.close()
        del self.bar_

    def __getstate__(self) -> dict[str, Any]:
        return {"title": self.title}


class FiniteLoss(Callback):
    """Stop with an error when the loss is no longer a number."""

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Check the latest loss."""
        loss = net.history[-1, "batches", -1].get("train_loss", 0.0)
        if training and not math.isfinite(loss):
            raise FloatingPointError(
                f"The training loss must be finite, got {loss} in epoch {len(net.history)}. "
                "Lower the learning rate or clip gradients (`gradient_clip`)."
            )
