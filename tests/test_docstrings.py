"""How docstrings read: every description names its subject."""

import ast
import inspect
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "msaestimator"
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
SECTION = re.compile(r"^([A-Z]\w+(?: [A-Z]\w+)?)\n-{3,}\n", flags=re.MULTILINE)
# Sections of entries with a description each; the others hold prose or examples.
LISTS = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
# Words after which a description has no subject, whatever follows.
HEADLESS = re.compile(
    r"""
    (?: As | At | After | Before | Between | Beyond | By | For | From | In | Inside | Instead | Of
      | On | Outside | Since | To | Under | Until | Up | With | Without         # no noun before
      | How | That | Though | What | Where | Which | Who | Whose | Why           # half a sentence
      | It | Its | Such | Their | Them | These | They | This | Those             # not said what
      | Added | Adds | Divides | Does | Drawn | Given | Gives | Holds | Keeps | Listed
      | Makes | Returns | Says | Sent | Takes | Tells                           # who does it?
    )\b
    | See [ ] | \S+$                                                            # nothing is said
    """,
    flags=re.VERBOSE,
)


def docstrings(tree):
    """Return (line, text) of each docstring and each text below a constant or a field."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        before = node if isinstance(node, DOCUMENTED) else None
        for statement in body:
            described = before is node or isinstance(before, ast.Assign | ast.AnnAssign)
            match statement:
                case ast.Expr(ast.Constant(str(text))) if described:
                    yield statement.lineno, inspect.cleandoc(text)
            before = statement


def descriptions(text):
    """Return the summary of a docstring and the description of each entry of its lists."""
    prose, *sections = SECTION.split(text)
    found = [prose.split("\n\n")[0]]
    for title, content in zip(sections[::2], sections[1::2], strict=True):
        if title in LISTS:
            found += re.findall(r"^ (?:.*\n(?:\n(?= ))?(?= ))*.*", content, flags=re.MULTILINE)
    return [" ".join(description.split()) for description in found]


def headless(text):
    """Return the descriptions in a docstring that do not name their subject."""
    return [description for description in descriptions(text) if HEADLESS.match(description)]


def modules():
    """Return every file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_descriptions_name_their_subject(path):
    found = [
        f"{path.name}:{line}: {description}"
        for line, text in docstrings(ast.parse(path.read_text(encoding="utf-8")))
        for description in headless(text)
    ]
    assert not found, "\n".join(["Say first what it is:", *found])


EXAMPLE = '''
"""What the numbers are called."""

LIMIT = 3
"""Largest number of stars."""

TINY = 1e-12
"""Instead of zero, to divide by."""

class Head:
    """A head.

    Parameters
    ----------
    width : int
        Of the hidden layers.
    dropout : float
        Dropout, a fraction:

        As in the paper.

    Returns
    -------
    float
        In mag.
    """

    depth: int
    """Odd."""

    def look(self):
        """Return what is seen."""
        "This is no docstring."
'''


def test_every_kind_of_description_is_read():
    found = {d for _, text in docstrings(ast.parse(EXAMPLE)) for d in headless(text)}
    assert found == {
        "What the numbers are called.",
        "Instead of zero, to divide by.",
        "Of the hidden layers.",
        "In mag.",
        "Odd.",
    }
