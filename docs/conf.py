"""Sphinx: offline, one generated page for everything public."""

import sys
from pathlib import Path

import msaestimator

sys.path.append(str(Path(__file__).parent / "extensions"))

from public_names import foreign_bases, public_names

project = "msaestimator"
author = "msaestimator developers"
copyright = f"2026, {author}"
version = release = msaestimator.__version__

nitpicky = True
nitpick_ignore = [
    # scikit-learn's docstrings, which our estimators inherit, have values in single backquotes.
    ("py:obj", '"default"'),
    ("py:obj", '"pandas"'),
    ("py:obj", '"polars"'),
]
# Other projects' names as docstrings write them, and as base classes call themselves.
reference_shortcuts = {
    "Axes": "matplotlib.axes.Axes",
    "DataFrame": "pandas.DataFrame",
    "Path": "pathlib.Path",
    "QTable": "astropy.table.QTable",
    "Quantity": "astropy.units.Quantity",
    "Table": "astropy.table.Table",
    "RandomState": "numpy.random.RandomState",
    "RobustScaler": "sklearn.preprocessing.RobustScaler",
    "Tensor": "torch.Tensor",
    "astropy.table.table.QTable": "astropy.table.QTable",
    "skorch.callbacks.base.Callback": "skorch.callbacks.Callback",
    "torch.nn.modules.linear.Linear": "torch.nn.Linear",
    "torch.nn.modules.module.Module": "torch.nn.Module",
    "torch.utils.data.dataset.Dataset": "torch.utils.data.Dataset",
    "torch.utils.data.dataset.TensorDataset": "torch.utils.data.TensorDataset",
}

extensions = [
    "class_diagram",
    "described_names",
    "explained_flags",
    "imported_data",
    "inventories",
    "mathml",
    "public_names",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
# A model's card begins with its subsections: its title is the page's.
suppress_warnings = ["myst.header"]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]

html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_toc_level": 2}
html_title = project
html_static_path = ["_static"]
html_css_files = ["house.css"]
toc_object_entries_show_parents = "hide"
html_math_renderer = "mathml"

default_role = "obj"
autosummary_ignore_module_all = False  # a room's page lists its ``__all__``
autosummary_imported_members = True  # which names what private files define
autosummary_context = {"foreign_bases": ", ".join(sorted(foreign_bases()))}
autodoc_default_options = {"no-value": True}
autodoc_typehints = "none"  # the docstrings say shape and unit, which a type does not
numpydoc_show_class_members = False  # autodoc lists them
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # of a type's words link those that are named here
numpydoc_xref_aliases = {
    **public_names(),
    **reference_shortcuts,
    **{name: f":exc:`{name}`" for name in ("TypeError", "UserWarning", "ValueError")},
}
