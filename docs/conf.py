"""Sphinx: offline, plain theme, one generated page a room."""

import msaestimator

project = "msaestimator"
author = "msaestimator developers"
copyright = f"2026, {author}"
version = release = msaestimator.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "alabaster"
html_theme_options = {"description": "Stellar parameters from Gaia", "page_width": "1100px"}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}

default_role = "obj"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "none"  # the docstrings say shape and unit, which a type does not
numpydoc_show_class_members = False  # autodoc lists them
# Base classes of other packages name terms and targets of those packages' documentation.
suppress_warnings = ["ref.term", "ref.ref"]


def skip_metadata_routing(app, what, name, obj, skip, options):
    """Leave out the ``set_fit_request`` methods that scikit-learn generates."""
    return skip or (name.startswith("set_") and name.endswith("_request"))


def setup(app):
    """Register what autodoc leaves out."""
    app.connect("autodoc-skip-member", skip_metadata_routing)
