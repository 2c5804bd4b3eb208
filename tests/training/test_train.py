"""Training: learning, callbacks, failures, and arguments."""

import numpy as np
import pytest
from trained import SMALL, network

import lyapnet as ln
from lyapnet.optimize import clipped
from lyapnet.training.bptt import evaluate
from lyapnet.training.losses import as_weights
from lyapnet.training.network import Batch


def test_learns_the_xor_with_flossing_and_not_without():
    task = ln.tasks.TemporalXOR(12)
    settings = dict(n_steps=60, batch_size=16, clip_norm=0.03, optimizer=ln.Adam(2e-3))
    schedule = ln.FlossingSchedule(
        before=150, k=28, n_steps=30, transient=5, basis_transient=5, clip_norm=1.0
    )
    accuracy = {}
    for name, when in (("flossed", schedule), ("plain", None)):
        cell = ln.VanillaRNN.random(32, gain=0.5, bias=0.1, rng=0)
        r = ln.train(cell, task, 500, schedule=when, rng=1, **settings)
        u, y, mask = task.sample(60, 100, 2)
        accuracy[name] = task.accuracy(r.outputs(u), y, mask)
        # Every epoch is a test on fresh sequences, before they are learnt from.
        assert abs(r.accuracy[-20:].mean() - accuracy[name]) < 0.05
        assert r.flossing_epochs.sum() == (150 if when else 0)
        assert len(r.exponents) == r.flossing_epochs.sum()
    assert accuracy["flossed"] > 0.9
    assert accuracy["plain"] < 0.6


@pytest.mark.parametrize(
    ("task", "delay"), [(ln.tasks.DelayedCopy(1), 1), (ln.tasks.SpatialXOR(1), 1)], ids=str
)
def test_learns_the_other_tasks(task, delay):
    cell = ln.VanillaRNN.random(24, n_inputs=task.n_inputs, bias=0.1, rng=0)
    r = ln.train(cell, task, 400, n_steps=30, batch_size=16, optimizer=ln.Adam(0.01), rng=1)
    assert r.accuracy[-20:].mean() > 0.9
    assert r.loss[-20:].mean() < 0.3 * r.loss[:5].mean()


def test_the_first_update_is_adam_on_the_checked_gradient():
    net, task = network(), ln.tasks.TemporalXOR(2)
    r = ln.train(
        net.system, task, 1, readout=net.readout, x0=net.x0, clip_norm=0.05,
        optimizer=ln.Adam(0.1, weight_decay=0.2), **SMALL,
    )  # fmt: skip
    u, y, mask = task.sample(12, 3, 0)
    found = evaluate(net, Batch(u, y, as_weights(mask, (12, 3))), "cross_entropy")
    want = ln.Adam(0.1, weight_decay=0.2).update(net.params, clipped(found.grads, 0.05))
    assert r.loss[0] == found.loss
    assert (r.cell.params["W"] == want["W"]).all()
    assert (want["readout.W"] == r.readout.W).all()
    assert (r.readout.b == want["readout.b"]).all()
    assert (r.x0 == want["x0"]).all()


class Exploding(ln.tasks.DelayedCopy):
    """Targets that no loss can take, from the fourth batch on."""

    count = 0

    def sample(self, n_steps, batch_size, rng=None):
        u, y, mask = super().sample(n_steps, batch_size, rng)
        self.count += 1
        return u, y * (1e200 if self.count > 3 else 1.0), mask


def test_a_loss_that_is_not_finite_keeps_the_last_good_network():
    cell = network().system
    with pytest.raises(ln.DivergedError, match="the loss is not finite") as caught:
        ln.train(cell, Exploding(1), 10, **SMALL)
    partial = caught.value.partial
    assert len(partial.loss) == 3
    # The network that gave the third loss is the one after two updates.
    two = ln.train(cell, ln.tasks.DelayedCopy(1), 2, **SMALL)
    assert (partial.cell.params["W"] == two.cell.params["W"]).all()
    assert (partial.x0 == two.x0).all()


def test_diverging_states_are_named():
    cell = ln.VanillaRNN.random(6, activation="linear", gain=1e40, rng=0)
    with pytest.raises(ln.DivergedError, match="not finite after step") as caught:
        ln.train(cell, ln.tasks.DelayedCopy(1), 2, **SMALL)
    assert caught.value.step is not None


def test_the_callback_sees_each_epoch():
    seen = []
    r = ln.train(network().system, ln.tasks.DelayedCopy(1), 3, callback=seen.append, **SMALL)
    assert all(isinstance(p, ln.TrainingProgress) for p in seen)
    assert [p.epoch for p in seen] == [len(p.loss) for p in seen] == [1, 2, 3]
    for p in seen:
        assert (p.loss == r.loss[: p.epoch]).all()
        assert (p.accuracy == r.accuracy[: p.epoch]).all()
        assert (p.flossing_epochs == r.flossing_epochs[: p.epoch]).all()
    assert seen[0].exponents is None
    assert (seen[-1].cell.params["W"] == r.cell.params["W"]).all()
    assert (seen[0].cell.params["W"] != r.cell.params["W"]).any()


def test_goes_on_where_it_ended():
    cell, task = network().system, ln.tasks.TemporalXOR(2)
    settings = dict(n_steps=12, batch_size=3)
    whole = ln.train(cell, task, 4, rng=np.random.default_rng(0), **settings)
    rng = np.random.default_rng(0)
    half = ln.train(cell, task, 2, rng=rng, **settings)
    rest = ln.train(
        half.cell, task, 2, readout=half.readout, x0=half.x0, optimizer=half.optimizer, rng=rng,
        **settings,
    )  # fmt: skip
    assert (rest.loss == whole.loss[2:]).all()
    assert (rest.cell.params["W"] == whole.cell.params["W"]).all()


@pytest.mark.parametrize(
    ("kwargs", "error", "named"),
    [
        ({"n_steps": 2}, ValueError, "`n_steps` must be at least 3"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"loss": "hinge"}, ValueError, "`loss` must be one of"),
        ({"optimizer": 1e-3}, TypeError, "`optimizer`"),
        ({"schedule": 3}, TypeError, "`schedule`"),
        ({"readout": "small"}, TypeError, "`readout`"),
        ({"readout": (np.ones((2, 6)), np.ones(1))}, ValueError, "weights must have shape"),
        ({"x0": np.ones(5)}, ValueError, "`x0`"),
        ({"x0": np.ones((3, 6))}, ValueError, "`x0`"),
        ({"clip_norm": 0}, ValueError, "`clip_norm`"),
        ({"clip_norm": ("local", 1)}, ValueError, "`clip_norm`"),
        ({"penalty": "strong"}, TypeError, "`penalty`"),
        ({"penalty": ("strong", 1)}, ValueError, "`penalty`"),
        ({"diagnostics": ["blood pressure"]}, ValueError, "`diagnostics`"),
        ({"diagnostics": 3}, TypeError, "`diagnostics`"),
        ({"rng": "lucky"}, TypeError, "`rng`"),
        ({"schedule": ln.FlossingSchedule(k=7, n_steps=3)}, ValueError, "`k` must be at most 6"),
    ],
)
def test_bad_arguments_are_named(kwargs, error, named):
    with pytest.raises(error, match=named):
        ln.train(network().system, ln.tasks.DelayedCopy(2), 2, **{**SMALL, **kwargs})


def test_what_does_not_fit_together_is_named():
    with pytest.raises(ValueError, match="make a cell with n_inputs=3"):
        ln.train(network().system, ln.tasks.SpatialXOR(2), 2, **SMALL)
    with pytest.raises(TypeError, match="`task` must have n_inputs"):
        ln.train(network().system, "xor", 2, **SMALL)
    cell = network().system
    both = ln.VanillaRNN(*(np.stack([cell.params[name]] * 2) for name in "WVb"))
    with pytest.raises(ValueError, match="one network, not an ensemble"):
        ln.train(both, ln.tasks.DelayedCopy(2), 2, **SMALL)
    with pytest.raises(TypeError, match="'k'"):
        ln.FlossingSchedule(n_steps=3)


@pytest.mark.parametrize("bad", ["inputs", "targets"])
def test_data_of_a_task_that_are_not_finite_are_named(bad):
    class Own:
        n_inputs = n_outputs = 1
        loss = "squared_error"

        def sample(self, n_steps, batch_size, rng):
            data = {x: rng.standard_normal((n_steps, batch_size, 1)) for x in ("inputs", "targets")}
            data[bad][4, 1] = np.nan
            return data["inputs"], data["targets"], np.ones(n_steps)

    cell = ln.VanillaRNN.random(5, rng=1)
    with pytest.raises(ValueError, match=rf"finite {bad}, but {bad}\[4, 1, 0\]"):
        ln.train(cell, Own(), 9, n_steps=12, batch_size=8, rng=0)


def test_an_error_says_in_which_epoch_it_happened():
    cell = ln.VanillaRNN.random(12, gain=1.2, n_inputs=2, rng=1)
    with pytest.raises(ln.LyapnetError) as caught:
        ln.floss(cell, 200, k=4, n_steps=30, optimizer=ln.Adam(50.0), rng=0)
    epochs = len(caught.value.partial.loss)
    assert f"epoch {epochs + 1} of flossing" in caught.value.__notes__[0]


def test_a_task_without_a_mask_is_told_what_it_lacks():
    class Unmasked(ln.tasks.DelayedCopy):
        def sample(self, *given):
            return super().sample(*given)[:2]

    with pytest.raises(ValueError, match=r"inputs, targets and a mask, got 2 .*np.ones\(n_steps\)"):
        ln.train(ln.GRU.random(4, rng=0), Unmasked(1), 2, n_steps=9, batch_size=2, rng=0)


def test_readout_of_a_standard_deviation():
    cell, task = ln.VanillaRNN.random(5, n_inputs=1, rng=0), ln.tasks.TemporalXOR(2)
    run = dict(n_epochs=0, n_steps=9, batch_size=2)
    whole, small = (ln.train(cell, task, readout=x, rng=1, **run) for x in (None, 0.25))
    np.testing.assert_array_equal(small.readout.W, 0.25 * whole.readout.W)
    np.testing.assert_array_equal(small.readout.b, [0])
    np.testing.assert_array_equal(small.x0, whole.x0)
