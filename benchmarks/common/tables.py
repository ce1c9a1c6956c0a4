"""Tables of the documentation: rows, and of which run each is, by command, commit and machine."""

import csv
import datetime
import io
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

__all__ = ["ResultTable", "in_words", "run_of_this_process"]

ROOT = Path(__file__).parents[2]
HEAD = ".. Written by the commands below; changes here are lost.\n\n"


class ResultTable:
    """A table that a page includes, written anew with each row.

    Rows of earlier runs stay until a row of the same first cell takes their place, so that a
    part of a long benchmark can be repeated by itself.

    Parameters
    ----------
    path : Path
        Of a file in reStructuredText, which need not be there yet.
    header : sequence of str
        The titles of the columns; other titles make a new table.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.header = list(header)
        self.rows: dict[str, list[str]] = {}
        self.run = run_of_this_process()
        if path.exists():
            self._read()

    def add(self, *cells: object) -> None:
        """Print a row and write it into the file."""
        name, *others = map(str, cells)
        print(" | ".join([name, *others]), flush=True)
        self.rows[name] = [*others, self.run]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self._text(), encoding="utf-8")

    def _text(self) -> str:
        runs = list(dict.fromkeys(run for *_, run in self.rows.values()))
        numbers = {run: number for number, run in enumerate(runs, 1)}
        lines = [[name, *cells, numbers[run]] for name, (*cells, run) in self.rows.items()]
        listed = "".join(f"{number}. {run}\n" for run, number in numbers.items())
        directive = f".. csv-table::\n   :header: {_quoted([self.header + ['run']])}\n"
        return f"{HEAD}{directive}\n   {_quoted(lines)}\n\nRuns:\n\n{listed}"

    def _read(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        header, *rows = csv.reader(re.findall(r'^ +(?::header: )?(".*)$', text, re.MULTILINE))
        runs = dict(re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE))
        if header == [*self.header, "run"]:
            self.rows = {name: [*cells, runs[number]] for name, *cells, number in rows}


def _quoted(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as comma-separated values, indented as what a directive contains."""
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n   ").writerows(rows)
    return stream.getvalue().strip()


def in_words(numbers: Iterable[float]) -> str:
    """Return the errors of several labels as one cell."""
    return ", ".join(f"{number:.3g}" for number in numbers)


def run_of_this_process() -> str:
    """Return what a reader needs to repeat a run: command, commit, date and machine."""
    script = Path(sys.argv[0]).resolve()
    command = " ".join(["python", str(script.relative_to(ROOT)), *sys.argv[1:]])
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"``{command}`` at commit {_commit()} on {today}, on {_machine()}."


def _commit() -> str:
    commit = _ask_git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{commit} with changes" if _ask_git("status", "--short", "-uno") else commit


def _ask_git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _machine() -> str:
    """Return the processor, the threads that torch uses of it, the GPU and the versions."""
    found = re.search(r"model name\s*: (.*)", _text_of(Path("/proc/cpuinfo")))
    processor = found[1] if found else platform.processor() or platform.machine()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{torch.get_num_threads()} of {os.cpu_count()} cores of {processor}, {gpu}; "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def _text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""
