"""The words of a fitted generalist as a table: which it knows, of how many stars, how far."""

from astropy.table import Table

from msaestimator.preprocessing import TokenReader
from msaestimator.results import describe_quantity
from msaestimator.schema import Token
from msaestimator.uncertainty import TokenCoverage

__all__ = ["list_words"]

MEANINGS = {
    "difference": "{0} - {1}",
    "over_g_flux": "{0}, over the G flux",
    "pseudo_luminosity": "{0} 10 ** ({1} / 5)",
}
"""Meanings of words that nobody has described, by their recipes, of the columns these take."""

ENDS_FORMAT = ".6g"


def list_words(reader: TokenReader, coverage: TokenCoverage | None) -> Table:
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
    if coverage is None:
        return table
    low, high = reader.unscaled(range(len(tokens)), coverage.range_)
    table.add_columns([coverage.n_known_, low, high], [5, 5, 5], ["n_stars", "low", "high"])
    for name in ("low", "high"):
        table[name].info.format = ENDS_FORMAT
    return table


def _meaning(token: Token) -> str:
    """Return what a word is, in words if anybody has described it."""
    described = describe_quantity(token.name)
    if described == token.name and token.recipe is not None:
        return MEANINGS[token.recipe].format(*token.columns)
    return described
