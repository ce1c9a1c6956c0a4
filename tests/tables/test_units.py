"""Units as tables write them, and the numbers that follow from them."""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.exceptions import UnitMismatchError
from msaestimator.tables import convert_unit, read_unit

ONE = np.array([1.0])


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mas.yr**-1", u.mas / u.yr),
        ("mas yr-1", u.mas / u.yr),
        ("mas/yr", u.mas / u.yr),
        ("Angle[mas]", u.mas),
        ("Magnitude[mag]", u.mag),
        ("Kelvin", u.K),
        ("Msun", u.Msun),
        ("", u.dimensionless_unscaled),
        ("---", u.dimensionless_unscaled),
        ("log(cm.s**-2)", u.dex(u.cm / u.s**2)),
        ("log(cgs)", u.dex(u.cm / u.s**2)),
        ("[cm/s2]", u.dex(u.cm / u.s**2)),
        ("dex(m/s2)", u.dex(u.m / u.s**2)),
        ("[yr]", u.dex(u.yr)),
        ("log(solMass)", u.dex(u.Msun)),
        ("[-]", u.dex),
        ("[Sun]", u.dex),
        ("dex", u.dex),
        (" mag ", u.mag),
    ],
)
def test_texts_of_units(text, unit):
    assert read_unit(text) == unit
    assert read_unit(u.UnrecognizedUnit(text)) == unit
    assert read_unit(unit) == unit


def test_text_that_is_no_unit():
    with pytest.raises(ValueError, match="'furlong/banana' is not a unit"):
        read_unit("furlong/banana")


@pytest.mark.parametrize(
    ("unit", "target", "log_of", "value"),
    [
        ("kK", "K", "", 1000.0),
        ("mmag", "mag", "", 0.001),
        (u.ABmag, "mag", "", 1.0),
        ("", "dex", "", 1.0),
        ("dex", "dex", "cm / s2", 1.0),
        ("dex(m/s2)", "dex", "cm / s2", 3.0),
        ("dex(m/s2)", "dex(cm/s2)", "", 3.0),
        ("[yr]", "Gyr", "", 1e-8),
        ("log(solMass)", "solMass", "", 10.0),
        (None, "K", "", 1.0),
    ],
)
def test_conversions(unit, target, log_of, value):
    assert convert_unit("x", ONE, unit, target, log_of=log_of)[0] == pytest.approx(value)


@given(st.floats(1e-3, 1e3), st.sampled_from(["m / s2", "km / h2", "cm / s2"]))
def test_a_logarithm_of_a_gravity_is_that_of_the_gravity(gravity, unit):
    stated = u.Quantity(gravity, unit)
    found = convert_unit("logg", np.log10([gravity]), u.dex(u.Unit(unit)), "dex", log_of="cm / s2")
    assert 10 ** found[0] == pytest.approx(stated.to_value("cm / s2"))


@pytest.mark.parametrize(
    ("unit", "target", "log_of", "message"),
    [
        ("furlong/banana", "K", "", "got 'furlong/banana', which is not a unit. Correct it"),
        ("Jy", "mag", "", "must be in mag .* got Jy .*A flux is not a magnitude"),
        ("electron/s", "mag", "", "A flux is not a magnitude"),
        ("K", "mag", "", r"got K \(temperature\). Convert the column or correct its unit"),
        ("", "mag", "", "got dimensionless .* State the column's unit, or none"),
        ("dex", "Gyr", "", r"A logarithm states its unit as dex\(yr\) does"),
        ("cm/s2", "dex", "cm / s2", r"If the values are logarithms, their unit is dex\(cm / s2\)"),
        ("log(s)", "dex", "cm / s2", r"must be in dex\(cm / s2\) .* got dex\(s\)"),
        ("log(s)", "dex", "", r"must be in dex .* got dex\(s\)"),
        ("log(K)", "Gyr", "", r"must be in Gyr .* got dex\(K\)"),
    ],
)
def test_what_cannot_be_converted_says_why(unit, target, log_of, message):
    with pytest.raises(UnitMismatchError, match=f"Column 'x' .*{message}"):
        convert_unit("x", ONE, unit, target, log_of=log_of)
