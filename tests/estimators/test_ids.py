"""Every id that goes in comes out, exact, whatever the stars come in."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from msaestimator.exceptions import ColumnError
from msaestimator.tables import check_source_ids, read_stars, source_ids_of, write_stars
from msaestimator.tables._file_formats import FORMATS

N = 6
IDS = [2**53 + 1, 2**63 - 1, 5937083312263887617, 4242, 2**53 + 1, 464858539679433345]
GONE = np.array([False, True, False, False, False, True])
KNOWN = [None if gone else one for one, gone in zip(IDS, GONE, strict=True)]


@pytest.fixture(scope="module")
def frame(stars, to_frame):
    """Six stars without ids, one column a number."""
    return to_frame(stars[:N]).drop(columns="source_id")


def with_ids(frame, ids):
    return pd.concat([frame, pd.Series(ids, name="source_id", index=frame.index)], axis=1)


def records(frame):
    return with_ids(frame, pd.Series(IDS, dtype="int64")).to_records(index=False)


def interchange(frame):
    class Other:
        """A table of a library that is none of those known here."""

        def __init__(self, table):
            self._table = table

        def __dataframe__(self, **options):
            return self._table.__dataframe__(**options)

    return Other(pa.table(with_ids(frame, IDS)))


def astropy_table(frame, ids, kind=Table):
    table = kind({name: frame[name].to_numpy() for name in frame})
    table["source_id"] = ids
    return table


CONTAINERS = {
    "Table": lambda f: astropy_table(f, IDS),
    "QTable": lambda f: astropy_table(f, IDS, QTable),
    "Table of unsigned": lambda f: astropy_table(f, np.array(IDS, np.uint64)),
    "Table of text": lambda f: astropy_table(f, [f"Gaia DR3 {one}" for one in IDS]),
    "Table of (n, 1)": lambda f: astropy_table(f, np.reshape(IDS, (-1, 1))),
    "int64": lambda f: with_ids(f, pd.Series(IDS, dtype="int64")),
    "Int64": lambda f: with_ids(f, pd.Series(IDS, dtype="Int64")),
    "uint64": lambda f: with_ids(f, pd.Series(IDS, dtype="uint64")),
    "objects": lambda f: with_ids(f, pd.Series(IDS, dtype=object)),
    "text": lambda f: with_ids(f, pd.Series(map(str, IDS), dtype="str")),
    "pandas of Arrow": lambda f: with_ids(f, pd.Series(IDS, dtype=pd.ArrowDtype(pa.int64()))),
    "index": lambda f: with_ids(f, IDS).set_index("source_id"),
    "Arrow": lambda f: pa.table(with_ids(f, IDS)),
    "Arrow of text": lambda f: pa.table(with_ids(f, [str(one) for one in IDS])),
    "records": records,
    "structured array": lambda f: np.array(records(f)),
    "dict": lambda f: with_ids(f, IDS).to_dict("list"),
    "list of dicts": lambda f: with_ids(f, pd.Series(IDS, dtype=object)).to_dict("records"),
    "dataframe protocol": interchange,
    "FITS HDU": lambda f: fits.BinTableHDU(astropy_table(f, IDS)),
    "FITS records": lambda f: fits.BinTableHDU(astropy_table(f, IDS)).data,
}
MASKED = {
    "masked Table": lambda f: astropy_table(f, MaskedColumn(IDS, mask=GONE)),
    "masked QTable": lambda f: astropy_table(f, MaskedColumn(IDS, mask=GONE), QTable),
    "FITS HDU": lambda f: fits.BinTableHDU(astropy_table(f, MaskedColumn(IDS, mask=GONE))),
    "FITS records": lambda f: (
        fits.BinTableHDU(astropy_table(f, MaskedColumn(IDS, mask=GONE))).data
    ),
    "Masked": lambda f: astropy_table(f, Masked(np.array(IDS), mask=GONE), QTable),
    "Int64": lambda f: with_ids(f, pd.Series(KNOWN, dtype="Int64")),
    "objects": lambda f: with_ids(f, pd.Series(KNOWN, dtype=object)),
    "objects with NaN": lambda f: with_ids(f, pd.Series(IDS, dtype=object).mask(GONE, np.nan)),
    "text": lambda f: with_ids(f, pd.Series(map(str, IDS), dtype="str").mask(GONE)),
    "pandas of Arrow": lambda f: with_ids(f, pd.Series(KNOWN, dtype=pd.ArrowDtype(pa.int64()))),
    "Arrow": lambda f: pa.table(f).append_column("source_id", pa.array(KNOWN, pa.int64())),
    "dict": lambda f: {**f.to_dict("list"), "source_id": KNOWN},
    "list of dicts": lambda f: with_ids(f, pd.Series(KNOWN, dtype=object)).to_dict("records"),
}
FLOATS = {
    "Table": lambda f: astropy_table(f, np.array(IDS, float)),
    "DataFrame": lambda f: with_ids(f, np.array(IDS, float)),
    "DataFrame with gaps": lambda f: with_ids(f, KNOWN).astype({"source_id": float}),
    "index": lambda f: with_ids(f, np.array(IDS, float)).set_index("source_id"),
    "Arrow": lambda f: pa.table(with_ids(f, np.array(IDS, float))),
}


@pytest.fixture(params=["predict_table", "request"])
def ask(request, regressor, generalist):
    """Return a function that asks a model for a table."""
    if request.param == "predict_table":
        return regressor.predict_table
    return lambda stars: generalist.request(stars, "teff", inputs="color")


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_every_id_comes_out_of_every_container(ask, frame, make):
    ids = ask(make(frame))["source_id"]
    assert (ids.dtype, ids.tolist()) == (np.int64, IDS)
    assert not isinstance(ids, MaskedColumn)


@pytest.mark.parametrize("make", MASKED.values(), ids=MASKED)
def test_missing_ids_come_out_masked(ask, frame, make):
    ids = ask(make(frame))["source_id"]
    assert (ids.dtype, ids.tolist()) == (np.int64, KNOWN)
    assert isinstance(ids, MaskedColumn)
    assert ids.mask.tolist() == GONE.tolist()
    assert not ids.data[GONE].any()


def test_polars(ask, frame):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame(frame.to_dict("list"))
    for ids in (IDS, KNOWN):
        with_them = table.with_columns(pl.Series("source_id", ids, dtype=pl.Int64))
        assert ask(with_them)["source_id"].tolist() == ids


@pytest.mark.parametrize("make", FLOATS.values(), ids=FLOATS)
def test_floats_are_refused_before_any_work(ask, frame, make, monkeypatch, regressor, generalist):
    for reader in (regressor.reader_, generalist.reader_):
        monkeypatch.setattr(type(reader), "transform", None)
    with pytest.raises(ColumnError) as raised:
        ask(make(frame))
    message = str(raised.value)
    assert message.startswith("Column 'source_id' must be integers")
    assert "2**53" in message
    assert "'Int64' if some are missing" in message


def test_stars_without_ids_have_none_in_the_answer(ask, frame):
    assert "source_id" not in ask(frame).colnames


def test_spectra_keep_ids_that_are_missing(generalist, stars):
    some = stars[:N]
    some["source_id"] = MaskedColumn(IDS, mask=GONE)
    assert generalist.spectrum(some)["source_id"].tolist() == KNOWN


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("ids", [IDS, MaskedColumn(IDS, mask=GONE)], ids=["known", "masked"])
def test_ids_go_through_files_of_every_format(regressor, frame, tmp_path, ending, ids):
    """From the stars' file to that of the answer, and back."""
    stars, answer = tmp_path / f"stars{ending}", tmp_path / f"answer{ending}"
    write_stars(astropy_table(frame, ids), stars)
    write_stars(regressor.predict_table(read_stars(stars)), answer)
    out = read_stars(answer)
    assert out["source_id"].tolist() == list(KNOWN if isinstance(ids, MaskedColumn) else IDS)
    assert out["source_id"].dtype.kind == "i"
    assert source_ids_of(out).tolist() == out["source_id"].tolist()


@pytest.mark.parametrize("ending", FORMATS)
def test_text_of_ids_goes_through_files_of_every_format(tmp_path, ending):
    texts = [f"Gaia DR3 {one}" for one in IDS]
    write_stars(Table({"source_id": texts, "ra": np.ones(N)}), tmp_path / f"ids{ending}")
    table = read_stars(tmp_path / f"ids{ending}")
    assert source_ids_of(table).tolist() == check_source_ids(table).tolist() == IDS
