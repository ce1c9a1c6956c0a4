"""A loopback archive: TAP 1.1 with uploads and jobs, DataLink, and faults on demand."""

from standin._database import Database
from standin._server import StandIn

__all__ = ["Database", "StandIn"]
