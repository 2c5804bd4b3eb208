"""Targets by their definition, losses against exact values and finite differences."""

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.training.losses import accuracy, as_weights, loss_and_gradient

TASKS = [
    ln.tasks.DelayedCopy(3),
    ln.tasks.DelayedCopy(0),
    ln.tasks.TemporalXOR(6),
    ln.tasks.TemporalXOR(2, inputs="uniform"),
    ln.tasks.SpatialXOR(4),
    ln.tasks.SpatialXOR(0),
]


def target(task, u, t):
    """Write out one target from the definition."""
    d = task.delay
    if isinstance(task, ln.tasks.DelayedCopy):
        return u[t - d]
    if isinstance(task, ln.tasks.TemporalXOR):
        return abs(u[t - d // 2] - u[t - d])
    a, b, c = u[t - d].T
    return abs(abs(a - b) - c)[:, None]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_targets_follow_the_definition(task):
    u, y, mask = task.sample(12, 3, rng=0)
    assert u.shape == (12, 3, task.n_inputs)
    assert y.shape == (12, 3, task.n_outputs)
    assert mask.tolist() == [t >= task.delay for t in range(12)]
    for t in np.flatnonzero(mask):
        assert (y[t] == target(task, u, t)).all()


def test_bits_are_fair_and_the_targets_undecided():
    # 40000 fair bits: 4 standard deviations are 0.01.
    for task in (ln.tasks.TemporalXOR(10), ln.tasks.SpatialXOR(10)):
        u, y, mask = task.sample(410, 100, rng=1)
        assert set(np.unique(u)) == {0.0, 1.0}
        assert abs(u.mean() - 0.5) < 0.01
        assert abs(y[mask].mean() - 0.5) < 0.01


def test_the_generator_decides():
    task = ln.tasks.TemporalXOR(4)
    rng = np.random.default_rng(3)
    a, b = (task.sample(8, 5, rng)[0] for _ in range(2))
    assert (a == task.sample(8, 5, 3)[0]).all()
    assert (a != b).any()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`delay` must be even, got 5"):
        ln.tasks.TemporalXOR(5)
    with pytest.raises(ValueError, match="`n_steps` must be at least 7"):
        ln.tasks.TemporalXOR(6).sample(6, 1)
    with pytest.raises(ValueError, match="`inputs` must be one of"):
        ln.tasks.TemporalXOR(6, inputs="ternary")
    with pytest.raises(ValueError, match="`delay` must be at least 0"):
        ln.tasks.DelayedCopy(-1)


@pytest.mark.parametrize("name", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("shared", [True, False])
def test_loss_gradient_against_finite_differences(name, shared):
    rng = np.random.default_rng(2)
    z = 3 * rng.standard_normal((5, 2, 3))
    y = rng.integers(0, 2, z.shape).astype(float)
    weights = rng.random((5, 1 if shared else 2))
    _, bar = loss_and_gradient(name, z, y, weights)
    for i in np.ndindex(*z.shape):
        step = np.zeros_like(z)
        step[i] = 1e-5
        up, down = (loss_and_gradient(name, z + s * step, y, weights)[0] for s in (1, -1))
        # Central differences: truncation and rounding are both near 1e-11 here.
        assert abs((up - down) / 2e-5 - bar[i]) < 1e-9


def test_cross_entropy_is_exact_at_the_ends():
    one = np.ones((1, 1))
    for z in (0.0, 1000.0, -1000.0):
        for y in (0.0, 1.0):
            loss, bar = loss_and_gradient(
                "cross_entropy", np.full((1, 1, 1), z), np.full((1, 1, 1), y), one
            )
            assert loss == pytest.approx(np.logaddexp(0, z) - y * z, abs=1e-15)
            assert bar.item() == pytest.approx(0.5 * (1 + np.sign(z)) - y, abs=1e-15)


def test_the_mask_makes_a_weighted_mean():
    z, y = np.array([1.0, 2.0, 5.0]).reshape(3, 1, 1), np.zeros((3, 1, 1))
    weights = as_weights(np.array([0, 1, 3]), (3, 1))
    assert loss_and_gradient("squared_error", z, y, weights)[0] == pytest.approx((4 + 75) / 4)


def test_accuracy_exact():
    z = np.array([-1.0, 2.0, 3.0, -4.0]).reshape(4, 1, 1)
    y = np.array([0.0, 1.0, 0.0, 1.0]).reshape(4, 1, 1)
    mask = np.array([True, True, True, False])
    assert accuracy("cross_entropy", z, y, mask) == pytest.approx(2 / 3)
    assert accuracy("squared_error", y, y, mask) == 1.0
    assert accuracy("squared_error", np.full_like(y, y[mask].mean()), y, mask) == pytest.approx(0)
    assert accuracy("squared_error", y + 1, np.ones_like(y), mask) == 0.0
    assert ln.tasks.TemporalXOR(2).accuracy(z, y, mask) == pytest.approx(2 / 3)


def test_a_mask_of_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match="mask must have shape"):
        as_weights(np.ones(3), (4, 2))
    with pytest.raises(ValueError, match="counts no step"):
        as_weights(np.zeros(4), (4, 2))


class Labels:
    """A task whose targets are labels of classes, in one of two shapes."""

    n_inputs, n_outputs, delay, loss = 1, 3, 0, "softmax"

    def __init__(self, *last):
        self.last = last

    def sample(self, n_steps, batch_size, rng):
        labels = rng.integers(3, size=(n_steps, batch_size, *self.last))
        return np.zeros((n_steps, batch_size, 1)), labels, np.ones(n_steps)


@pytest.mark.parametrize("task", [Labels(), Labels(1)])
def test_labels_of_classes_are_to_be_rows_of_zeros_and_a_one(task):
    with pytest.raises(ValueError, match=r"targets of shape \(5, 2, 3\).*np.eye\(3\)\[labels\]"):
        ln.train(ln.VanillaRNN.random(4, rng=0), task, 1, n_steps=5, batch_size=2, rng=0)


def test_other_targets_of_a_wrong_shape_are_not_taken_for_labels():
    task = Labels(2)
    with pytest.raises(ValueError, match=r"got \(5, 2, 2\)$"):
        ln.train(ln.VanillaRNN.random(4, rng=0), task, 1, n_steps=5, batch_size=2, rng=0)


class Given:
    """A task with targets that are given."""

    n_inputs = 1

    def __init__(self, loss, targets):
        self.loss, self.targets = loss, np.asarray(targets, dtype=float)
        self.n_outputs = self.targets.shape[-1]

    def sample(self, n_steps, batch_size, rng):
        targets = np.broadcast_to(self.targets, (n_steps, batch_size, self.n_outputs))
        return rng.standard_normal((n_steps, batch_size, 1)), targets, np.arange(n_steps) > 0


@pytest.mark.parametrize(
    ("loss", "targets", "named"),
    [
        ("cross_entropy", [-1.0], r"between 0 and 1.* has -1: .*take \(1 \+ y\) / 2"),
        ("cross_entropy", [0.5, 2.0], "has 2:"),
        ("softmax", [0.5, 0.7], "whose sum over the outputs is 1"),
        ("softmax", [-0.5, 1.5], "between 0 and 1"),
    ],
)
def test_targets_that_a_loss_cannot_take_are_refused(loss, targets, named):
    # Before: of signs the cross entropy fell without end, and training had "learned".
    cell, run = ln.VanillaRNN.random(4, rng=0), dict(n_steps=5, batch_size=2, rng=0)
    with pytest.raises(ValueError, match=named):
        ln.train(cell, Given(loss, targets), 2, **run)
    ln.train(cell, Given("squared_error", targets), 2, **run)


@pytest.mark.parametrize(("loss", "good"), [("cross_entropy", [0.3]), ("softmax", [0.25, 0.75])])
def test_targets_of_steps_that_do_not_count_may_be_anything(loss, good):
    targets = np.broadcast_to(np.float32(good), (5, 2, len(good))).copy()
    targets[0] = -1
    cell = ln.VanillaRNN.random(4, rng=0)
    r = ln.train(cell, Given(loss, targets), 2, n_steps=5, batch_size=2, rng=0)
    assert np.isfinite(r.loss).all()
