"""The words of the generalist model: quantities of a star that can be told and asked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import astropy.units as u

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema._feature_schema import FeatureSchema
from msaestimator.schema._gaia import G_BAND, GAIA_DR3
from msaestimator.schema._labels import LABELS

__all__ = ["COLOR", "GENERALIST", "RELATIVE", "ZHANG2026", "Token", "Vocabulary", "vocabulary_of"]

RELATIVE = "relative_"
"""Prefix of a coefficient's name once it is divided by the G flux: ``relative_bp_1``."""

COLOR = "color_"
"""Prefix of a band's name in its colour, G less the band: ``color_j_m``."""

_RECIPES = ("difference", "over_g_flux", "pseudo_luminosity")


@dataclass(frozen=True)
class Token:
    """One quantity of a star that can be told or asked.

    Parameters
    ----------
    name : str
        Column that holds the quantity in a table, e.g. ``"teff"``.
    unit : str
        Unit as astropy writes it; the empty string is dimensionless.
    block : str
        Group that the token belongs to; training hides some groups as a whole.
    log : bool
        Whether the quantity is learned as a logarithm; values that are not positive are then
        missing.
    recipe : {None, "difference", "over_g_flux", "pseudo_luminosity"}
        Rule by which the quantity follows from other columns, for tables without a column of its
        name.
    columns : tuple of str
        Columns that the recipe takes.
    floor : float, optional
        Least value; smaller ones are raised to it.
    error_floor : float
        Error that is added in quadrature.
    weight : float
        Frequency at which training shows the token and asks for it, relative to others of its
        block.
    requested : bool
        Whether training asks for the token; it can always be told.

    Raises
    ------
    ColumnError
        Astropy does not know the unit; a recipe is unknown or lacks one of its two columns.
    """

    name: str
    unit: str = ""
    block: str = "user"
    log: bool = False
    recipe: str | None = None
    columns: tuple[str, ...] = ()
    floor: float | None = None
    error_floor: float = 0.0
    weight: float = 1.0
    requested: bool = True

    def __post_init__(self) -> None:
        try:
            u.Unit(self.unit)
        except (TypeError, ValueError) as error:
            raise ColumnError(
                f"The unit of {self.name!r} must be one of astropy's, got {self.unit!r}: {error}"
            ) from error
        if self.recipe is not None and (self.recipe not in _RECIPES or len(self.columns) != 2):
            raise ColumnError(
                f"The recipe of {self.name!r} must be one of {', '.join(_RECIPES)}, of two "
                f"columns, got {self.recipe!r} of {self.columns}."
            )

    @property
    def error(self) -> str:
        """Name of the column with the standard error."""
        return f"{self.name}_err"


@dataclass(frozen=True)
class Vocabulary:
    """The quantities that a generalist model knows, in order, addressed by name.

    Parameters
    ----------
    tokens : tuple of Token

    Examples
    --------
    >>> from msaestimator.schema import GENERALIST, ZHANG2026, Token
    >>> len(ZHANG2026), ZHANG2026["age"].unit
    (120, 'Gyr')
    >>> len(ZHANG2026.with_tokens(Token("vsini", "km / s")))
    121
    """

    tokens: tuple[Token, ...]

    def __post_init__(self) -> None:
        names = [token.name for token in self.tokens]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ColumnError(
                f"A vocabulary's tokens must have distinct names, got {twice} twice."
            )

    @cached_property
    def _position(self) -> dict[str, int]:
        return {token.name: position for position, token in enumerate(self.tokens)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tokens, in order."""
        return tuple(self._position)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, name: object) -> bool:
        return name in self._position

    def __getitem__(self, name: str) -> Token:
        return self.tokens[self.index([name])[0]]

    def index(self, names: Iterable[str], further: Iterable[str] = ()) -> list[int]:
        """Return the positions of tokens; an unknown one is an error with the nearest name.

        Parameters
        ----------
        names : iterable of str
        further : iterable of str
            Names that would have been understood in their place, for the error.
        """
        names = list(names)
        for name in names:
            if name not in self._position:
                near = did_you_mean(str(name), (*self.names, *further)) or (
                    f" It has {', '.join(n for n in self.names if not n.startswith(RELATIVE))}."
                )
                raise ColumnError(
                    f"The vocabulary of {len(self)} tokens has no {name!r}.{near} Add it with "
                    f"vocabulary.with_tokens(Token({name!r}, unit=...)) before fitting."
                )
        return [self._position[name] for name in names]

    def with_tokens(self, *tokens: Token) -> "Vocabulary":
        """Return a vocabulary with further tokens after the present ones."""
        return Vocabulary(self.tokens + tokens)


_COLORS = (
    # Leung & Bovy's code: the zero points of BP and RP are uncertain by these, in mag, and
    # of the three colours only J - H is ever asked for.
    Token(
        "bp_rp",
        "mag",
        "color",
        recipe="difference",
        columns=("phot_bp_mean_mag", "phot_rp_mean_mag"),
        error_floor=(0.00279**2 + 0.003779**2) ** 0.5,
        requested=False,
    ),
    Token("j_h", "mag", "color", recipe="difference", columns=("j_m", "h_m")),
    Token("j_ks", "mag", "color", recipe="difference", columns=("j_m", "ks_m"), requested=False),
)
_BRIGHTNESS = Token(G_BAND, "mag", "brightness", requested=False)
_REDDENING = Token("ebv", "mag", "dust", log=True, floor=9.118819655545162e-4)  # exp(-7)
_LUMINOSITY = Token(
    "pseudo_luminosity",
    "",
    "luminosity",
    recipe="pseudo_luminosity",
    columns=("parallax", G_BAND),
)


_SURVEYS = {"gaia": "color", "tmass": "color", "wise": "color"} | {
    survey: survey for survey in ("ps1", "sdss", "skymapper")
}
"""Blocks of the colours of each survey's bands."""


def _coefficients(schema: FeatureSchema) -> tuple[Token, ...]:
    """Return the XP coefficients; basis functions are ordered by what they hold of spectra."""
    return tuple(
        Token(
            f"{RELATIVE}{column.name}",
            block=array.prefix,
            recipe="over_g_flux",
            columns=(column.name, G_BAND),
            weight=1.0 / order,
        )
        for array in schema.arrays
        for order, column in enumerate(array.columns, start=1)
    )


def _survey_colors(schema: FeatureSchema) -> Iterator[Token]:
    """Yield G less each other band; those of Gaia and of infrared surveys are one block."""
    for column in schema.columns:
        if column.unit == "mag" and column.block in _SURVEYS and column.name != G_BAND:
            yield Token(
                f"{COLOR}{column.name}",
                "mag",
                _SURVEYS[column.block],
                recipe="difference",
                columns=(G_BAND, column.name),
            )


def vocabulary_of(schema: FeatureSchema) -> Vocabulary:
    """Return the vocabulary of a schema's stars.

    Parameters
    ----------
    schema : FeatureSchema

    Returns
    -------
    Vocabulary
        Tokens of every XP coefficient over the G flux; of the colours BP - RP, J - H, J - Ks, and
        G less each band; of G itself, which is told and never asked; of E(B-V) and the
        pseudo-luminosity if the schema has their columns; of its columns of the block ``"user"``;
        and of the labels of `LABELS`, except the parallax.
    """
    colors = (replace(color, requested=True) for color in _COLORS)
    derived = (*colors, *_survey_colors(schema), _LUMINOSITY)
    return Vocabulary(
        (
            *_coefficients(schema),
            *(t for t in derived if all(column in schema for column in t.columns)),
            *([_BRIGHTNESS] if G_BAND in schema else []),
            *([_REDDENING] if "ebv" in schema else []),
            *(Token(c.name, c.unit) for c in schema.columns if c.block == "user"),
            *(
                Token(label.name, label.unit, "label", log=label.log)
                for label in LABELS.values()
                if label.name not in schema
            ),
        )
    )


# DIFF(zhang2026): more labels, logarithms of what spans decades, colours of all surveys, every
# one asked for, G to tell how noisy the rest is, and first coefficients more often.
GENERALIST = vocabulary_of(GAIA_DR3)
"""Vocabulary that the generalist model has by default."""

ZHANG2026 = Vocabulary(
    (
        *(replace(token, weight=1.0) for token in _coefficients(GAIA_DR3)),
        *_COLORS,
        Token("teff", "K", "label"),
        Token("logg", "dex", "label"),
        Token("m_h", "dex", "label"),
        _REDDENING,
        _LUMINOSITY,
        Token("mass", "solMass", "label"),
        Token("age", "Gyr", "label", log=True),
    )
)
"""The 120 tokens of Zhang et al. (2026), section 2.3; which are logarithms, and which colours
are asked for, is as in their parent's code (Leung & Bovy 2024)."""
