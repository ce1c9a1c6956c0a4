"""The README's examples run as written, in order, and it stays short.

The tests that start joblib's processes are here, for these take seconds to start.
"""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from msaestimator.schema import ZHANG2026

pytestmark = [
    # loky replaces a worker whose memory has grown, and says so.
    pytest.mark.filterwarnings("ignore:A worker stopped while some jobs:UserWarning"),
    # The released model knows fewer columns than the packaged stars have.
    pytest.mark.filterwarnings("ignore:.*ignored. no star of fit had it"),
]

README = Path(__file__).parents[1] / "README.rst"


def code_blocks(language):
    """Return the README's code blocks of one language, dedented."""
    blocks = re.findall(
        rf"^\.\. code-block:: {language}\n\n((?: +.*\n|\n)+)",
        README.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    return [textwrap.dedent(block) for block in blocks]


@pytest.mark.usefixtures("esa_is_here")
@pytest.mark.filterwarnings("ignore:The packaged low-resolution map:UserWarning")
def test_examples_run(server):
    namespace = {"__name__": "readme"}
    blocks = code_blocks("python")
    assert len(blocks) == 5
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"README.rst block {number}", "exec"), namespace)
    n_stars, n_labels = len(namespace["new_stars"]), len(namespace["labels"])
    assert namespace["search"].predict(namespace["new_stars"]).shape == (n_stars, n_labels)
    assert len(namespace["parameters"]) == len(server.requests[0].ids) == 2
    assert len(namespace["latent"]) == len(namespace["spectra"]) == n_stars
    assert len(namespace["answers"]) == 1


def test_processes_change_nothing(make_regressor, make_generalist, msa, stars):
    labels = ["teff", "logg", "fe_h"]
    generalist = make_generalist(labels=labels, vocabulary=ZHANG2026)
    for model, y in ((make_regressor(msa), None), (generalist, stars[labels])):
        one, two = (cross_val_score(model, stars, y, cv=2, n_jobs=n) for n in (1, 2))
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, two, atol=1e-4)


def test_commands_are_one_line_each():
    assert [block.count("\n") for block in map(str.strip, code_blocks("bash"))] == [0, 0]


def test_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 100
