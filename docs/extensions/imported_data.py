"""Data that a room imports from its private files is described as it is there."""

import sys

from sphinx.pycode import ModuleAnalyzer

__all__ = ["setup"]


def setup(app):
    """Take the place of the docstring of the data's type, before numpydoc reads it."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", describe_data, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def describe_data(app, what, name, obj, options, lines):
    """Replace the lines by the docstring that follows the assignment."""
    if what == "data":
        room, _, variable = name.rpartition(".")
        lines[:] = docstring_of(room, variable)


def docstring_of(room, variable):
    """Return the lines below ``variable = ...`` in whichever file of the room defines it."""
    for module in [module for module in sys.modules if module.startswith(f"{room}.")]:
        described = ModuleAnalyzer.for_module(module).find_attr_docs()
        if ("", variable) in described:
            return described["", variable]
    return []
