"""``.. class-diagram:: msaestimator.estimators``: the bases and the parts of a room's estimators.

Drawn from the classes themselves whenever the pages are built. A part is a fitted attribute that
is declared with a class of ours, or torch's, as its type.
"""

from html import escape
from importlib import import_module
from inspect import isclass
from typing import get_args, get_type_hints

from docutils import nodes
from docutils.parsers.rst import Directive
from public_names import public_names
from sklearn.base import BaseEstimator

__all__ = ["setup"]

CHARACTER, LINE, PADDING, GAP = 7.3, 18, 8, 44
PARTS_FROM = {"msaestimator", "torch"}


class ClassDiagram(Directive):
    """Replace the directive by a drawing."""

    required_arguments = 1

    def run(self):
        """Return the drawing as a node of HTML."""
        room = import_module(self.arguments[0])
        offered = [getattr(room, name) for name in room.__all__]
        leaves = [cls for cls in offered if isclass(cls) and issubclass(cls, BaseEstimator)]
        return [nodes.raw("", drawing(leaves), format="html")]


def setup(app):
    """Offer the directive."""
    app.add_directive("class-diagram", ClassDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def is_drawn(cls):
    """Tell whether a class has a box: our own, and what scikit-learn builds estimators on."""
    return cls is BaseEstimator or cls.__module__.startswith("msaestimator")


def depth(cls):
    """Return how many drawn classes are above a class."""
    return max((depth(base) + 1 for base in cls.__bases__ if is_drawn(base)), default=0)


def parts(cls):
    """Yield (attribute, type's name) of what a class itself declares to hold."""
    for name, kind in get_type_hints(cls).items():
        if name.endswith("_") and name in cls.__dict__.get("__annotations__", {}):
            for part in get_args(kind) or (kind,):
                if isclass(part) and part.__module__.split(".")[0] in PARTS_FROM:
                    yield name, part.__name__


def box_lines(cls):
    """Return what the box of a class says: its name, scikit-learn's mixins, its parts."""
    bases = () if cls is BaseEstimator else cls.__bases__
    mixins = [base.__name__ for base in bases if base.__name__.endswith("Mixin")]
    held = [f"{name} : {part}" for name, part in parts(cls)]
    return [cls.__name__, *([f"({', '.join(mixins)})"] if mixins else []), *held]


def placed(leaves):
    """Return {class: (x, y, width, height, lines)}, a column for each depth."""
    drawn = dict.fromkeys(base for leaf in leaves for base in reversed(leaf.__mro__))
    columns = {}
    for cls in filter(is_drawn, drawn):
        columns.setdefault(depth(cls), []).append((cls, box_lines(cls)))
    boxes, x = {}, 1
    for _, column in sorted(columns.items()):
        width = max(len(line) for _, lines in column for line in lines) * CHARACTER + 2 * PADDING
        y = 1
        for cls, lines in column:
            height = len(lines) * LINE + 2 * PADDING
            boxes[cls] = x, y, width, height, lines
            y += height + LINE
        x += width + GAP
    return boxes


def drawing(leaves):
    """Return the boxes and a line from each class to each of its bases, as SVG."""
    boxes = placed(leaves)
    width = max(x + box_width for x, _, box_width, _, _ in boxes.values()) + 1
    height = max(y + box_height for _, y, _, box_height, _ in boxes.values()) + 1
    lines = [
        line_between(boxes[base], boxes[cls])
        for cls in boxes
        for base in cls.__bases__
        if base in boxes
    ]
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img"'
        ' style="max-width: 100%" font-family="monospace" font-size="12"'
        ' fill="currentColor" stroke-width="1"><title>Class diagram</title>'
        f"{''.join(lines)}{''.join(box(*place) for place in boxes.values())}</svg>"
    )


def line_between(base, cls):
    """Return a line from the right of a base to the left of a class."""
    x, y = base[0] + base[2], base[1] + base[3] / 2
    to_x, to_y = cls[0], cls[1] + cls[3] / 2
    middle = x + GAP / 2
    path = f"M{x:.0f} {y:.0f} H{middle:.0f} V{to_y:.0f} H{to_x:.0f}"
    return f'<path d="{path}" fill="none" stroke="currentColor"/>'


def box(x, y, width, height, lines):
    """Return a rectangle with text; the name leads to the page of what is public."""
    name, *others = map(escape, lines)
    if name in public_names():
        name = f'<a href="../reference/api/{public_names()[name]}.html">{name}</a>'
    texts = [
        f'<text x="{x + PADDING:.0f}" y="{y + PADDING + (row + 0.75) * LINE:.0f}">{text}</text>'
        for row, text in enumerate([f'<tspan font-weight="bold">{name}</tspan>', *others])
    ]
    frame = (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="4"'
        ' fill="none" stroke="currentColor"/>'
    )
    return frame + "".join(texts)
