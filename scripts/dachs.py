"""Serve the test catalogue from GAVO DaCHS, a real TAP server, on this machine's loopback.

    python scripts/dachs.py up        # install, load and start: all that the tests need
    python scripts/dachs.py status
    python scripts/dachs.py stop
    python scripts/dachs.py describe --inputs FOLDER    # only write what is to be loaded

All but the last need Debian and root, and a machine or container without a DaCHS of its own: the
package brings PostgreSQL and users, and ``/etc/gavo.rc`` is replaced. Each step may be repeated.
The stars are those of ``tests/archive/catalogue.py``.
"""

import argparse
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import astropy.units as u
import numpy as np
from astropy.io.votable import from_table
from astropy.table import Column, Table

ROOT = Path(__file__).parents[1]
PACKAGE = "gavodachs2-server"
URL = "http://127.0.0.1:8080/tap"
AVAILABILITY = f"{URL}/availability"
N_STARS = 17_000
SCHEMAS = ("external", "gaiadr1", "gaiadr2", "gaiadr3")
CONFIG = Path("/etc/gavo.rc")
INPUTS = Path("/var/gavo/inputs")
PID = Path("/var/gavo/state/web.pid")
SYSTEMD = Path("/run/systemd/system")
EXTENSIONS = Path("/usr/share/postgresql")
OLD_OPERATORS = re.compile(r"CREATE OPERATOR @ \(\s*LEFTARG\s*= \w+,\s*RIGHTARG\s*= smoc,[^;]*\);")
START_SECONDS = 60
SETTINGS = """\
[web]
bindAddress: 127.0.0.1
serverPort: 8080
serverURL: http://127.0.0.1:8080

[async]
defaultMAXREC: 2000
hardMAXREC: 3000000
"""
SQL_TYPES = {
    "b1": "boolean",
    "i2": "smallint",
    "i4": "integer",
    "i8": "bigint",
    "f4": "real",
    "f8": "double precision",
}
# What DaCHS looks for when it is asked to index positions.
POSITION_UCDS = {"ra": "pos.eq.ra;meta.main", "dec": "pos.eq.dec;meta.main"}
# What queries join on, beside source_id.
JOIN_KEYS = {"original_ext_source_id", "designation", "obj_id", "objid", "object_id"}


def run(*command: str, user: str = "root", **environment: str) -> None:
    """Run a command as a user, in an environment that knows nothing of the caller's Python."""
    home = "/root" if user == "root" else f"/home/{user}"
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"HOME": home, "PATH": path, "LANG": "C.UTF-8", **environment}
    print("$", *command, flush=True)
    status = subprocess.run(  # noqa: S603, commands are this script's own
        command, user=user, env=environment, cwd="/", stdin=subprocess.DEVNULL
    ).returncode
    if status:
        sys.exit(f"`{' '.join(command)}` failed with status {status}, see above.")


def ask(*command: str) -> str:
    """Return what a command prints; nothing if it fails."""
    return subprocess.run(command, capture_output=True, text=True).stdout  # noqa: S603


def installed() -> bool:
    """Say whether the Debian package is there and configured."""
    return ask("dpkg-query", "--show", "--showformat=${db:Status-Status}", PACKAGE) == "installed"


def start_database() -> None:
    """Start the PostgreSQL clusters that are down."""
    if shutil.which("pg_lsclusters") is None:
        sys.exit("PostgreSQL is not installed: run `python scripts/dachs.py install` first.")
    for cluster in ask("pg_lsclusters", "--no-header").splitlines():
        version, name, _, state, *_ = cluster.split()
        if state != "online":
            run("pg_ctlcluster", version, name, "start")


def mend_sphere() -> None:
    """Take out of pg_sphere what PostgreSQL 15.20 refuses; 15.18 did not.

    Two operators for old releases of DaCHS declare a commutator that belongs to another one, see
    https://github.com/postgrespro/pgsphere/issues/85. Later releases of pg_sphere have dropped
    them; Debian 12 has not.
    """
    for script in EXTENSIONS.glob("*/extension/pg_sphere--*.sql"):
        text = script.read_text()
        mended = OLD_OPERATORS.sub("", text)
        if mended != text:
            print(f"Mending {script}")
            script.write_text(mended)


def install() -> None:
    """Install DaCHS from Debian; PostgreSQL runs first, or its configuration fails."""
    if not installed():
        get = ("apt-get", "install", "--yes", "--no-install-recommends")
        run("apt-get", "update")
        run(*get, "postgresql", "postgresql-pgsphere", DEBIAN_FRONTEND="noninteractive")
        mend_sphere()
        start_database()
        run(*get, PACKAGE, DEBIAN_FRONTEND="noninteractive")
    start_database()
    CONFIG.write_text(SETTINGS)
    print(f"{PACKAGE} is installed and {CONFIG} binds it to 127.0.0.1.")


def describe_column(column: Column) -> ElementTree.Element:
    """Describe a column the way DaCHS wants it, missing integers and arrays included."""
    kind = SQL_TYPES.get(column.dtype.str[1:], "text")
    shape = f"[{column.shape[1]}]" if column.ndim > 1 else ""
    ucd = POSITION_UCDS.get(column.name, "")
    element = ElementTree.Element("column", name=column.name, type=kind + shape, ucd=ucd)
    if column.unit == u.electron / u.s:
        # VOUnit has no electron; a quoted word is how ESA writes it.
        element.set("unit", "'electron'.s**-1")
    elif column.unit is not None:
        element.set("unit", column.unit.to_string("vounit"))
    if column.dtype.kind == "i":
        null = str(np.iinfo(column.dtype).min)
        ElementTree.SubElement(element, "values", nullLiteral=null)
    return element


def describe_schema(schema: str, tables: dict[str, Table]) -> ElementTree.ElementTree:
    """Describe a schema: its tables, indexes, and the files that fill them."""
    resource = ElementTree.Element("resource", schema=schema)
    for title in ("title", "description"):
        ElementTree.SubElement(resource, "meta", name=title).text = f"Test stars in {schema}"
    for name, table in tables.items():
        element = ElementTree.SubElement(resource, "table", id=name, onDisk="True", adql="True")
        if set(POSITION_UCDS) <= set(table.colnames):
            ElementTree.SubElement(element, "mixin").text = "//scs#q3cindex"
        for column in table.itercols():
            element.append(describe_column(column))
            if column.name in JOIN_KEYS | {"source_id"}:
                ElementTree.SubElement(element, "index", columns=column.name)
        data = ElementTree.SubElement(resource, "data", id=f"import_{name}")
        ElementTree.SubElement(data, "sources").text = f"{name}.vot"
        ElementTree.SubElement(data, "voTableGrammar")
        make = ElementTree.SubElement(data, "make", table=name)
        ElementTree.SubElement(make, "rowmaker", idmaps="*")
    ElementTree.indent(resource)
    return ElementTree.ElementTree(resource)


def write_schema(folder: Path, schema: str, tables: dict[str, Table]) -> None:
    """Write a schema's resource descriptor and its tables."""
    folder.mkdir(parents=True, exist_ok=True)
    describe_schema(schema, tables).write(folder / "q.rd", encoding="utf-8")
    for name, table in tables.items():
        # astropy writes booleans as bits, which DaCHS reads as false.
        plain = Table(
            {
                c.name: c.data.astype(str) if c.dtype.kind == "b" else c.data
                for c in table.itercols()
            }
        )
        from_table(plain).to_xml(str(folder / f"{name}.vot"), tabledata_format="binary2")
        print(f"{schema}.{name}: {len(table)} rows, {len(table.colnames)} columns")


def load() -> None:
    """Write the catalogue and import it, while no server serves an older one."""
    stop()
    start_database()
    describe(INPUTS, N_STARS)
    for schema in SCHEMAS:
        run("dachs", "--ui", "stingy", "imp", f"{schema}/q", user="dachsroot")


def describe(inputs: Path, n_stars: int) -> None:
    """Write the catalogue, a folder a schema, as DaCHS wants it."""
    make_catalogue = runpy.run_path(str(ROOT / "tests/archive/catalogue.py"))["make_catalogue"]
    schemas = defaultdict(dict)
    for full_name, table in make_catalogue(n_stars=n_stars).items():
        schema, _, name = full_name.partition(".")
        schemas[schema][name] = table
    for schema in SCHEMAS:
        write_schema(inputs / schema, schema, schemas[schema])


def available() -> bool:
    """Ask the server whether it takes queries."""
    try:
        with urllib.request.urlopen(AVAILABILITY, timeout=10) as answer:  # noqa: S310, a constant
            return b"available>true<" in answer.read()
    except OSError:
        return False


def start() -> None:
    """Start the server unless it answers already, and wait until it does."""
    start_database()
    if not available():
        run("dachs", "serve", "start")
    deadline = time.monotonic() + START_SECONDS
    while not available():
        if time.monotonic() > deadline:
            sys.exit(f"{URL} does not answer; /var/gavo/logs/dcErrors says why.")
        time.sleep(0.2)
    status()


def stop() -> None:
    """Stop the server if it runs; PostgreSQL stays up."""
    if SYSTEMD.exists():
        # There, installing the package starts a server with settings of its own.
        run("systemctl", "disable", "--now", "dachs")
    if PID.exists():
        run("dachs", "serve", "stop")
    print("The server is stopped.")


def status() -> None:
    """Say what is installed and whether the server answers."""
    print(PACKAGE, "is installed." if installed() else "is not installed.")
    print(URL, "answers." if available() else "does not answer.")


def up() -> None:
    """Do everything from a bare machine to an answering server."""
    install()
    load()
    start()


def main() -> None:
    """Read the command line and take the step it names."""
    steps = {step.__name__: step for step in (install, load, start, status, stop, up)}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("step", choices=[*steps, "describe"])
    parser.add_argument("--inputs", type=Path, default=INPUTS, help="where to describe")
    parser.add_argument("--stars", type=int, default=N_STARS, help="how many to describe")
    options = parser.parse_args()
    if options.step == "describe":
        describe(options.inputs, options.stars)
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit("scripts/dachs.py needs Debian and root: run it with sudo, or in a container.")
    steps[options.step]()


if __name__ == "__main__":
    main()
