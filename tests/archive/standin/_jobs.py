"""Jobs of the Universal Worker Service."""

import sqlite3
import threading
from collections.abc import Callable, Iterable
from xml.sax.saxutils import escape

from standin._votable import Answer
from standin.faults import Fault, JobError, JobNeverEnds

__all__ = ["Job", "job_list"]

_NAMESPACES = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1"'
)


class Job:
    """One asynchronous query.

    Parameters
    ----------
    job_id : str
        Last part of its address.
    work : callable
        Returns the answer.
    """

    def __init__(self, job_id: str, work: Callable[[], Answer]) -> None:
        self.job_id = job_id
        self.phase = "PENDING"
        self.message = ""
        self.answer: Answer | None = None
        self._work = work
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def run(self, fault: Fault) -> None:
        """Start, in the background; the fault decides whether and how it ends."""
        if self.phase != "PENDING":
            return
        self._move("EXECUTING")
        if isinstance(fault, JobError):
            self.message = fault.message
            self._move("ERROR")
        elif not isinstance(fault, JobNeverEnds):
            self._thread = threading.Thread(target=self._execute)
            self._thread.start()

    def abort(self) -> None:
        """Stop, unless it is over."""
        if self.phase in ("PENDING", "EXECUTING"):
            self._move("ABORTED")

    def wait(self, seconds: float) -> None:
        """Return when the phase is another one, or after so many seconds, at most ten."""
        phase = self.phase
        if phase in ("PENDING", "EXECUTING"):
            with self._changed:
                limit = 10.0 if seconds < 0 else min(seconds, 10.0)
                self._changed.wait_for(lambda: self.phase != phase, limit)

    def close(self) -> None:
        """Abort and wait for the thread."""
        self.abort()
        if self._thread is not None:
            self._thread.join()

    def document(self, url: str) -> bytes:
        """Return the job as UWS 1.1 describes one."""
        result = error = ""
        if self.phase == "COMPLETED":
            result = f'<uws:result id="result" xlink:href="{url}/results/result"/>'
        if self.phase == "ERROR":
            error = (
                '<uws:errorSummary type="fatal" hasDetail="true">'
                f"<uws:message>{escape(self.message)}</uws:message></uws:errorSummary>"
            )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<uws:job {_NAMESPACES}>"
            f"<uws:jobId>{self.job_id}</uws:jobId><uws:phase>{self.phase}</uws:phase>"
            "<uws:executionDuration>7200</uws:executionDuration><uws:parameters/>"
            f"<uws:results>{result}</uws:results>{error}</uws:job>\n"
        ).encode()

    def _execute(self) -> None:
        try:
            answer = self._work()
        except sqlite3.Error as error:
            self.message = str(error)
            self._finish("ERROR", None)
        else:
            self._finish("COMPLETED", answer)

    def _finish(self, phase: str, answer: Answer | None) -> None:
        with self._changed:
            if self.phase == "EXECUTING":
                self.answer = answer
                self.phase = phase
                self._changed.notify_all()

    def _move(self, phase: str) -> None:
        with self._changed:
            self.phase = phase
            self._changed.notify_all()


def job_list(jobs: Iterable[Job]) -> bytes:
    """Return the list of jobs as UWS 1.1 describes it."""
    references = "".join(
        f'<uws:jobref id="{job.job_id}"><uws:phase>{job.phase}</uws:phase></uws:jobref>'
        for job in list(jobs)
    )
    return f"<uws:jobs {_NAMESPACES}>{references}</uws:jobs>".encode()
