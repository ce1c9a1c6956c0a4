"""Parameters and attributes that a docstring describes are targets, its own words link there."""

from docutils import nodes
from sphinx import addnodes

__all__ = ["setup"]

SECTIONS = {"Parameters", "Other Parameters", "Attributes"}


def setup(app):
    """Look at each page when it has been read."""
    app.connect("doctree-read", link_described_names)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def link_described_names(app, doctree):
    """Give each described name an id, and turn references to it, on the same page, to that id."""
    descriptions = [node for node in doctree.findall(addnodes.desc) if node["domain"] == "py"]
    targets = {node: dict(make_targets(app.env, node)) for node in descriptions}
    for reference in list(doctree.findall(addnodes.pending_xref)):
        for node in enclosing_descriptions(reference):
            if target := targets.get(node, {}).get(reference["reftarget"]):
                link = nodes.reference("", "", *reference.children, refid=target, internal=True)
                reference.replace_self(link)
                break


def make_targets(env, description):
    """Yield (name, id) of every parameter and attribute of one class or function."""
    signature = description[0]
    if not signature.get("ids"):
        return
    owner = signature["ids"][0]
    for term in described_terms(description[-1]):
        for name in written_names(term):
            target = f"{owner}.{name}"
            python = env.get_domain("py")
            if target not in python.objects:  # a documented property has its own entry
                term["ids"].append(target)
                if description["objtype"] == "class":
                    python.note_object(target, "attribute", target, location=term)
            yield name, target


def described_terms(content):
    """Yield the term of every entry of the sections that describe names."""
    for fields in content.children:
        if isinstance(fields, nodes.field_list):
            for field in fields:
                if field[0].astext() in SECTIONS:
                    yield from field[1].findall(nodes.term)


def written_names(term):
    """Return the names of a term: two in ``lower, upper : array``."""
    strong = next(iter(term.findall(nodes.strong)), None)
    return [name.strip(" *") for name in strong.astext().split(",")] if strong else []


def enclosing_descriptions(node):
    """Yield the method, then the class, that a node is part of the description of."""
    while node := node.parent:
        if isinstance(node, addnodes.desc):
            yield node
