"""The two forms in which stars come, and that fit and predict must get the same one."""

from typing import Any

from sklearn.base import BaseEstimator

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import column_names

__all__ = ["FormedEstimator"]


class FormedEstimator(BaseEstimator):
    """An estimator of tables of stars and of matrices, one of which ``fit`` has seen.

    Subclasses set ``fitted_on_table_``.
    """

    def _check_form(self, X: Any, is_table: bool) -> None:
        """Refuse stars in another form than those of ``fit``."""
        if self.fitted_on_table_ == is_table:
            return
        matrix = "a matrix of features"
        names = column_names(X)
        if names and not is_table:
            shown = ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
            matrix += f" (none of its columns, {shown}, is one of stars)"
        fitted, given = "a table of stars", matrix
        if is_table:
            fitted, given = given, fitted
        raise ColumnError(
            f"{type(self).__name__} was fitted on {fitted} and got {given}. "
            "Pass both in the same form, or use a Pipeline."
        )

    def _check_fitted_on_table(self) -> None:
        if not self.fitted_on_table_:
            raise ColumnError(
                f"{type(self).__name__} was fitted on a matrix of features, and an archive gives "
                "a table of stars. Fit it on a table, or fetch the table and use the Pipeline."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
