"""The released models know that a star farther away is farther away."""

import numpy as np
import pytest

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp, make_fainter


@pytest.mark.parametrize("growth", [2.0, 4.0])
def test_a_parallax_shrinks_with_the_distance(growth):
    stars = load_apogee_xp("test")[::20]
    stars = stars[stars["phot_g_mean_mag"].value < 13.0]
    regressor = StellarParameterRegressor.from_pretrained("gaia-xp")
    farther = make_fainter(stars, stars["phot_g_mean_mag"].value + growth, random_state=0)
    near, far = (np.asarray(regressor.predict_table(s)["parallax"]) for s in (stars, farther))
    assert np.median(np.log10(near / far)) == pytest.approx(0.2 * growth, abs=0.05)
