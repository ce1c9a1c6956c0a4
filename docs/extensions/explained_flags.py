"""The bits of a flag are described by what they say themselves, each a target."""

import inspect

from msaestimator.schema import ExplainedFlag

__all__ = ["setup"]


def setup(app):
    """Add to the docstring before numpydoc reads it."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", add_bits, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_bits(app, what, name, obj, options, lines):
    """Append a numpydoc section with every bit of a flag."""
    if inspect.isclass(obj) and issubclass(obj, ExplainedFlag) and len(obj):
        lines += ["", "Attributes", "----------"]
        for bit in obj:
            lines += [
                f"{bit.name} : {bit.value}",
                f"    {bit.meaning[0].upper()}{bit.meaning[1:]}.",
            ]
