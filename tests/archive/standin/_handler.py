"""The answers to HTTP requests."""

import sqlite3
from functools import partial
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import numpy as np

from standin._datalink import MAX_IDS, products
from standin._jobs import Job, job_list
from standin._requests import Request, read_request
from standin._votable import VOTABLE_TYPE, Answer, answer_document, error_document
from standin.faults import Fault

__all__ = ["Handler"]

_CAPABILITIES = """<?xml version="1.0" encoding="UTF-8"?>
<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0"
 xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"
 xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">
<interface role="std" xsi:type="vs:ParamHTTP"><accessURL use="base">{url}</accessURL></interface>
<language><name>ADQL</name><version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version></language>
<outputFormat><mime>{votable_type}</mime></outputFormat>
<uploadMethod ivo-id="ivo://ivoa.net/std/TAPRegExt#upload-inline"/>
<outputLimit><hard unit="row">{row_limit}</hard></outputLimit>
<uploadLimit><hard unit="byte">{upload_limit}</hard></uploadLimit>
</capability>
</vosi:capabilities>
"""
_AVAILABILITY = b"""<?xml version="1.0" encoding="UTF-8"?>
<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">
<vosi:available>true</vosi:available></vosi:availability>
"""


class Handler(BaseHTTPRequestHandler):
    """One request a connection: clients that leave answers unread would leak an open one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30.0

    def setup(self) -> None:
        self.standin = self.server.standin
        super().setup()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def hang_up(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True

    def reply(
        self,
        body: bytes = b"",
        status: int = 200,
        content_type: str = VOTABLE_TYPE,
        headers: dict[str, str] | None = None,
        n_sent: int | None = None,
    ) -> None:
        """Send an answer, or the first ``n_sent`` bytes of its body."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:n_sent])

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        parts = address.path.strip("/").split("/")
        kind = _kind(method, parts)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = read_request(kind, method, address.path, address.query, headers, body)
        self.standin.requests.append(request)
        self.standin.pause(self.standin.delay)
        fault = self.standin.take_fault(kind)
        try:
            if not fault.take_over(self):
                self._route(request, parts, fault)
        except (BrokenPipeError, ConnectionResetError):
            self.hang_up()  # the client gave up waiting

    def _route(self, request: Request, parts: list[str], fault: Fault) -> None:
        if request.kind == "datalink":
            self._datalink(request, fault)
        elif request.kind == "sync":
            self._query(request, fault)
        elif request.kind == "async":
            self._create(request)
        elif parts == ["tap", "async"]:
            self.reply(job_list(self.standin.jobs.values()), content_type="text/xml")
        elif parts[:2] == ["tap", "async"] and parts[2] in self.standin.jobs:
            self._job(request, self.standin.jobs[parts[2]], "/".join(parts[3:]), fault)
        elif parts == ["tap", "capabilities"]:
            self.reply(self._capabilities(), content_type="text/xml")
        elif parts == ["tap", "availability"]:
            self.reply(_AVAILABILITY, content_type="text/xml")
        else:
            self.reply(error_document(f"There is no {request.path}."), 404)

    def _query(self, request: Request, fault: Fault) -> None:
        if not self._refused(request):
            try:
                answer = self._ask(request)
            except sqlite3.Error as error:
                self.reply(error_document(str(error)), 400)
            else:
                self._send(answer, fault)

    def _create(self, request: Request) -> None:
        if not self._refused(request):
            job = self.standin.new_job(partial(self._ask, request))
            if request.form.get("PHASE") == "RUN":
                job.run(self.standin.take_fault("run"))
            self._see(job)

    def _job(self, request: Request, job: Job, resource: str, fault: Fault) -> None:
        if request.kind == "delete":
            del self.standin.jobs[job.job_id]
            job.close()
            self.reply(status=303, headers={"Location": f"{self.standin.tap_url}/async"})
        elif request.kind == "result" and job.answer is not None:
            self._send(job.answer, fault)
        elif resource == "phase" and request.method == "POST":
            if request.form["PHASE"] == "RUN":
                job.run(self.standin.take_fault("run"))
            else:
                job.abort()
            self._see(job)
        elif resource == "phase":
            self.reply(job.phase.encode(), content_type="text/plain")
        elif resource == "error":
            self.reply(error_document(job.message))
        elif resource == "":
            job.wait(float(request.form.get("WAIT", 0)))
            self.reply(job.document(self._address(job)), content_type="text/xml")
        else:
            self.reply(error_document(f"The job has no {resource}."), 404)

    def _datalink(self, request: Request, fault: Fault) -> None:
        form = request.form
        status = self.standin.datamodel_gaia_status
        if form.get("DATA_STRUCTURE") == "DATAMODEL_GAIA" and status != 200:
            self.reply(b"Unknown data structure: DATAMODEL_GAIA", status, "text/plain")
        elif form.get("RETRIEVAL_TYPE") != "XP_CONTINUOUS":
            self.reply(b"Unknown retrieval type", 400, "text/plain")
        elif request.n_ids > MAX_IDS:
            self.reply(b"Too many sources", 500, "text/plain")
        else:
            spectra = self.standin.database.catalogue["gaiadr3.xp_continuous_mean_spectrum"]
            chosen = Answer(spectra[np.isin(spectra["source_id"], request.ids)])
            table = fault.alter(chosen).table
            self._send_body(*products(table, form, self.standin.n_correlations), fault)

    def _refused(self, request: Request) -> bool:
        """Refuse what is asked wrongly; True if so."""
        message = ""
        if "QUERY" not in request.form:
            message = "The parameter QUERY is missing."
        elif any(len(file) > self.standin.upload_limit for file in request.files.values()):
            message = f"An upload is larger than {self.standin.upload_limit} bytes."
        if message:
            self.reply(error_document(message), 400)
        return bool(message)

    def _ask(self, request: Request) -> Answer:
        limit = min(int(request.form.get("MAXREC") or 2**40), self.standin.row_limit)
        return self.standin.database.query(request.form["QUERY"], request.uploads, limit)

    def _send(self, answer: Answer, fault: Fault) -> None:
        self._send_body(answer_document(fault.alter(answer)), VOTABLE_TYPE, fault)

    def _send_body(self, body: bytes, content_type: str, fault: Fault) -> None:
        body = fault.cut(body)
        self.reply(body, content_type=content_type, n_sent=fault.n_sent(body))

    def _see(self, job: Job) -> None:
        self.reply(status=303, headers={"Location": self._address(job)})

    def _address(self, job: Job) -> str:
        return f"{self.standin.tap_url}/async/{job.job_id}"

    def _capabilities(self) -> bytes:
        return _CAPABILITIES.format(
            url=self.standin.tap_url,
            votable_type=VOTABLE_TYPE,
            row_limit=self.standin.row_limit,
            upload_limit=self.standin.upload_limit,
        ).encode()


def _kind(method: str, parts: list[str]) -> str:
    """Return what a request is about, as ``StandIn.inject`` says it."""
    if parts == ["data-server", "data"]:
        return "datalink"
    if parts == ["tap", "sync"]:
        return "sync"
    if parts == ["tap", "async"] and method == "POST":
        return "async"
    if parts[:2] != ["tap", "async"] or len(parts) == 2:
        return "other"
    if method == "DELETE":
        return "delete"
    return "result" if parts[3:] == ["results", "result"] else "job"
