"""Stars: ``load_*`` ships with the package, ``make_*`` is known truth, ``read_*`` a catalogue."""

from msaestimator.datasets._apogee import load_apogee_xp
from msaestimator.datasets._apogee_ages import add_ages, read_leung2023, read_mackereth2019
from msaestimator.datasets._apogee_labels import fetch_apogee_dr17, read_apogee_dr17
from msaestimator.datasets._convert_stars import convert_stars
from msaestimator.datasets._fainter import make_fainter
from msaestimator.datasets._fainter_draws import draw_fainter
from msaestimator.datasets._galah_labels import read_galah_dr4
from msaestimator.datasets._hats import (
    HATS_INDEX,
    HATS_ORDER,
    hats_index,
    hats_partition,
    write_hats_metadata,
)
from msaestimator.datasets._isochrone_grid import IsochroneGrid, load_isochrone_grid
from msaestimator.datasets._isochrones import load_isochrones
from msaestimator.datasets._join import join_stars
from msaestimator.datasets._label_counts import count_ages, count_labels, stack_labels
from msaestimator.datasets._li_labels import read_li2022
from msaestimator.datasets._match_isochrones import match_isochrones
from msaestimator.datasets._mock import make_mock_survey
from msaestimator.datasets._mock_sky import make_mock_sky
from msaestimator.datasets._rave_labels import read_rave_dr6
from msaestimator.datasets._sky_mix import SkyMix
from msaestimator.datasets._split import split_by_source_id
from msaestimator.datasets._star_dataset import Fragment, StarDataset
from msaestimator.datasets._star_paths import star_paths
from msaestimator.datasets._training_set import build_training_set
from msaestimator.datasets._xp_sampling import XPSampling, load_xp_sampling

__all__ = [
    "HATS_INDEX",
    "HATS_ORDER",
    "Fragment",
    "IsochroneGrid",
    "SkyMix",
    "StarDataset",
    "XPSampling",
    "add_ages",
    "build_training_set",
    "convert_stars",
    "count_ages",
    "count_labels",
    "draw_fainter",
    "fetch_apogee_dr17",
    "hats_index",
    "hats_partition",
    "join_stars",
    "load_apogee_xp",
    "load_isochrone_grid",
    "load_isochrones",
    "load_xp_sampling",
    "make_fainter",
    "make_mock_sky",
    "make_mock_survey",
    "match_isochrones",
    "read_apogee_dr17",
    "read_galah_dr4",
    "read_leung2023",
    "read_li2022",
    "read_mackereth2019",
    "read_rave_dr6",
    "split_by_source_id",
    "stack_labels",
    "star_paths",
    "write_hats_metadata",
]
