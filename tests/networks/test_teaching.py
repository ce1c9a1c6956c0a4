"""Teachers are asked about what the learner is shown, and nothing more."""

import pytest
import torch

from msaestimator.networks import GroupMask, NoisyMask, TaughtMask

N_STARS, N_FEATURES = 50, 4


class Teacher(torch.nn.Module):
    """Two members whose one label is the sum of what is shown, and that plus one."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def quantiles(self, x):
        sums = self.factor * x.nansum(dim=1)
        steps = torch.tensor([-1.0, 0.0, 1.0])
        return (torch.stack([sums, sums + 1], dim=1)[..., None] + steps)[:, :, None]


@pytest.fixture
def x():
    return torch.rand(N_STARS, N_FEATURES)


def mask(ratio=0.4):
    return GroupMask(range(N_FEATURES), [ratio] * N_FEATURES)


def test_the_mean_of_all_members_of_all_teachers(x):
    (shown,), (hidden, taught) = TaughtMask(mask(), [Teacher(), Teacher(3.0)])(x)
    torch.testing.assert_close(shown.isnan(), hidden)
    expected = 2 * shown.nansum(dim=1)[:, None, None] + torch.tensor([-0.5, 0.5, 1.5])
    torch.testing.assert_close(taught, expected)


def test_teachers_see_the_noise_that_the_learner_sees(x):
    stars = torch.cat([x, torch.ones_like(x)], dim=1)
    (shown,), (_, taught) = TaughtMask(NoisyMask(mask(0.0)), [Teacher()])(stars)
    assert (shown - x).abs().max() > 0.5
    torch.testing.assert_close(taught[:, 0, 1], shown.sum(dim=1) + 0.5)


def test_teachers_learn_nothing(x):
    teacher = Teacher()
    _, (_, taught) = TaughtMask(mask(), [teacher])(x)
    assert not taught.requires_grad
    assert teacher.factor.grad is None


def test_the_draw_is_that_of_the_mask(x):
    torch.manual_seed(1)
    plain = mask()(x)
    torch.manual_seed(1)
    shown, (hidden, _) = TaughtMask(mask(), [Teacher()])(x)
    torch.testing.assert_close((shown, hidden), plain, equal_nan=True)
