"""skorch callbacks that watch the training: a progress bar and a check of the loss."""

import math
import sys
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from msaestimator.exceptions import DivergedError

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


EXPLODED = 1e6
"""Number of times by which a loss that has exploded exceeds the first batch's, or one."""


class FiniteLoss(Callback):
    """Stop with an error when the loss is no longer a number, or has exploded."""

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Begin without a loss to compare with."""
        self.limit_ = math.inf

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Begin with the first batch."""
        self.n_checked_ = 0

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Check the losses that are new."""
        batches = net.history[-1]["batches"] if training else []
        for number, batch in enumerate(batches[self.n_checked_ :], self.n_checked_):
            loss = batch.get("train_loss")
            if loss is None:
                return
            if math.isinf(self.limit_):
                self.limit_ = EXPLODED * max(1.0, abs(loss))
            if not abs(loss) <= self.limit_ or math.isinf(loss):
                raise DivergedError(loss, epoch=len(net.history), batch=number)
            self.n_checked_ = number + 1
