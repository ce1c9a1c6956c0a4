"""The server: where it listens, what it was asked, what is to go wrong next."""

import sys
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any, Self

from standin._database import Database
from standin._datalink import N_CORRELATIONS
from standin._handler import Handler
from standin._jobs import Job
from standin._requests import Request
from standin.faults import Fault, JobError, JobNeverEnds

__all__ = ["StandIn"]

_NO_FAULT = Fault()


@dataclass
class _Injection:
    fault: Fault
    on: str
    times: int
    after: int

    def meets(self, kind: str) -> bool:
        """Whether it is for such a request; faults of jobs wait for one to be started."""
        if isinstance(self.fault, JobError | JobNeverEnds):
            return kind == "run"
        return self.on == "any" or self.on == kind


class StandIn:
    """TAP at ``tap_url`` and DataLink at ``datalink_url``, while in a ``with`` block.

    Parameters
    ----------
    database : Database
        What is served; it may be shared and outlives the server.
    row_limit : int
        Most rows of an answer, whatever MAXREC says.
    upload_limit : int
        Most bytes of an uploaded table.
    """

    def __init__(
        self, database: Database, *, row_limit: int = 3_000_000, upload_limit: int = 10_000_000
    ) -> None:
        self.database = database
        self.row_limit = row_limit
        self.upload_limit = upload_limit
        self.delay = 0.0
        """Seconds before every answer."""
        self.datamodel_gaia_status = 200
        """Status of an answer to DATA_STRUCTURE=DATAMODEL_GAIA; 400 or 500 refuses it."""
        self.n_correlations = N_CORRELATIONS
        """Length of a spectrum's two arrays of correlations; fewer are read sooner."""
        self.requests: list[Request] = []
        self.jobs: dict[str, Job] = {}
        self._n_jobs = 0
        self._injections: list[_Injection] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.standin = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.tap_url = f"{self.url}/tap"
        self.datalink_url = f"{self.url}/data-server/data"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for job in list(self.jobs.values()):
            job.close()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if self._http.errors:
            raise ExceptionGroup("The server failed.", self._http.errors)

    def inject(self, fault: Fault, on: str = "sync", times: int = 1, after: int = 0) -> None:
        """Let something go wrong; what was injected first happens first.

        Parameters
        ----------
        fault : Fault
            One of :mod:`standin.faults`.
        on : {"sync", "async", "job", "result", "delete", "datalink", "any"}
            At which requests: a synchronous query; the making of a job; a look at a job or its
            start; the fetching of its result; its deletion; spectra. ``JobError`` and
            ``JobNeverEnds`` meet the start of a job whatever is said here.
        times : int
            At so many requests.
        after : int
            After so many requests of the kind went well.
        """
        with self._lock:
            self._injections.append(_Injection(fault, on, times, after))

    def recover(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._injections.clear()

    def take_fault(self, kind: str) -> Fault:
        """Return what is to go wrong with a request of this kind, and cross it off."""
        with self._lock:
            for injection in self._injections:
                if not injection.meets(kind) or injection.times == 0:
                    continue
                if injection.after > 0:
                    injection.after -= 1
                    continue
                injection.times -= 1
                return injection.fault
        return _NO_FAULT

    def new_job(self, *arguments: Any) -> Job:
        """Register a job."""
        with self._lock:
            self._n_jobs += 1
            job = Job(f"job{self._n_jobs}", *arguments)
            self.jobs[job.job_id] = job
        return job

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._closing.wait(seconds)


class _Http(ThreadingHTTPServer):
    """Waits for its threads on closing, and keeps what went wrong in them."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        self.errors: list[BaseException] = []
        super().__init__(*arguments)

    def handle_error(self, *_: Any) -> None:
        self.errors.append(sys.exception())
