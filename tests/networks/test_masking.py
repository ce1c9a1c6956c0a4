"""Which features are hidden, and how often."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from msaestimator.networks import GroupMask, JointMask, SpanMask

N_STARS = 4000
# A protected column, a group of three as XP is, and two columns on their own.
GROUPS = [0, 1, 1, 1, 2, 3]
RATIOS = [0.0, 0.9, 0.6, 0.25]


@pytest.fixture
def hidden():
    return GroupMask(GROUPS, RATIOS).draw(N_STARS)


def test_one_answer_a_star_and_feature(hidden):
    assert hidden.shape == (N_STARS, 6)
    assert hidden.dtype == torch.bool


def test_a_group_is_hidden_as_one(hidden):
    group = hidden[:, 1:4]
    assert torch.all(group.all(dim=1) == group.any(dim=1))


def test_a_protected_column_is_never_hidden(hidden):
    assert not hidden[:, 0].any()


def test_rates_are_within_their_binomial_bounds(hidden):
    for column, group in enumerate(GROUPS):
        low, high = binom.interval(1 - 1e-6, N_STARS, RATIOS[group])
        assert low <= hidden[:, column].sum() <= high


def test_groups_are_independent(hidden):
    for first, second in [(1, 4), (1, 5), (4, 5)]:
        ratio = RATIOS[GROUPS[first]] * RATIOS[GROUPS[second]]
        low, high = binom.interval(1 - 1e-6, N_STARS, ratio)
        assert low <= (hidden[:, first] & hidden[:, second]).sum() <= high


def test_stars_are_independent(hidden):
    low, high = binom.interval(1 - 1e-6, N_STARS - 1, RATIOS[2] ** 2)
    assert low <= (hidden[1:, 4] & hidden[:-1, 4]).sum() <= high


def test_each_call_draws_anew_and_a_seed_repeats_it():
    mask = GroupMask(GROUPS, RATIOS).draw
    torch.manual_seed(3)
    first, second = mask(50), mask(50)
    torch.manual_seed(3)
    assert torch.any(first != second)
    assert torch.all(mask(50) == first)


def test_the_network_sees_nan_where_hidden():
    mask, x = GroupMask(GROUPS, RATIOS), torch.randn(50, 6)
    x[:, 4] = torch.nan
    before = x.clone()
    (seen,), hidden = mask(x)
    assert hidden.shape == x.shape
    assert torch.all(seen.isnan() == (hidden | before.isnan()))
    torch.testing.assert_close(seen[~hidden], before[~hidden], equal_nan=True, rtol=0, atol=0)
    torch.testing.assert_close(x, before, equal_nan=True, rtol=0, atol=0)


@given(
    groups=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    ratios=st.lists(st.sampled_from([0, 0.5, 1]), min_size=4, max_size=4),
    n_stars=st.integers(0, 20),
)
def test_any_grouping(groups, ratios, n_stars):
    hidden = GroupMask(groups, ratios).draw(n_stars)
    assert hidden.shape == (n_stars, len(groups))
    for column, group in enumerate(groups):
        if ratios[group] != 0.5:
            assert torch.all(hidden[:, column] == bool(ratios[group]))
        assert torch.all(hidden[:, column] == hidden[:, groups.index(group)])


def test_made_where_it_is_asked_for():
    assert GroupMask(GROUPS, RATIOS).draw(3, device="meta").device.type == "meta"


def test_a_joint_mask_hides_what_any_hides():
    never = GroupMask([0, 1], [0.0, 0.0])
    joint = JointMask(never, GroupMask([0, 1], [1.0, 0.0]), GroupMask([0, 0], [0.3, 0.0]))
    hidden = joint.draw(N_STARS)
    assert hidden[:, 0].all()
    low, high = binom.interval(1 - 1e-6, N_STARS, 0.3)
    assert low <= hidden[:, 1].sum() <= high
    assert torch.equal(joint.ratios, never.ratios)


def test_a_span_mask_hides_runs_and_single_coefficients():
    orders = [-1, *range(50), *range(50), -1]
    hidden = SpanMask(orders, 0.5).draw(N_STARS)
    assert not hidden[:, [0, -1]].any()
    acted = hidden.any(dim=1)
    # Some runs and draws are empty, but never is a star hidden that was not acted on.
    assert 0.4 < acted.float().mean() < 0.55
    bp, rp = hidden[:, 1:51], hidden[:, 51:101]
    # Coefficients drawn one by one are hardly ever the same in both bands.
    same = (bp == rp).all(dim=1) & (bp.sum(dim=1) > 5)
    assert 0.3 < same.sum() / acted.sum() < 0.6
    edges = (bp[same] != bp[same].roll(1, dims=1)).sum(dim=1)
    assert edges.max() == 2


def test_a_span_mask_of_no_spectra_hides_nothing():
    assert not SpanMask([-1, -1], 1.0).draw(5).any()
