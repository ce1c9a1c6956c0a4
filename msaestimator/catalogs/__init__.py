"""A fitted model over files on disk: the runner, HATS output, the adapter of LSDB and Dask."""

from msaestimator.catalogs._batch_predictor import BatchPredictor
from msaestimator.catalogs._partition_predictor import PartitionPredictor
from msaestimator.catalogs._predict_catalog import predict_catalog
from msaestimator.catalogs._report import CatalogReport, Failure

__all__ = [
    "BatchPredictor",
    "CatalogReport",
    "Failure",
    "PartitionPredictor",
    "predict_catalog",
]
