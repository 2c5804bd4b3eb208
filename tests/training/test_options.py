"""Losses, validation, early stop, learning rates, dropout and checkpoints that are read."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import lyapnet as ln
from lyapnet.training.losses import accuracy, loss_and_gradient

RUN = dict(n_steps=8, batch_size=4, rng=1)
TASK = ln.tasks.DelayedCopy(2)


def cell():
    return ln.VanillaRNN.random(6, rng=0)


def softmax_by_hand(z, y, weights):
    p = anp.exp(z) / anp.sum(anp.exp(z), axis=-1, keepdims=True)
    each = -anp.sum(y * anp.log(p), axis=-1)
    weights = weights + np.zeros(np.shape(each))
    return anp.sum(each * weights) / np.sum(weights)


@pytest.mark.parametrize("members", [1, 5])
def test_softmax_is_the_entropy_of_classes(members):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((7, 5, 4))
    y = np.eye(4)[rng.integers(0, 4, (7, 5))]
    weights = rng.random((7, members))
    value, bar = loss_and_gradient("softmax", z, y, weights)
    np.testing.assert_allclose(value, softmax_by_hand(z, y, weights), rtol=1e-12)
    np.testing.assert_allclose(bar, grad(softmax_by_hand)(z, y, weights), atol=1e-14)
    # and so it is as a function of one's own
    same = loss_and_gradient(softmax_by_hand, z, y, weights)
    np.testing.assert_allclose(same[0], value, rtol=1e-12)
    np.testing.assert_allclose(same[1], bar, atol=1e-14)
    right = z.argmax(-1) == y.argmax(-1)
    full = np.broadcast_to(weights, (7, 5))
    np.testing.assert_allclose(
        accuracy("softmax", z, y, weights), (right * full).sum() / full.sum()
    )
    value, bar = loss_and_gradient("softmax", 1e4 * z, y, weights)
    assert np.isfinite(value)
    assert np.isfinite(bar).all()


def test_a_loss_of_ones_own_trains_as_the_one_it_is():
    def squared(outputs, targets, weights):
        weights = weights[..., None] + np.zeros(np.shape(targets))
        return anp.sum((outputs - targets) ** 2 * weights) / np.sum(weights)

    named, own = (ln.train(cell(), TASK, 5, loss=loss, **RUN) for loss in (None, squared))
    np.testing.assert_allclose(own.loss, named.loss, rtol=1e-12)
    with pytest.raises(ValueError, match="`loss` must return one number"):
        ln.train(cell(), TASK, 5, loss=lambda z, y, w: z - y, **RUN)
    with pytest.raises(TypeError, match="autograd cannot trace `loss`"):
        ln.train(cell(), TASK, 5, loss=lambda z, y, w: np.float64(float(z.sum())), **RUN)


def test_a_callback_that_returns_true_stops(tmp_path):
    path = tmp_path / "run.npz"
    r = ln.train(cell(), TASK, 9, callback=lambda p: p.epoch == 3, checkpoint=path, **RUN)
    assert len(r.loss) == 3
    again = ln.train(cell(), TASK, 9, checkpoint=path, **RUN)  # stopped is stopped
    np.testing.assert_array_equal(again.cell.params["W"], r.cell.params["W"])
    seen = []
    r = ln.train(cell(), TASK, 4, callback=lambda p: seen.append(p) or "no", **RUN)
    assert len(r.loss) == len(seen) == 4
    path = tmp_path / "floss.npz"
    r = ln.floss(cell(), 9, k=1, n_steps=5, rng=0, callback=lambda p: np.True_, checkpoint=path)
    assert len(r.loss) == 1
    assert len(ln.floss(cell(), 9, k=1, n_steps=5, rng=0, checkpoint=path).loss) == 1


def test_learning_rate_is_a_function_of_the_epoch(tmp_path):
    def rate(epoch):
        return 0.1 * 0.5**epoch

    r = ln.train(cell(), TASK, 4, learning_rate=rate, **RUN)
    np.testing.assert_allclose(r.optimizer.learning_rate, rate(3))
    adam, cells = ln.Adam(0.1), [cell()]
    # Adam's first step is the rate itself, in each parameter
    first = ln.train(cell(), TASK, 1, learning_rate=rate, optimizer=adam, **RUN).cell
    moved = np.abs(first.params["W"] - cells[0].params["W"])
    np.testing.assert_allclose(moved.max(), 0.1, rtol=1e-4)
    constant = ln.train(cell(), TASK, 4, learning_rate=lambda epoch: 0.02, **RUN)
    plain = ln.train(cell(), TASK, 4, optimizer=ln.Adam(0.02), **RUN)
    np.testing.assert_array_equal(constant.loss, plain.loss)
    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        ln.train(cell(), TASK, 4, learning_rate=rate, checkpoint=path, callback=interrupt, **RUN)
    resumed = ln.train(cell(), TASK, 4, learning_rate=rate, checkpoint=path, **RUN)
    np.testing.assert_array_equal(resumed.loss, r.loss)
    with pytest.raises(TypeError, match=r"optimizer=ln.Adam\(0.02\)"):
        ln.train(cell(), TASK, 1, learning_rate=0.02, **RUN)
    with pytest.raises(ValueError, match=r"`learning_rate\(0\)`"):
        ln.train(cell(), TASK, 1, learning_rate=lambda epoch: -1.0, **RUN)


@pytest.mark.parametrize("optimizer", [ln.Adam(0.02), ln.SOAP(0.02)], ids=["Adam", "SOAP"])
def test_a_learning_rate_may_begin_and_end_at_zero(optimizer, tmp_path):
    # Before: a warm-up from zero was refused, and what ends at zero would not have gone on.
    def rate(epoch):
        return 0.01 * epoch * (3 - epoch)

    run = dict(RUN, learning_rate=rate, optimizer=optimizer)
    still = ln.train(cell(), TASK, 1, **run)
    np.testing.assert_array_equal(still.cell.params["W"], cell().params["W"])
    whole = ln.train(cell(), TASK, 4, **run)
    assert (whole.cell.params["W"] != still.cell.params["W"]).any()
    assert whole.optimizer.learning_rate == 0
    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        ln.train(cell(), TASK, 4, checkpoint=path, callback=interrupt_at_once, **run)
    np.testing.assert_array_equal(
        ln.train(cell(), TASK, 4, checkpoint=path, **run).loss, whole.loss
    )
    on = ln.train(
        whole.cell, TASK, 2, optimizer=whole.optimizer, learning_rate=lambda _: 1e-3, **RUN
    )
    assert on.optimizer.t == 6
    whole.save(tmp_path / "whole.npz")
    assert ln.load(tmp_path / "whole.npz").optimizer.learning_rate == 0


def interrupt_at_once(progress):
    raise KeyboardInterrupt


def interrupt(progress):
    if progress.epoch == 2:
        raise KeyboardInterrupt


def test_dropout_is_a_network_of_fewer_units():
    runs = {}
    for p in (0.0, 0.5):
        runs[p] = ln.train(cell(), TASK, 3, dropout=p, **RUN)
    assert runs[0.0].loss[0] != runs[0.5].loss[0]
    # the gradient is that of the masked network, by finite differences
    from lyapnet.training.dropout import dropped
    from lyapnet.training.network import Network, Readout

    net = Network(cell(), Readout(np.ones((1, 6)), np.zeros(1)), np.zeros(6))
    cut, masks = dropped(net, 0.5, np.random.default_rng(0))
    mask = masks["W"]
    assert set(np.round(mask, 12)) == {0.0, 2.0}
    np.testing.assert_array_equal(cut.system.params["W"], net.system.params["W"] * mask)
    # Adam moves only the columns of the units that were there, in the first epoch
    moved = ln.train(cell(), TASK, 1, dropout=0.5, **RUN).cell.params["W"] - cell().params["W"]
    columns = np.abs(moved).max(axis=0)
    assert (columns == 0).any()
    assert (columns > 0).any()
    stack = ln.Stack([ln.GRU.random(4, rng=0), ln.LSTM.random(3, n_inputs=4, rng=1)])
    _, masks = dropped(Network(stack, Readout(np.ones((1, 3)), np.zeros(1)), np.zeros(10)), 0.2,
                       np.random.default_rng(0))  # fmt: skip
    assert {name: len(m) for name, m in masks.items()} == {"layer0.W": 4, "layer1.W": 3}
    assert np.isfinite(ln.train(stack, TASK, 3, dropout=0.3, **RUN).loss).all()
    with pytest.raises(ValueError, match="`dropout` must be less than 1"):
        ln.train(cell(), TASK, 1, dropout=1.0, **RUN)
    esn = ln.EchoStateNetwork.random(9, degree=3, rng=0)
    with pytest.raises(ValueError, match="`dropout` needs recurrent weights"):
        ln.train(esn, TASK, 1, dropout=0.5, **RUN)


def test_validation_is_on_what_is_held_out():
    rng = np.random.default_rng(0)
    x = rng.random((8, 40, 1))
    task = ln.tasks.Sequences(x, np.roll(x, 1, axis=0), np.arange(8) > 0, validation=0.25, rng=0)
    best = []

    def callback(progress):
        best.append(progress.diagnostics["validation_loss"][-1])

    r = ln.train(cell(), task, 7, validate_every=3, callback=callback, **RUN)
    plain = ln.train(cell(), task, 7, **RUN)
    np.testing.assert_array_equal(r.loss, plain.loss)  # looking changes nothing
    loss = r.diagnostics["validation_loss"]
    assert list(np.flatnonzero(np.isfinite(loss))) == [2, 5]
    np.testing.assert_array_equal(best, loss)
    six = ln.train(cell(), task, 6, validate_every=3, **RUN)
    u, y, _ = task.held_out()
    z = six.outputs(u)
    want = np.mean((z - y)[1:] ** 2)
    np.testing.assert_allclose(loss[5], want, rtol=1e-12)
    right = 1 - np.sum((z - y)[1:] ** 2) / np.sum((y[1:] - y[1:].mean()) ** 2)
    np.testing.assert_allclose(r.diagnostics["validation_accuracy"][5], right, rtol=1e-10)
    with pytest.raises(ValueError, match="`validate_every` is for a task that holds something"):
        ln.train(cell(), TASK, 1, validate_every=1, **RUN)


def test_the_network_of_an_interrupted_run_can_be_read(tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        ln.train(cell(), TASK, 9, checkpoint=path, callback=interrupt, **RUN)
    saved = ln.read_checkpoint(path, cell())
    # the epoch that the interrupt fell into is not counted; what was done before is
    short = ln.train(cell(), TASK, saved.epoch, **RUN)
    assert saved.epoch == 1
    np.testing.assert_array_equal(saved.cell.params["W"], short.cell.params["W"])
    np.testing.assert_array_equal(saved.readout.W, short.readout.W)
    np.testing.assert_array_equal(saved.x0, short.x0)
    np.testing.assert_array_equal(saved.loss, short.loss)
    assert repr(saved) == f"Saved(epoch=1, loss={short.loss[0]:.6g}, cell={saved.cell!r})"
    np.testing.assert_array_equal(saved.accuracy, short.accuracy)
    with pytest.raises(ValueError, match="`cell` is not of the kind"):
        ln.read_checkpoint(path, ln.Stack([cell(), ln.GRU.random(3, n_inputs=6)]))
    with pytest.raises(FileNotFoundError, match="no such file"):
        ln.read_checkpoint(tmp_path / "no.npz", cell())
    other = cell().save(tmp_path / "cell.npz")
    with pytest.raises(ValueError, match="not a checkpoint"):
        ln.read_checkpoint(other, cell())


def test_a_loss_that_autograd_cannot_trace_is_not_asked_for_a_jacobian():
    cell = ln.VanillaRNN.random(8, rng=0)
    with pytest.raises(TypeError, match="autograd cannot trace `loss`") as info:
        ln.train(
            cell, ln.tasks.DelayedCopy(2), 2, n_steps=10, batch_size=4, rng=0,
            loss=lambda z, y, w: float(np.sum((z - y) ** 2)),
        )  # fmt: skip
    assert "jacobian" not in str(info.value)
