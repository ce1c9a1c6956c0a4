"""Constructor parameters, each declared once with its default and its rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from msaestimator.training import OPTIMIZERS

__all__ = [
    "Rule",
    "TrainingParameters",
    "at_least",
    "between",
    "estimator_with",
    "fitted",
    "of_part",
    "one_of",
    "parameter",
    "probabilities",
]


class Rule(NamedTuple):
    """A rule for the value of a parameter: in words, and as a test."""

    text: str
    holds: Callable[[Any], bool]


def at_least(least: float) -> Rule:
    """Return the rule of numbers that are not smaller."""
    return Rule(f"at least {least}", lambda value: value >= least)


def between(low: float, high: float) -> Rule:
    """Return the rule of numbers in a range, its ends included."""
    return Rule(f"between {low} and {high}", lambda value: low <= value <= high)


def probabilities() -> Rule:
    """Return the rule of a number between 0 and 1, or a mapping of names to such numbers."""

    def holds(value: Any) -> bool:
        numbers = value.values() if isinstance(value, Mapping) else [value]
        return all(0 <= number <= 1 for number in numbers)

    return Rule("between 0 and 1, or such numbers by name", holds)


def one_of(*choices: str) -> Rule:
    """Return the rule of a few names."""
    return Rule(f"one of {', '.join(map(repr, choices))}", lambda value: value in choices)


def estimator_with(*methods: str) -> Rule:
    """Return the rule of an optional part with these methods."""
    return Rule(
        f"an estimator with the methods {' and '.join(methods)}, or None",
        lambda value: value is None or all(hasattr(value, name) for name in methods),
    )


def parameter(
    default: Any,
    rule: Rule | None = None,
    *,
    of_run: bool = True,
    of_fit: bool = False,
    positional: bool = False,
) -> Any:
    """Declare a constructor parameter.

    Parameters
    ----------
    default : object
    rule : Rule, optional
        Checked when ``fit`` begins. It holds for the same parameter of subclasses too.
    of_run : bool
        Whether a training with another value is another one, which a checkpoint does not fit.
    of_fit : bool
        Whether a fitted model stays as its value was in ``fit``, so that it is refused to ask a
        model of which it was changed afterwards.
    positional : bool
        Whether it may be passed without its name.
    """
    metadata: dict[str, Any] = {"of_run": of_run, "of_fit": of_fit}
    if rule is not None:
        metadata["rule"] = rule
    return field(default=default, metadata=metadata, kw_only=not positional)


def fitted() -> Any:
    """Declare an attribute that ``fit`` sets."""
    return field(init=False)


def of_part(path: str, doc: str) -> property:
    """Return a read-only attribute that a part of the estimator has, such as its reader."""
    return property(attrgetter(path), doc=doc)


@dataclass(eq=False, repr=False, kw_only=True)
class TrainingParameters:
    """Parameters of every training, with the defaults of the autoencoder's.

    Subclasses declare further parameters, and other defaults, as fields of a dataclass.
    """

    max_epochs: int = parameter(60, at_least(0), of_run=False)
    batch_size: int = parameter(256, at_least(1))
    optimizer: str = parameter("adamw", one_of(*sorted(OPTIMIZERS)))
    lr: float = 2e-3
    lr_schedule: str = "cosine"
    weight_decay: float = 1e-2
    gradient_clip: float | None = 1.0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    callbacks: list[Any] | None = parameter(None, of_run=False)
    checkpoint: Any = parameter(None, of_run=False)
    warm_start: bool = parameter(False, of_run=False)
    aliases: bool = parameter(True, of_run=False)
    inference_batch_size: int = parameter(1024, at_least(1), of_run=False)
    device: str = "auto"
    precision: str = "float32"
    random_state: Any = None
    verbose: int = parameter(0, of_run=False)

    def _check_parameters(self) -> None:
        """Refuse settings that no training can have."""
        self._check_rules(*self._declared())

    def _check_rules(self, *names: str) -> None:
        """Refuse values that break the rules of parameters."""
        declared = self._declared()
        for name in names:
            rule, value = declared[name].get("rule"), getattr(self, name)
            if rule is not None and not rule.holds(value):
                raise ValueError(f"`{name}` must be {rule.text}, got {value!r}.")

    def _run_parameters(self) -> dict[str, Any]:
        """Return the parameters that tell one training from another."""
        declared = self._declared()
        return {n: getattr(self, n) for n in declared if declared[n].get("of_run", True)}

    def _fit_parameters(self) -> dict[str, Any]:
        """Return the parameters that a fitted model stays as they were in ``fit``."""
        declared = self._declared()
        return {n: getattr(self, n) for n in declared if declared[n].get("of_fit", False)}

    @classmethod
    def _declared(cls) -> dict[str, dict[str, Any]]:
        """Return the parameters with what is declared of each, here or in a base."""
        declared: dict[str, dict[str, Any]] = {}
        for ancestor in reversed(cls.__mro__):
            for known in fields(ancestor) if is_dataclass(ancestor) else ():
                if known.init:
                    declared[known.name] = declared.get(known.name, {}) | dict(known.metadata)
        return declared
