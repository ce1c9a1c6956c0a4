"""Label catalogues of a few rows, in the files and columns that the surveys publish.

``python tests/datasets/label_files.py`` writes those of ``tests/datasets/data``.
"""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import MaskedColumn, Table

DATA = Path(__file__).parent / "data"
ALLSTAR = "allStarLite-dr17-synspec_rev1.fits"
ASTRONN = "apogee_astroNN-DR17.fits"
LATENT = "nn_latent_age_dr17.csv"
GALAH = "galah_dr4_allstar_240705.fits"

# Name, Gaia id, field, (Teff, log g, [Fe/H], [alpha/M]) with errors. The second is a real row.
APOGEE_ROWS = [
    ("VESTA", 0, "asteroids", [5800, 4.4, 0.0, 0.0], [90, 0.08, 0.01, 0.01]),
    (
        "2M00000103+1525513",
        2772097619417608704,
        "107-46_MGA",
        [5945.750977, 4.123192, -0.26189, 0.012409],
        [44.246799, 0.033373, 0.008906, 0.012326],
    ),
    ("2M00000002+7417074", 538028216707715712, "120+12", [3700, 0.9, -0.16, 0.05], [6, 0.02] * 2),
    ("2M00000068+5710233", 1, "N7789", [4800, 2.5, -0.1, 0.02], [10, 0.03, 0.01, 0.01]),
    ("2M00000068+5710233", 1, "N7789_btx", [4810, 2.5, -0.1, 0.02], [10, 0.03, 0.01, 0.01]),
    ("2M23594733+5640020", 2, "NGC7789_btx", [4700, 2.4, 0.0, 0.03], [10, 0.03, 0.01, 0.01]),
    ("2M00000004+0000001", 3, "hot", [12000, 4.0, np.nan, np.nan], [300, 0.1, np.nan, np.nan]),
    ("2M00000005+0000001", 4, "bad", [np.nan] * 4, [np.nan] * 4),
]

# Id, (Teff, log g, [Fe/H]) with errors, age, and [X/Fe], error and flag of O, Mg, Si, Ca, Ti. The
# first four are real rows.
GALAH_ROWS = [
    (
        4922452332795612416,
        [4900.511719, 4.464450, -1.032346],
        [72.155556, 0.102015, 0.065797],
        0.017005,
        [-0.609371, 0.547101, 0.509686, 0.299335, 0.409032],
        [0.107515, 0.028480, 0.031545, 0.022407, 0.023718],
        [1, 0, 0, 0, 0],
    ),
    (
        4919409709243747968,
        [5543.346191, 4.175371, -0.654349],
        [73.427536, 0.102718, 0.064612],
        13.842698,
        [0.606802, 0.314835, 0.154494, 0.211488, 0.176670],
        [0.085970, 0.036247, 0.023974, 0.035040, 0.026885],
        [0] * 5,
    ),
    (3900956037171845888, [np.nan] * 3, [np.nan] * 3, np.nan, [np.nan] * 5, [np.nan] * 5, [2] * 5),
    (
        1823067317695766784,
        [3983.621582, 1.188985, -0.239987],
        [66.341682, np.nan, 0.053988],
        4.350832,
        [0.111740, 0.055873, 0.117872, 0.116577, 0.110432],
        [0.006019, 0.007980, 0.004919, 0.014111, 0.003514],
        [0] * 5,
    ),
    (5, [5000, 4, 0.0], [70, 0.1, 0.05], 5.0, [0.4, 0.1, 0.2, 9, 0.3], [0.1] * 5, [0, 0, 0, 8, 1]),
    (6, [5000, 4.5, 0.0], [70, 0.1, 0.05], 5.0, [0.4] * 5, [0.1] * 5, [2, 16, 32, 33, 4]),
    (7, [5100, 4.4, 0.1], [70, 0.1, 0.05], 5.0, [0.0] * 5, [0.1] * 5, [0] * 5),
    (7, [5110, 4.4, 0.1], [70, 0.1, 0.05], 5.0, [0.0] * 5, [0.1] * 5, [0] * 5),
    (2772097619417608704, [5900, 4.2, -0.3], [70, 0.1, 0.05], 6.0, [0.1] * 5, [0.1] * 5, [0] * 5),
]  # fmt: skip

# Name, age_lowess_correct, age_total_error; the second is a real row.
ASTRONN_ROWS = [
    ("VESTA", np.nan, np.nan),
    ("2M00000002+7417074", 6.521422, 3.875223),
    ("2M00000103+1525513", 7.0, 2.0),
    ("2M23594733+5640020", 9.0, 2.0),
    ("2M00000002+7417074", 6.4, 3.8),
]
# The first and the last are real rows.
LATENT_FILE = """\
APOGEE_ID,TELESCOPE,FIELD,STARFLAG,ASPCAPFLAG,z0,z1,z2,z3,z4,Age,Age_Error,LogAge,LogAge_Error
2M00000068+5710233,apo25m,N7789,0,0.0,0.109831,2.783816,0.490213,0.129695,0.558129,3.713866,1.315107,0.569826,0.138561
2M00000002+7417074,apo25m,120+12,3072,64.0,0.1,0.1,0.1,0.1,0.1,6.0,1.0,0.78,0.07
2M00000103+1525513,apo25m,107-46_MGA,0,,,,,,,,,,
2M00000004+0000001,apo25m,hot,0,0.0,0.1,0.1,0.1,0.1,0.1,5.0,2.0,0.7,0.2
2M00000068+5710233,apo25m,N7789_btx,0,0.0,0.1,2.8,0.5,0.1,0.6,3.6,1.3,0.56,0.14
2M23594733+5640020,apo25m,NGC7789_btx,0,0.0,-0.387422,1.216002,0.015684,-0.532662,0.586736,3.322011,0.391614,0.521401,0.057360
"""  # fmt: skip

RAVE_FILES = {
    "dr6_bdasp.csv": """\
rave_obs_id,teff_bdasp,teff_error_bdasp,logg_bdasp,logg_error_bdasp,m_h_bdasp,m_h_error_bdasp,age_bdasp,age_error_bdasp
20030411_1507m23_001,5800.0,80.0,4.3,0.06,-0.10,0.11,5.5,2.5
20030411_1507m23_002,4900.0,70.0,2.6,0.10,-0.30,0.12,7.5,3.0
20100313_0823m14_113,5100.0,75.0,3.1,0.09,0.05,0.10,2.0,1.0
20100314_0823m14_113,5120.0,75.0,3.1,0.09,0.05,0.10,2.0,1.0
20100315_0823m14_007,6100.0,90.0,4.1,0.07,-0.20,0.12,3.0,1.5
""",
    "dr6_cnn.csv": """\
rave_obs_id,source_id,alpha_m_cnn,alpha_m_error_cnn
20030411_1507m23_001,11,0.08,0.03
20100313_0823m14_113,13,0.02,0.03
""",
    "dr6_x_gaiaedr3.csv": """\
source_id,rave_obs_id,parallax
4919409709243747968,20030411_1507m23_001,4.1
12,20030411_1507m23_002,1.2
13,20100313_0823m14_113,2.2
13,20100314_0823m14_113,2.2
,20100315_0823m14_007,
""",
}
# Real values, whose layout is VizieR's manner of writing.
LI_FILE = """\
Name,Source,Teff,e_Teff,log(g),e_log(g),[Fe/H],e_[Fe/H]
star 1,2660208219502547584,5035,28,2.05,0.06,-2.43,0.12
star 2,2821294236410574080,4736,35,1.74,0.12,-3.22,0.11
star 3,2866981452805072640,4864,39,1.88,0.05,-2.36,0.10
"""


def write_label_files(folder):
    """Write every catalogue."""
    _write_allstar(folder / ALLSTAR)
    _write_galah(folder / GALAH)
    _write_astronn(folder / ASTRONN)
    (folder / LATENT).write_text(LATENT_FILE)
    for name, text in RAVE_FILES.items():
        (folder / name).write_text(text)
    (folder / "li2022.csv").write_text(LI_FILE)


def columns_of(catalogue):
    """Return {name: kind} of the columns of a published file."""
    lines = (DATA / f"{catalogue}_columns.csv").read_text().splitlines()[1:]
    return dict(line.split(",") for line in lines)


def _empty(catalogue, rows):
    """Return a table with every column of a published file, and nothing in them."""
    blank = {"text": " ", "integer": np.int32(0), "float": np.float32(np.nan)}
    return Table({n: np.full(rows, blank[kind]) for n, kind in columns_of(catalogue).items()})


def _write_allstar(path):
    names, ids, fields, labels, errors = zip(*APOGEE_ROWS, strict=True)
    rows = len(names)
    table = _empty("allstar", rows)
    table["APOGEE_ID"], table["GAIAEDR3_SOURCE_ID"], table["FIELD"] = names, ids, fields
    for place, name in enumerate(("TEFF", "LOGG", "FE_H", "ALPHA_M")):
        table[name] = np.array(labels, dtype=np.float32)[:, place]
        table[f"{name}_ERR"] = np.array(errors, dtype=np.float32)[:, place]
    table["PARAM"] = np.zeros((rows, 9), dtype=np.float32)
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU(table)]
    # As in the real file, notes about the grids and elements come after.
    hdus += [fits.BinTableHDU(Table({"PARAM_SYMBOL": ["TEFF"]})) for _ in range(2)]
    fits.HDUList(hdus).writeto(path, overwrite=True)


def _write_galah(path):
    ids, labels, errors, ages, abundances, their_errors, flags = zip(*GALAH_ROWS, strict=True)
    rows = len(ids)
    table = _empty("galah", rows)
    table["sobject_id"], table["gaiadr3_source_id"], table["age"] = range(rows), ids, ages
    for place, name in enumerate(("teff", "logg", "fe_h")):
        table[name], table[f"e_{name}"] = np.array(labels)[:, place], np.array(errors)[:, place]
    for place, element in enumerate(("o", "mg", "si", "ca", "ti")):
        table[f"{element}_fe"] = np.array(abundances)[:, place]
        table[f"e_{element}_fe"] = np.array(their_errors)[:, place]
        table[f"flag_{element}_fe"] = np.array(flags, dtype=np.int16)[:, place]
    table["teff"].unit, table["age"].unit = "K", "Gyr"
    table["flag_a_li"] = MaskedColumn(np.zeros(rows, dtype=np.int32), mask=np.array(ages) != ages)
    fits.BinTableHDU(table).writeto(path, overwrite=True)


def _write_astronn(path):
    names, ages, errors = zip(*ASTRONN_ROWS, strict=True)
    table = _empty("astronn", len(names))
    table["APOGEE_ID"] = names
    table["age_lowess_correct"], table["age_total_error"] = ages, errors
    table["source_id"] = np.full(len(names), -1)
    fits.BinTableHDU(table).writeto(path, overwrite=True)


if __name__ == "__main__":
    write_label_files(DATA)
