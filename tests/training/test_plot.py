"""The picture of a training run: all of its data, and chance only where it is known."""

import numpy as np

import lyapnet as ln


class RareBits(ln.tasks.Task):
    """Bits of which one in ten is set: a network that knows nothing is right in nine of ten."""

    loss = "cross_entropy"

    def _draw(self, shape, rng):
        return (rng.random(shape) < 0.1).astype(float)

    def _target(self, u):
        return u


def trained(task, **more):
    cell = ln.VanillaRNN.random(6, n_inputs=task.n_inputs, bias=0.1, rng=0)
    return ln.train(cell, task, 12, n_steps=8, batch_size=4, rng=0, **more)


def named(ax, name):
    return [line for line in ax.lines if line.get_label() == name]


def test_chance_is_drawn_where_the_task_says_it():
    assert trained(ln.tasks.TemporalXOR(2)).chance == 0.5
    (line,) = named(trained(ln.tasks.SpatialXOR(1)).plot(), "chance")
    assert set(line.get_ydata()) == {0.5}
    rare = trained(RareBits())
    assert rare.chance is None
    assert not named(rare.plot(), "chance")


def test_no_data_are_cut_off():
    # R2 of a readout that has just been drawn is far below zero
    for r in (trained(ln.tasks.DelayedCopy(2)), trained(ln.tasks.TemporalXOR(2))):
        ax = r.plot()
        low, high = ax.get_ylim()
        assert low < r.accuracy.min()
        assert high > r.accuracy.max()
    assert trained(ln.tasks.DelayedCopy(2)).accuracy.min() < -1


def test_chance_is_saved(tmp_path):
    r = trained(ln.tasks.TemporalXOR(2))
    assert ln.load(r.save(tmp_path / "r.npz"), ln.TrainResult).chance == 0.5
    assert np.isfinite(r.loss).all()
