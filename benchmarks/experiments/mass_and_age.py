"""Mass and age of giants from spectra, told more or less of them (section 4.1.2).

Masses of real giants are asteroseismology's and, where there are none, those of isochrones with
parallaxes; ages are published ones. Beside them are giants of the mock survey, whose masses and
ages are true, and boosted trees that are trained for each label on the first of the inputs, on
real stars.
"""

from collections.abc import Iterator

from common.generalist import MOCK, REAL, Known

from experiments.expert import ask_expert, complete
from experiments.setting import EVOLUTION, Setting, giants_of
from experiments.told import EXPERT, STANDARD, Panels, answer_all, cell, draw_all

__all__ = ["run"]

LIMITS = {"mass": (0.6, 3.0), "age": (0.0, 14.0)}
"""In solar masses and Gyr."""


def run(setting: Setting) -> None:
    """Answer, score, draw."""
    rows = dict(ask(setting))
    names = [f"{name}, {'M☉' if name.startswith('mass') else 'Gyr'}" for name in rows]
    table = setting.table("generalist_mass_and_age.inc", "told", *names)
    table.add("giants", *(str(len(panels["30 + 30, colours"].true)) for panels in rows.values()))
    for title in next(iter(rows.values())):
        table.add(title, *(cell(panels[title]) for panels in rows.values()))
    setting.save(draw_all(rows, LIMITS), "mass_and_age", f"Giants. {REAL}; {MOCK}")


def ask(setting: Setting) -> Iterator[tuple[str, Panels]]:
    """Yield label and sample, and the answers."""
    learned = setting.learned.rows(giants_of(setting.learned))
    samples = {"of real stars": setting.known, "of mock stars": setting.mock_known}
    for label in EVOLUTION:
        tests = {name: complete_giants(known, label) for name, known in samples.items()}
        experts = ask_expert(setting.options, learned, list(tests.values()), label, STANDARD)
        for (name, test), expert in zip(tests.items(), experts, strict=True):
            if len(test.values):
                answers = answer_all(setting.model, test, [label])[label]
                yield f"{label} {name}", {EXPERT: expert, **answers}


def complete_giants(known: Known, label: str) -> Known:
    """Return giants that have the label and what the experiments tell."""
    return known.rows(giants_of(known) & complete(known, [*STANDARD, label]))
