"""Network and loss that the parameters of a regressor ask for."""

from typing import Any

from msaestimator.estimators._fine_tuning import load_encoder
from msaestimator.networks import IndependentRegressors, QuantileHead, QuantileRegressor
from msaestimator.preprocessing import weights_of_labels
from msaestimator.training import EnsembleObjective, PredictionObjective, TaughtObjective

__all__ = ["build_regressor", "prediction_objective", "start_regressor"]


def build_regressor(regressor: Any) -> QuantileRegressor | IndependentRegressors:
    """Return an untrained network for the labels and the encoder that a regressor has."""
    if regressor.ensemble == "shared":
        return _build_network(regressor, regressor.n_members)
    return IndependentRegressors(
        [_build_network(regressor, 1) for _ in range(regressor.n_members)]
    )


def start_regressor(regressor: Any) -> QuantileRegressor | IndependentRegressors:
    """Return the network to fine-tune, with the weights of the pre-training."""
    module = build_regressor(regressor)
    # Without pre-training each independent member has its own first weights.
    if regressor.encoder is not None and regressor.teacher is None:
        load_encoder(module, regressor.encoder_)
    return module


def prediction_objective(
    regressor: Any, *, taught: bool = False
) -> PredictionObjective | TaughtObjective | EnsembleObjective:
    """Return the loss of a regressor's network, whichever its ensemble, with a teacher or not."""
    objective = PredictionObjective(
        regressor.quantiles,
        regressor.prediction_weight,
        regressor.reconstruction_weight,
        regressor.encoder_._objective(),
        weights_of_labels(regressor.label_weights, regressor.labels_),
        regressor.width_power,
    )
    of_one = TaughtObjective(objective) if taught else objective
    return of_one if regressor.ensemble == "shared" else EnsembleObjective(of_one)


def _build_network(regressor: Any, n_members: int) -> QuantileRegressor:
    head = QuantileHead(
        regressor.encoder_.hidden_widths[-1],
        len(regressor.labels_),
        tuple(regressor.head_widths),
        n_quantiles=len(regressor.intervals_.levels),
        n_members=n_members,
        dropout=regressor.dropout,
    )
    return QuantileRegressor(
        regressor.encoder_._build_module(), head, reconstructs=regressor.reconstruction_weight > 0
    )
