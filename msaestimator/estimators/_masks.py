"""Masks of training: single features, whole spectra, surveys, runs of coefficients."""

from collections.abc import Mapping, Sequence

import numpy as np

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.networks import GroupMask, JointMask, SpanMask
from msaestimator.preprocessing import FeatureColumns

__all__ = ["feature_mask", "hide_ratios"]


def feature_mask(
    columns: FeatureColumns,
    *,
    mask_ratio: float = 0.0,
    xp_mask_ratio: float = 0.0,
    block_mask_ratio: float | Mapping[str, float] = 0.0,
    span_mask_ratio: float = 0.0,
    protected: Sequence[str] | None = None,
) -> JointMask:
    """Return the mask in which XP coefficients go together and other columns alone.

    A survey or an XP band is hidden as a whole besides, but for its protected columns, and a run
    of the coefficients.

    Parameters
    ----------
    columns : FeatureColumns
        The features.
    mask_ratio, xp_mask_ratio : float
        Probability that a feature, or all XP coefficients together, are hidden from a star.
    block_mask_ratio : float, or mapping of str to float
        Probability that the columns of a survey, or the coefficients of BP or of RP, are hidden
        together: of each, or by name.
    span_mask_ratio : float
        Probability that a run of orders, or any XP coefficients, are hidden.
    protected : sequence of str, optional
        Columns never hidden; None takes those that the schema protects.
    """
    schema, names = columns.schema, columns.base_names
    protected = _check_protected(protected, columns)
    bands = {c.name: array.prefix for array in schema.arrays for c in array.columns}
    alone = ["xp" if name in bands else name for name in names]
    by_column = _group_mask(
        alone,
        {name: 0.0 if name in protected else mask_ratio for name in names} | {"xp": xp_mask_ratio},
    )
    surveys = ["" if n in protected or n not in schema else schema[n].block for n in names]
    blocks = [bands.get(name, survey) for name, survey in zip(names, surveys, strict=True)]
    by_block = _group_mask(blocks, _ratios_of(blocks, block_mask_ratio, columns))
    orders = {c.name: n for array in schema.arrays for n, c in enumerate(array.columns)}
    # DIFF(mckay2025): the thesis hides spectra whole or not at all.
    spans = SpanMask([orders.get(name, -1) for name in names], span_mask_ratio)
    return JointMask(by_column, by_block, spans)


def _ratios_of(
    blocks: Sequence[str], ratio: float | Mapping[str, float], columns: FeatureColumns
) -> dict[str, float]:
    """Return the probability that each block is hidden; columns of none have the name ""."""
    if not isinstance(ratio, Mapping):
        return {block: ratio if block else 0.0 for block in blocks}
    schema = columns.schema
    known = {array.prefix for array in schema.arrays} | {c.block for c in schema.columns}
    for name in ratio:
        if name not in known:
            raise ColumnError(
                f"`block_mask_ratio` must name blocks of the schema, got {name!r}."
                + did_you_mean(name, known)
            )
    return {block: ratio.get(block, 0.0) for block in blocks}


def hide_ratios(mask: JointMask) -> np.ndarray:
    """Return the probability with which a mask hides each feature, alone or in its group.

    That of several masks is the largest, and parts of spectra do not count.
    """
    masks = [mask, *(other for other in mask.others if isinstance(other, GroupMask))]
    return np.max([part.ratios[part.groups].numpy() for part in masks], axis=0)


def _check_protected(protected: Sequence[str] | None, columns: FeatureColumns) -> Sequence[str]:
    if protected is None:
        return [column.name for column in columns.schema.columns if column.protected]
    known = {*columns.schema.names, *columns.names}
    for name in protected:
        if name not in known:
            raise ColumnError(
                f"`protected` must name features, got {name!r}." + did_you_mean(name, known)
            )
    return protected


def _group_mask(groups: Sequence[str], ratios: Mapping[str, float]) -> GroupMask:
    """Return the mask of columns whose groups go by name."""
    distinct = list(dict.fromkeys(groups))
    return GroupMask([distinct.index(g) for g in groups], [ratios[g] for g in distinct])
