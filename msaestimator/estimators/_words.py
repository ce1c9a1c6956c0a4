"""The words of a fitted generalist as a table: which it knows, of how many stars, how far."""

import numpy as np
from astropy.table import Table

from msaestimator.preprocessing import TokenReader
from msaestimator.results import describe_quantity
from msaestimator.schema import Token
from msaestimator.uncertainty import ErrorCalibration, TokenCoverage

__all__ = ["list_words"]

MEANINGS = {
    "difference": "{0} - {1}",
    "over_g_flux": "{0}, over the G flux",
    "pseudo_luminosity": "{0} 10 ** ({1} / 5)",
}
"""Meanings of words that nobody has described, by their recipes, of the columns these take."""

FORMAT = ".6g"


def list_words(
    reader: TokenReader, coverage: TokenCoverage | None, calibration: ErrorCalibration | None
) -> Table:
    """Return the words of a vocabulary as `StellarFoundationModel.words` describes them."""
    tokens, is_trained = reader.vocabulary_.tokens, reader.is_trained_
    table = Table(
        {
            "name": [token.name for token in tokens],
            "unit": [token.unit for token in tokens],
            "block": [token.block for token in tokens],
            "can_be_told": is_trained,
            "can_be_asked": is_trained & [t.requested and t.weight > 0 for t in tokens],
            "description": [_meaning(token) for token in tokens],
        }
    )
    further: dict[str, np.ndarray] = {}
    if coverage is not None:
        low, high = reader.unscaled(range(len(tokens)), coverage.range_)
        further |= {"n_stars": coverage.n_known_, "low": low, "high": high}
    if calibration is not None and calibration.typical_errors_ is not None:
        scaled = calibration.typical_errors_
        at_median = reader.scaler_.inverse_transform_errors(np.zeros(len(tokens)), scaled)
        further["typical_error"] = at_median
    place = table.colnames.index("description")
    for name, values in further.items():
        table.add_column(values, name=name, index=place)
        place += 1
        if values.dtype.kind == "f":
            table[name].info.format = FORMAT
    return table


def _meaning(token: Token) -> str:
    """Return what a word is, in words if anybody has described it."""
    described = describe_quantity(token.name)
    if described == token.name and token.recipe is not None:
        return MEANINGS[token.recipe].format(*token.columns)
    return described
