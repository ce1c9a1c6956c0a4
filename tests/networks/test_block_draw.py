"""Which quantities of a star the block transformer is shown, and asked."""

import pytest
import torch

from msaestimator.networks import BlockDraw, BlockMask
from msaestimator.training import RequestObjective

N_STARS = 20_000
BLOCKS = [*[0] * 10, *[1] * 10, 2, *[3] * 2]
"""BP and RP, which are one family, then a block of one quantity and the labels."""
FAMILIES = [0, 0, 1, 2]


def mask_of(block=(0, 0, 0, 0), family=(0, 0, 0), partial=0.0):
    return BlockMask(BLOCKS, FAMILIES, block, family, [partial] * 3)


def draw_of(mask=None, n_asked=1, weights=(1.0,) * 23, **changes):
    return BlockDraw(mask or mask_of(), weights, always_asked=[3], n_asked=n_asked, **changes)


def stars(n_stars=N_STARS):
    torch.manual_seed(0)
    values = torch.randn(n_stars, len(BLOCKS))
    values[torch.rand(values.shape) < 0.1] = torch.nan
    return torch.stack([values, torch.full_like(values, 0.5)], 1)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(2)


def test_everything_is_shown_where_nothing_is_hidden():
    assert mask_of().draw(100).all()


def test_labels_are_shown_alone_of_some_stars():
    def drawn(ratio):
        mask = BlockMask(
            BLOCKS,
            FAMILIES,
            (0.0, 0.0, 0.3, 0.0),
            (0.2, 0.0, 0.6),
            [0.3] * 3,
            ratio,
            is_light=[True, True, False, False],
            is_label=[False, False, False, True],
        )
        return mask.draw(N_STARS)

    always = drawn(1.0)
    assert not always[:, :20].any()
    assert always[:, 20].float().mean() == pytest.approx(0.7, abs=0.02)
    assert always[:, 21:].any(1).float().mean() > 0.8
    assert always[:, 21:].all(1).float().mean() > 0.6
    # The others are as without.
    some, none = drawn(0.25), drawn(0.0)
    seen = [shown[:, :20].any(1).float().mean() for shown in (some, none)]
    assert seen[0] == pytest.approx(0.75 * seen[1], abs=0.02)


def test_evened_draws_hide_half_of_each_family():
    mask = mask_of(family=(0.0, 0.9, 0.2))
    shown = draw_of(mask).evened().hide(stars())
    known = stars()[:, 0].isfinite()
    for word in (0, 20, 21):
        share = shown[:, word].isfinite().float().mean() / known[:, word].float().mean()
        assert share == pytest.approx(0.5, abs=0.02)
    assert mask.draw(N_STARS)[:, :20].all()


def test_families_are_hidden_together_and_blocks_apart():
    shown = mask_of(family=(0.3, 0.0, 0.6)).draw(N_STARS)
    assert (shown[:, :20].all(1) | ~shown[:, :20].any(1)).all()
    assert shown[:, 0].float().mean() == pytest.approx(0.7, abs=0.02)
    assert shown[:, 21].float().mean() == pytest.approx(0.4, abs=0.02)
    shown = mask_of(block=(0.3, 0.3, 0.0, 0.0)).draw(N_STARS)
    both = (~shown[:, 0] & ~shown[:, 10]).float().mean()
    assert both == pytest.approx(0.09, abs=0.01)
    assert shown[:, 20:].all()


def test_parts_are_first_last_or_any_and_often_few():
    shown = mask_of(partial=1.0).draw(N_STARS)
    bp, rp = shown[:, :10], shown[:, 10:20]
    first = (bp[:, :-1] >= bp[:, 1:]).all(1)
    last = (bp[:, :-1] <= bp[:, 1:]).all(1)
    assert (first & bp.any(1) & ~bp.all(1)).float().mean() > 0.2
    assert (last & bp.any(1) & ~bp.all(1)).float().mean() > 0.1
    assert (~first & ~last).float().mean() > 0.2
    # A run is as long in RP as in BP, and few quantities are as frequent as many.
    both_runs = (first | last) & ((rp[:, :-1] >= rp[:, 1:]) | (rp[:, :-1] <= rp[:, 1:])).all(1)
    assert (bp.sum(1) == rp.sum(1))[both_runs].float().mean() > 0.8
    assert (bp.sum(1) <= 3).float().mean() > 0.4
    # One quantity has no part.
    assert shown[:, 20].all()


def test_what_is_hidden_and_known_counts():
    drawn = stars(1000)
    draw = draw_of(mask_of(family=(0.5, 0.5, 0.5)), n_asked=3)
    (shown, asked), requests = draw(drawn)
    assert asked[0] == 3
    assert sorted(asked) == [0, 1, 2, 3]
    words = requests.tokens[0]
    torch.testing.assert_close(words.expand(1000, -1), requests.tokens)
    hidden = shown[:, words].isnan() & drawn[:, 0][:, words].isfinite()
    assert (requests.counted == hidden).all()
    told = shown.isfinite()
    assert (shown[told] == drawn[:, 0][told]).all()


def test_each_quantity_counts_alike_however_many_stars_have_it():
    """The loss of a batch is the mean over quantities of the mean over stars."""
    drawn = stars(400)
    drawn[:350, 0, 22] = torch.nan
    (_, asked), requests = draw_of(mask_of(family=(0, 0, 1.0)), n_asked=0)(drawn)
    assert asked == [3]
    mean, log_variance = torch.randn(2, 400, 2)
    loss = RequestObjective()((mean, log_variance), requests, drawn)
    expected = []
    for place, word in enumerate((21, 22)):
        y, error = drawn[:, 0, word], drawn[:, 1, word]
        variance = log_variance[:, place].exp() + error**2
        terms = 0.5 * ((mean[:, place] - y) ** 2 / variance + variance.log())
        expected.append(terms[y.isfinite()].mean())
    torch.testing.assert_close(loss, torch.stack(expected).mean())


def test_blocks_without_weight_are_never_asked():
    weights = [1.0] * 20 + [0.0] + [1.0] * 2
    draw = draw_of(n_asked=1, weights=weights)
    drawn = stars(2)
    asked = {block for _ in range(50) for block in draw(drawn)[0][1]}
    assert asked == {0, 1, 3}


def test_noise_is_of_the_errors():
    drawn = stars()
    (shown, _), _ = draw_of(resample_noise=True)(drawn)
    noise = (shown - drawn[:, 0])[shown.isfinite()]
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    assert (draw_of().hide(drawn).nan_to_num() == drawn[:, 0].nan_to_num()).all()


def test_a_seed_repeats_the_draw():
    draw = draw_of(mask_of((0.1,) * 4, (0.2,) * 3, 0.3), n_asked=2)
    first = draw(stars(50))
    torch.manual_seed(2)
    second = draw(stars(50))
    assert first[0][1] == second[0][1]
    torch.testing.assert_close(first[0][0], second[0][0], equal_nan=True)
