"""Each choice that an estimator's parameters describe trains a network, several in one fit."""

import inspect
import re
from itertools import cycle, islice

import numpy as np
import pytest

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)

N_STARS = 60


def described_choices(kind):
    """Return the choices of parameters by name, as the docstring has them in braces."""
    text = inspect.getdoc(kind).replace("\\\n", " ")
    found = re.findall(r"^([a-z_, ]+) : \{([^}]+)\}", text, flags=re.MULTILINE)
    return {
        name: re.findall(r'"(\w+)"', choices)
        for names, choices in found
        for name in names.split(", ")
    }


def settings(kind):
    """Return few sets of parameters in which each choice is at least once."""
    choices = described_choices(kind)
    most = max(map(len, choices.values()))
    columns = [islice(cycle(values), most) for values in choices.values()]
    return [dict(zip(choices, row, strict=True)) for row in zip(*columns, strict=True)]


def every_setting(kind):
    return pytest.mark.parametrize("chosen", settings(kind), ids=lambda s: "-".join(s.values()))


@pytest.mark.parametrize(
    "kind", [MaskedStellarAutoencoder, StellarParameterRegressor, StellarFoundationModel]
)
def test_settings_have_every_choice(kind):
    for name, choices in described_choices(kind).items():
        assert len(choices) > 1
        assert {chosen[name] for chosen in settings(kind)} == set(choices)


@every_setting(MaskedStellarAutoencoder)
def test_autoencoder(chosen, make_msa, stars):
    model = make_msa(max_epochs=1, **chosen).fit(stars[:N_STARS])
    assert np.isfinite(model.transform(stars[:N_STARS])).all()


@every_setting(StellarParameterRegressor)
def test_regressor(chosen, make_regressor, msa, stars):
    model = make_regressor(msa, max_epochs=1, **chosen).fit(stars[:N_STARS])
    assert np.isfinite(model.predict(stars[:N_STARS])).all()


@every_setting(StellarFoundationModel)
def test_foundation_model(chosen, make_generalist, stars):
    model = make_generalist(max_epochs=1, **chosen).fit(stars[:N_STARS])
    assert np.isfinite(model.predict(stars[:N_STARS])).all()
