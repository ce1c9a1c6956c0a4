"""Write the page of which column comes from which table of which service.

    python scripts/list_archive_columns.py

The page, ``docs/user_guide/archive_columns.rst``, is made of what the package itself asks for.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from msaestimator.archive import (
    COMPANIONS,
    RELEASES,
    SERVICES,
    ZERO_POINT_ERRORS,
    ArchiveColumn,
    ArchiveFlag,
    Companion,
    Survey,
)

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "archive_columns.rst"
RELEASE, NEXT_RELEASE = RELEASES["dr3"], RELEASES["dr4"]
TITLES = {
    "tmass": "2MASS",
    "ps1": "Pan-STARRS1 DR1",
    "sdss": "SDSS DR13",
    "skymapper": "SkyMapper DR2",
    "wise": "W1 and W2 of Andrae et al. (2023)",
}
INTRODUCTION = """\
.. Made by scripts/list_archive_columns.py; changes here are lost.

Columns of the archive
======================

What :class:`~msaestimator.archive.GaiaArchive` gives, where it is from, and what it is called
there. Tables have the names of ESA's archive; other services may have their own, see
`Other services`_. What a catalogue has not of a star is NaN or masked. For Gaia DR4, which is
not verified, read ``gaiadr4`` for ``gaiadr3``, and {n_bp} for the size of the arrays of BP.
"""
DERIVED = """\
Columns that are computed
-------------------------

``phot_g_mean_mag_error``, ``phot_bp_mean_mag_error``, ``phot_rp_mean_mag_error`` (mag)
    The archive has none. Here they are
    :math:`\\sqrt{{(1.0857 / s)^2 + z^2}}`, where :math:`s` is the column ``…_flux_over_error`` of
    the band and :math:`z` the error of its zero point in mag, {zero_points}.
``archive_flags``
    What there is to know of a row, bits of :class:`~msaestimator.archive.ArchiveFlag`:

    .. csv-table::
       :header: "Bit", "Name", "Meaning"

{flags}
``parallax_zero_point`` (mas)
    What ``parallax_correction`` has subtracted from ``parallax``, see
    :func:`~msaestimator.archive.correct_parallax`; absent without a correction.
``ebv`` (mag)
    Not of the archive: :func:`~msaestimator.dust.add_reddening` adds it from a
    :doc:`dust map <dust>`.

Magnitudes that a :class:`quality rule <msaestimator.archive.QualityRule>` calls bad are NaN.
"""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE)
    parser.parse_args().output.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page's text."""
    n_bp = NEXT_RELEASE.schema.arrays[0].size
    parts = [INTRODUCTION.format(n_bp=n_bp), gaia(), spectra()]
    parts += [survey_section(survey) for survey in RELEASE.surveys]
    parts += [companion_section(companion) for companion in COMPANIONS.values()]
    return "\n".join([*parts, derived(), other_services()])


def gaia() -> str:
    """Return the section on Gaia's own table."""
    return section("Gaia", f"From ``{RELEASE.source_table}``.", RELEASE.source)


def spectra() -> str:
    """Return the section on XP coefficients."""
    text = (
        "From DataLink at ESA (``XP_CONTINUOUS``), elsewhere from the table\n"
        f"``{RELEASE.xp_table}``. In the archive's units, an\n"
        "array a star."
    )
    return section("XP spectra", text, RELEASE.xp)


def survey_section(survey: Survey) -> str:
    """Return the section on a survey that the Gaia archive holds."""
    text = f"From ``{survey.table}``"
    if survey.match is None:
        text += f",\nwhose ``{survey.key}`` is Gaia's."
    else:
        text += (
            f",\nwhose ``{survey.key}`` is the ``original_ext_source_id`` of\n``{survey.match}``. "
            "Of several matches the nearest is taken."
        )
    return section(TITLES[survey.block], text, survey.columns)


def companion_section(companion: Companion) -> str:
    """Return the section on a survey asked at its own service."""
    text = (
        f"From ``{companion.table}`` at {companion.tap_url},\n"
        f'the companion ``"{companion.name}"``, '
    )
    if companion.key is None:
        text += f"the nearest within\n{3600 * companion.radius:g} arcsec of Gaia's position."
    else:
        text += f"whose\n``{companion.key}`` is Gaia's ``source_id``."
    text += f" It takes the place of {TITLES[companion.block]}."
    return section(companion.title, text, companion.columns)


def section(title: str, text: str, columns: Iterable[ArchiveColumn]) -> str:
    """Return a heading, a paragraph and a table of columns."""
    rows = "".join(f"   {row(column)}\n" for column in columns)
    return (
        f"{title}\n{'-' * len(title)}\n\n{text}\n\n"
        f'.. csv-table::\n   :header: "Column", "Unit or kind", "There"\n\n{rows}'
    )


def row(column: ArchiveColumn) -> str:
    """Return a column's line."""
    what = column.unit or ("" if column.kind == "float" else column.kind)
    if column.kind == "array":
        what = f"array of {column.size}"
    there = f"``{column.source}``" + (" of the match" if column.of_match else "")
    return f'"``{column.name}``", "{what}", "{there}"'


def derived() -> str:
    """Return the section on what is computed here."""
    zero_points = ", ".join(
        f"{error:.4f} in {band.upper()}" for band, error in ZERO_POINT_ERRORS.items()
    )
    flags = "".join(
        f'       "{flag.value}", "``{flag.name}``", "{flag.meaning}"\n' for flag in ArchiveFlag
    )
    return DERIVED.format(zero_points=zero_points, flags=flags)


def other_services() -> str:
    """Return the section on what other services call it."""
    title = "Other services"
    lines = [title, "-" * len(title), ""]
    for service in SERVICES.values():
        if service.surveys is not None:
            held = [TITLES[block] for block in service.surveys]
            lines.append(f"``{service.name}`` ({service.title})")
            lines.append(f"    Holds {' and '.join(['Gaia', *held])}.")
            for names in (service.tables, service.columns):
                lines += [
                    f"    ``{there}`` is called ``{here}``." for there, here in names.items()
                ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
