"""Teff, log g and [Fe/H] from spectra, told more or less of them (section 4.1.1).

Beside boosted trees that are trained for each label on the first of the inputs. Stars are of
3,500-7,000 K.
"""

import numpy as np
from common.generalist import REAL, Known

from experiments.expert import ask_expert, complete
from experiments.setting import Setting
from experiments.told import EXPERT, STANDARD, answer_all, cell, draw_all

__all__ = ["run"]

LIMITS = {"teff": (3500.0, 7000.0), "logg": (-0.2, 5.0), "fe_h": (-2.2, 0.6)}


def run(setting: Setting) -> None:
    """Answer, score, draw."""
    test = setting.known
    test = test.rows(is_cool(test) & complete(test, STANDARD))
    learned = setting.learned.rows(is_cool(setting.learned))
    answers = answer_all(setting.model, test, list(LIMITS))
    rows = {
        label: {EXPERT: ask_expert(setting.options, learned, [test], label, STANDARD)[0], **panels}
        for label, panels in answers.items()
    }
    units = ("Teff, K", "log g", "[Fe/H]")
    table = setting.table("generalist_labels_from_spectra.inc", "told", *units)
    for title in rows["teff"]:
        table.add(title, *(cell(panels[title]) for panels in rows.values()))
    caption = f"{REAL}, {len(test.values)} of 3,500 to 7,000 K"
    setting.save(draw_all(rows, LIMITS), "labels_from_spectra", caption)


def is_cool(stars: Known) -> np.ndarray:
    """Return which stars are of 3,500-7,000 K."""
    low, high = LIMITS["teff"]
    return (stars["teff"] >= low) & (stars["teff"] <= high)
