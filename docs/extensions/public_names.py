"""What the package offers, and how short names lead to the one page each has."""

import inspect
import pkgutil
from collections import Counter
from functools import cache
from importlib import import_module

import msaestimator

__all__ = ["foreign_bases", "public_names", "setup"]


def rooms():
    """Return the modules that offer something."""
    names = [module.name for module in pkgutil.iter_modules(msaestimator.__path__)]
    return [import_module(f"msaestimator.{name}") for name in names if not name.startswith("_")]


@cache
def public_names():
    """Return {name: dotted name} of what is offered; a name of two rooms is nobody's."""
    offered = [(name, room.__name__) for room in rooms() for name in room.__all__]
    times = Counter(name for name, _ in offered)
    return {name: f"{room}.{name}" for name, room in offered if times[name] == 1}


def foreign_bases():
    """Return the names of base classes whose members their own projects describe.

    scikit-learn's are few, and what people call: they are repeated on the pages of our estimators.
    """
    offered = [getattr(room, name) for room in rooms() for name in room.__all__]
    bases = {base for cls in offered if inspect.isclass(cls) for base in cls.__mro__}
    return {
        base.__name__
        for base in bases
        if base.__module__.split(".")[0] not in {"msaestimator", "sklearn"}
    }


def setup(app):
    """Let the names of ``reference_shortcuts`` and of the package be written without a path."""
    app.add_config_value("reference_shortcuts", {}, "env")
    app.connect("builder-inited", remove_stale_pages, priority=100)  # before autosummary looks
    app.connect("missing-reference", write_out, priority=400)  # before other projects are asked
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-bases", leave_out_private_bases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def remove_stale_pages(app):
    """Remove the pages that autosummary once made for what is no longer offered."""
    offered = {f"{room.__name__}.{name}" for room in rooms() for name in room.__all__}
    offered |= {room.__name__ for room in rooms()}
    for page in (app.srcdir / "reference" / "api").glob("*.rst"):
        if page.stem not in offered:
            page.unlink()
            (app.outdir / "reference" / "api" / f"{page.stem}.html").unlink(missing_ok=True)


def write_out(app, env, node, contnode):
    """Resolve ``StarTable`` and ``msaestimator.StarTable.take`` as if written out."""
    if node.get("refdomain") != "py":
        return None
    node["reftarget"] = written_out(app.config.reference_shortcuts, node["reftarget"])
    python, page = env.get_domain("py"), node["refdoc"]
    return python.resolve_xref(
        env, page, app.builder, node["reftype"], node["reftarget"], node, contnode
    )


def written_out(shortcuts, target):
    """Return the full name of a target, the target itself where no shortcut begins it."""
    if target in shortcuts:
        return shortcuts[target]
    name, *members = target.removeprefix("msaestimator.").split(".")
    return ".".join([public_names()[name], *members]) if name in public_names() else target


def leave_out(app, what, name, obj, skip, options):
    """Leave out what libraries generate: requests of metadata, fields of a named tuple."""
    routing = name == "get_metadata_routing" or (
        name.startswith("set_") and name.endswith("_request")
    )
    return skip or routing or (inspect.getdoc(obj) or "").startswith("Alias for field number")


def leave_out_private_bases(app, name, obj, options, bases):
    """Show, instead of a base class that is not offered, what it is built on in turn."""
    bases[:] = dict.fromkeys(shown for base in bases for shown in shown_bases(base))


def shown_bases(base):
    """Yield a base class, or if it is private its own bases."""
    if not base.__module__.startswith("msaestimator") or base.__name__ in public_names():
        yield base
    else:
        for below in base.__bases__:
            yield from shown_bases(below)
