"""The built documentation: everything public is in it, and it reads well without a network."""

import html
import inspect
import os.path
import pkgutil
import re
import zlib
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import msaestimator

PAGES = Path(__file__).parents[2] / "docs" / "_build" / "html"
# Characters of a code line that need no scrolling in a window of 1,300 pixels.
WIDEST = 91
WIDEST_ON = {
    "index.html": 105,  # no table of contents is beside it
}
DESCRIBED_BY = {"msaestimator", "sklearn"}  # the other projects describe their members themselves

pytestmark = pytest.mark.built_docs


def pages():
    """Return {address: text} of every page that somebody wrote or that describes something."""
    paths = [path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.html")]
    made = ("_", "genindex", "py-modindex", "search")
    return {
        path: (PAGES / path).read_text(encoding="utf-8")
        for path in paths
        if not path.startswith(made)
    }


def inventory():
    """Return the names that another project's documentation can link to."""
    *_, entries = (PAGES / "objects.inv").read_bytes().split(b"\n", maxsplit=4)
    lines = zlib.decompress(entries).decode().splitlines()
    return {line.split()[0] for line in lines if " py:" in line}


def rooms():
    names = [module.name for module in pkgutil.iter_modules(msaestimator.__path__)]
    return [import_module(f"msaestimator.{name}") for name in names if not name.startswith("_")]


def public_names():
    """Yield the dotted name of everything offered, the members of classes included."""
    for room in rooms():
        for name in room.__all__:
            yield f"{room.__name__}.{name}"
            offered = getattr(room, name)
            if inspect.isclass(offered):
                yield from (f"{room.__name__}.{name}.{member}" for member in members(offered))


def members(cls):
    """Return the public methods and properties of a class, and an estimator's parameters."""
    found = {name for name in dir(cls) if is_described(cls, name)}
    if "get_params" in found and hasattr(cls, "fit"):  # a base describes no parameters
        found |= set(inspect.signature(cls).parameters)
    routing = re.compile(r"get_metadata_routing|set_\w+_request")
    return {name for name in found if not name.startswith("_") and not routing.fullmatch(name)}


def is_described(cls, name):
    """Tell whether a name is a method or property that ours or scikit-learn's class defines."""
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    value = vars(owner)[name] if owner else None
    ours = owner and owner.__module__.split(".")[0] in DESCRIBED_BY
    return ours and isinstance(value, property | classmethod | staticmethod | FunctionType)


def test_everything_public_has_an_entry():
    assert set(public_names()) - inventory() == set()


def test_no_code_line_scrolls_sideways():
    wide = []
    for path, page in pages().items():
        for language, block in re.findall(
            r'<div class="(?:doctest )?highlight-(\w+).*?<pre>(.*?)</pre>', page, flags=re.DOTALL
        ):
            lines = html.unescape(re.sub(r"<[^>]*>", "", block)).splitlines()
            if language != "bash":  # the style sheet wraps a shell's commands
                widest = WIDEST_ON.get(path, WIDEST)
                wide += [(path, line) for line in lines if len(line) > widest]
    assert wide == []


def test_every_page_is_in_its_own_sidebar_and_between_two_others():
    for path, page in pages().items():
        if path != "index.html":
            assert re.search(r'<li class="toctree-l\d current active', page), path
            assert "prev-next-info" in page, path


def test_every_link_within_the_pages_leads_somewhere():
    found = pages()
    for path, page in found.items():
        for link in re.findall(r'<a [^>]*href="([^":?]*)"', page):
            address, _, target = link.partition("#")
            there = os.path.normpath(os.path.join(os.path.dirname(path), address))
            text = found.get(there if address else path)
            if text is not None and target:
                assert f'id="{html.unescape(target)}"' in text, (path, link)
            else:
                assert (PAGES / there).exists(), (path, link)


def test_pages_need_no_network():
    loaded = re.compile(r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]*)')
    assert {
        path: loaded.findall(page) for path, page in pages().items() if loaded.search(page)
    } == {}


def test_formulas_are_mathml():
    assert "<math" in pages()["user_guide/preprocessing.html"]
