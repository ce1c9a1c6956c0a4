"""Arrays between our own steps, whatever scikit-learn is set to give its users."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from sklearn import config_context

__all__ = ["with_arrays"]

Method = TypeVar("Method", bound=Callable[..., Any])


def with_arrays(method: Method) -> Method:
    """Return a method within which transformers return arrays.

    ``sklearn.set_config(transform_output="pandas")`` is for what users call; the scalers within
    an estimator obey it too, and what follows them takes arrays.
    """
    return cast(Method, config_context(transform_output="default")(method))
