"""Formulas as MathML, made while the page is: browsers show it without a script or a network."""

from docutils import nodes
from latex2mathml.converter import convert

__all__ = ["setup"]


def setup(app):
    """Offer ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (show_inline, None), (show_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def show_inline(translator, node):
    """Write a formula within a line."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def show_display(translator, node):
    """Write a formula on a line of its own."""
    translator.body.append(f"<div class='math'>{convert(node.astext(), display='block')}</div>")
    raise nodes.SkipNode
