"""The mean of the weights of many steps, which generalises better than the last ones."""

from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn

__all__ = ["AveragedWeights"]


class AveragedWeights(Callback):
    """Average the weights over the steps of the last epochs, and end the training with the mean.

    Parameters
    ----------
    start : float
        Fraction of the epochs after which steps count.

    References
    ----------
    Izmailov et al. (2018), *Averaging weights leads to wider optima and better generalization*,
    UAI.
    """

    def __init__(self, start: float) -> None:
        self.start = start

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Begin with no step."""
        self.mean_ = AveragedModel(net.module_, multi_avg_fn=get_swa_multi_avg_fn())

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Count a step's weights."""
        n_epochs_before = len(net.history) - 1
        if training and n_epochs_before >= self.start * net.max_epochs:
            self.mean_.update_parameters(net.module_)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Give the network the mean."""
        if self.mean_.n_averaged:
            net.module_.load_state_dict(self.mean_.module.state_dict())
        del self.mean_
