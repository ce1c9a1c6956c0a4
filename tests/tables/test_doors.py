"""What goes in: every container with every quantity, as the page of the user guide says."""

import importlib.util
from pathlib import Path

import pytest
from doors import (
    CONTAINERS,
    FLOATS,
    OURS,
    QUANTITIES,
    READ,
    REFUSED,
    STATES_UNITS,
    outcome,
    refusal,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_quantity_comes_out_of_every_container(container, quantity):
    wanted = READ if quantity != "units" or container in STATES_UNITS else OURS
    # What pandas does to integers of which one is missing cannot be undone.
    wanted = FLOATS if (container, quantity) == ("pandas ``DataFrame``", "ids") else wanted
    assert outcome(container, quantity) == wanted


@pytest.mark.parametrize("container", REFUSED)
def test_what_is_refused_is_refused_by_name_with_the_remedy(container):
    message = refusal(container)
    assert message.count(". ") >= 1, "There is no remedy."
    assert len(message) < 250


def test_the_page_is_up_to_date():
    path = ROOT / "scripts" / "list_inputs.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for page, text in script.pages().items():
        assert page.read_text(encoding="utf-8") == text, "Run python scripts/list_inputs.py"
