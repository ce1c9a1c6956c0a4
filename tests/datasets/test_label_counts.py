"""Several catalogues as one table, and its numbers in the form of the thesis's tables."""

import astropy.units as u
import numpy as np
import pytest
from label_files import ALLSTAR, ASTRONN, DATA, GALAH, LATENT

from msaestimator import datasets
from msaestimator.datasets import count_ages, count_labels, stack_labels
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

AS_IN_THESIS = {"alpha_m": "alpha_fe", "m_h": "fe_h"}


@pytest.fixture(scope="module")
def catalogues():
    """The thesis's catalogues, a few rows of each."""
    apogee = datasets.add_ages(
        datasets.read_apogee_dr17(DATA / ALLSTAR),
        datasets.read_leung2023(DATA / LATENT),
        datasets.read_mackereth2019(DATA / ASTRONN),
    )
    rave = [DATA / f"dr6_{name}.csv" for name in ("bdasp", "cnn", "x_gaiaedr3")]
    return [
        datasets.read_galah_dr4(DATA / GALAH),
        apogee,
        datasets.read_rave_dr6(*rave),
        datasets.read_li2022(DATA / "li2022.csv"),
    ]


def test_rows_stay_and_what_a_catalogue_lacks_is_missing(catalogues):
    stacked = stack_labels(catalogues)
    assert isinstance(stacked, StarTable)
    assert len(stacked) == sum(map(len, catalogues))
    start = 0
    for catalogue in catalogues:
        part = stacked[start : start + len(catalogue)]
        start += len(catalogue)
        for name in set(part.colnames) - {"age_catalogue"}:
            if name in catalogue.colnames:
                np.testing.assert_array_equal(part[name], catalogue[name])
            else:
                assert np.isnan(part[name]).all(), name
    for name in ("m_h", "alpha_fe", "age_err"):
        assert name in stacked.colnames
    assert "apogee_id" not in stacked.colnames


def test_labels_can_be_taken_as_others(catalogues):
    apart, together = stack_labels(catalogues), stack_labels(catalogues, AS_IN_THESIS)
    assert {"alpha_m", "m_h", "alpha_m_err"}.isdisjoint(together.colnames)
    for old, new in (("alpha_m", "alpha_fe"), ("m_h", "fe_h"), ("m_h_err", "fe_h_err")):
        either = np.where(np.isfinite(apart[new]), apart[new], apart[old])
        np.testing.assert_array_equal(together[new], either)
    assert "alpha_m" in catalogues[1].colnames


def test_wrong_labels(catalogues):
    with pytest.raises(ColumnError, match="Unknown label 'alpha'"):
        stack_labels(catalogues, {"alpha_m": "alpha"})
    both = StarTable({"source_id": [1], "survey": ["a"], "fe_h": [0] * u.dex, "m_h": [0] * u.dex})
    with pytest.raises(ColumnError, match="'m_h' is taken as 'fe_h' must not have both"):
        stack_labels([both], {"m_h": "fe_h"})


def test_counts_are_those_of_table_2_2(catalogues):
    """Against a loop over the rows."""
    stacked = stack_labels(catalogues, AS_IN_THESIS)
    counts = count_labels(stacked)
    surveys = ["galah", "apogee", "rave", "li2022"]
    assert counts["catalogue"].tolist() == [*surveys, "all rows", "different stars"]
    assert counts.colnames == ["catalogue", "n_stars", "teff", "logg", "fe_h", "alpha_fe", "age"]
    assert counts["n_stars"][:4].tolist() == [len(catalogue) for catalogue in catalogues]
    # One star is in GALAH and APOGEE, and one in GALAH and RAVE.
    assert counts["n_stars"][4:].tolist() == [len(stacked), len(stacked) - 2]
    for label in counts.colnames[2:]:
        rows = [
            (survey, star)
            for survey, star, value in zip(
                stacked["survey"], stacked["source_id"], stacked[label].value, strict=True
            )
            if not np.isnan(value)
        ]
        expected = [sum(one == survey for one, _ in rows) for survey in surveys]
        expected += [len(rows), len({star for _, star in rows})]
        assert counts[label].tolist() == expected


def test_only_stars_with_spectra_are_counted(catalogues):
    stacked = stack_labels(catalogues)
    with_xp = [2772097619417608704, 2660208219502547584, 99]
    counts = count_labels(stacked, with_xp)
    assert dict(zip(counts["catalogue"], counts["n_stars"], strict=True)) == {
        "galah": 1,
        "apogee": 1,
        "li2022": 1,
        "all rows": 3,
        "different stars": 2,
    }


def test_ages_are_counted_by_their_source(catalogues):
    counts = count_ages(stack_labels(catalogues))
    assert dict(zip(counts["catalogue"], counts["n_stars"], strict=True)) == {
        "galah": 6,
        "mackereth2019": 2,
        "leung2023": 1,
        "rave": 2,
        "all rows": 11,
        "different stars": 9,
    }
    with pytest.raises(ColumnError, match="must have the column 'age_catalogue'"):
        count_ages(stack_labels([catalogues[3]]))
