"""Training: gradients against finite differences and autograd, learning, schedules, controls."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import lyapnet as ln
from lyapnet.optimize import checked_clip, clipped
from lyapnet.training.bptt import evaluate
from lyapnet.training.diagnostics import DIAGNOSTICS, Moment
from lyapnet.training.losses import as_weights
from lyapnet.training.network import Batch, Network, Readout
from lyapnet.training.penalty import JacobianNorm, SpectralRadius

SMALL = {"n_steps": 12, "batch_size": 3, "rng": 0}


def network(n=6, m=1, p=1, **kwargs):
    rng = np.random.default_rng(1)
    cell = ln.VanillaRNN.random(n, n_inputs=m, **{"bias": 0.1, "gain": 1.2, "rng": 2, **kwargs})
    readout = Readout(rng.standard_normal((p, n)), rng.standard_normal(p))
    return Network(cell, readout, rng.standard_normal(n))


def batch(m=1, p=1, T=9, B=3, shared=True):
    rng = np.random.default_rng(3)
    mask = np.arange(T) >= 4 if shared else rng.random((T, B)) * (np.arange(T) >= 2)[:, None]
    targets = rng.integers(0, 2, (T, B, p)).astype(float)
    return Batch(rng.standard_normal((T, B, m)), targets, as_weights(mask, (T, B)))


def traced_loss(net, data, name, params):
    """Write the loss out with the cell's own step, for autograd and finite differences."""
    cell = net.system.with_params({key: params[key] for key in net.system.params})
    T, B = data.inputs.shape[:2]
    x = anp.zeros((B, 1)) + params["x0"]
    weights = np.broadcast_to(data.weights, (T, B))
    total = 0.0
    for t in range(T):
        x = cell.step(x, data.inputs[t])
        z = anp.dot(x, params["readout.W"].T) + params["readout.b"]
        if name == "cross_entropy":
            each = anp.logaddexp(0.0, z) - data.targets[t] * z
        else:
            each = (z - data.targets[t]) ** 2
        total = total + anp.sum(each * weights[t][:, None])
    return total / (weights.sum() * data.targets.shape[2])


CASES = [
    {},
    {"activation": "relu"},
    {"activation": "linear", "gain": 0.7},
    {"leak": 0.4},
    {"init": "orthogonal"},
]


@pytest.mark.parametrize("kwargs", CASES, ids=str)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize(("m", "p", "shared"), [(1, 1, True), (3, 2, False)])
def test_gradients_against_autograd_and_finite_differences(kwargs, loss, m, p, shared):
    net, data = network(m=m, p=p, **kwargs), batch(m, p, shared=shared)
    found = evaluate(net, data, loss)
    params = net.params
    assert found.loss == pytest.approx(traced_loss(net, data, loss, params), rel=1e-13)
    want = grad(lambda q: traced_loss(net, data, loss, q))(params)
    assert set(found.grads) == set(want) == {"W", "V", "b", "readout.W", "readout.b", "x0"}
    rng = np.random.default_rng(4)
    for name, g in want.items():
        scale = np.abs(g).max()
        np.testing.assert_allclose(found.grads[name], g, rtol=1e-10, atol=1e-11 * scale)
        direction = rng.standard_normal(g.shape)
        up, down = (
            evaluate(net.with_params({**params, name: params[name] + s * direction}), data, loss)
            for s in (1e-5, -1e-5)
        )
        slope = (up.loss - down.loss) / 2e-5
        # Truncation near 1e-10 and rounding near 1e-11 of the loss.
        assert slope == pytest.approx(np.sum(direction * g), rel=1e-6, abs=1e-7 * scale)


def test_the_first_states_share_a_trained_value():
    net, data = network(), batch()
    found = evaluate(net, data, "cross_entropy")
    np.testing.assert_allclose(found.grads["x0"], found.initial_bar.sum(axis=0), rtol=1e-14)


@pytest.mark.parametrize("penalty", [SpectralRadius(0.7, 0.9), JacobianNorm(0.3, 0.8)], ids=repr)
@pytest.mark.parametrize("kwargs", CASES[:-1], ids=str)  # orthogonal: all radii are equal
def test_penalties_against_finite_differences(penalty, kwargs):
    net, data = network(**kwargs), batch()

    def run(params):
        rng = np.random.default_rng(5)
        return evaluate(net.with_params(params), data, "squared_error", penalty, rng)

    found, plain = run(net.params), evaluate(net, data, "squared_error")
    assert found.loss > plain.loss
    rng = np.random.default_rng(6)
    for name, x in net.params.items():
        direction = rng.standard_normal(x.shape)
        up, down = (run({**net.params, name: x + s * direction}).loss for s in (1e-6, -1e-6))
        want = np.sum(found.grads[name] * direction)
        assert (up - down) / 2e-6 == pytest.approx(want, rel=1e-6, abs=1e-8)


def test_the_spectral_radius_of_several_gates_is_refused_before_any_work():
    cell = ln.LSTM.random(4, rng=0)
    with pytest.raises(ValueError, match="one square matrix W"):
        ln.train(
            cell,
            ln.tasks.TemporalXOR(2),
            0,
            n_steps=9,
            batch_size=2,
            penalty=("spectral_radius", 1.0),
        )


def test_the_spectral_radius_comes_to_its_target():
    cell = ln.VanillaRNN.random(10, gain=0.3, rng=0)
    r = ln.train(
        cell, ln.tasks.DelayedCopy(1), 300, optimizer=ln.Adam(0.01),
        penalty=("spectral_radius", 100.0), **SMALL,
    )  # fmt: skip
    assert abs(np.abs(np.linalg.eigvals(r.cell.params["W"])).max() - 1) < 0.05


def test_clipping():
    grads = {"a": np.array([3.0, 4.0]), "b": np.array([0.3])}
    assert clipped(grads, None) is grads
    each = clipped(grads, 1.0)
    np.testing.assert_allclose(each["a"], [0.6, 0.8])
    assert each["b"] == 0.3
    together = clipped(grads, ("global", 1.0))
    norm = np.sqrt(25.09)
    np.testing.assert_allclose(together["a"], [3 / norm, 4 / norm])
    np.testing.assert_allclose(together["b"], [0.3 / norm])
    assert checked_clip(("global", 2)) == ("global", 2.0)


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


class EveryOther:
    """A schedule of the user's own."""

    def __init__(self):
        self.settings = {"k": 2, "n_steps": 8}
        self.seen = []

    def episode(self, epoch, record):
        self.seen.append((epoch, record.epoch, len(record.loss)))
        return 3 * (epoch % 2)


def test_any_object_with_an_episode_is_a_schedule():
    schedule = EveryOther()
    r = ln.train(network().system, ln.tasks.DelayedCopy(1), 5, schedule=schedule, **SMALL)
    assert schedule.seen == [(e, e, e) for e in range(5)]
    assert r.flossing_epochs.tolist() == [0, 3, 0, 3, 0]
    assert r.exponents.shape == (6, 2)
    assert r.flossing_optimizer.t == 6
    assert r.optimizer.t == 5


def test_schedules():
    settings = dict(k=2, n_steps=5)
    s = ln.FlossingSchedule(before=7, at=[2, 4], epochs=3, **settings)
    assert [s.episode(e, None) for e in range(6)] == [7, 0, 3, 0, 3, 0]
    assert ln.FlossingSchedule(at=2, **settings).episode(2, None) == 500

    def record(norms, flossed):
        norms, flossed = np.array(norms), np.array(flossed, dtype=int)
        return ln.TrainingProgress(len(norms), None, norms, None, norms, norms, flossed, {})

    a = ln.AdaptiveFlossing(1e-4, 1e-2, epochs=10, most=25, window=2, **settings)
    assert a.episode(0, record([], [])) == 0
    assert a.episode(2, record([1e-3, 1e-3], [0, 0])) == 0
    assert a.episode(2, record([1e-3, 1e-6], [0, 0])) == 10  # collapsed
    assert a.episode(3, record([1e-3, 1e-6, 1e-3], [0, 0, 10])) == 10  # not yet back
    assert a.episode(3, record([1e-3, 1e-6, 0.1], [0, 0, 10])) == 0  # back
    assert a.episode(4, record([1e-3, 1e-6, 1e-3, 1e-3], [0, 0, 10, 10])) == 5  # what is left
    assert a.episode(1, record([0.0], [0])) == 10  # no gradient at all
    with pytest.raises(ValueError, match="`low` and `high` go together"):
        ln.AdaptiveFlossing(1e-4, **settings)


def test_adaptive_flossing_needs_no_absolute_number():
    rule = ln.AdaptiveFlossing(
        epochs=10, most=75, window=2, drop=100, growth=2, patience=2, enough=2, k=2, n_steps=5
    )

    def episode(share, flossed, scale=1.0, known=True):
        share, flossed = scale * np.array(share), np.array(flossed, dtype=int)
        n = len(share)
        other = np.full(n, np.nan)
        norms, share = (other, share) if known else (share, None)
        record = ln.TrainingProgress(n, None, other, None, other, norms, flossed, {}, share)
        return rule.episode(n, record)

    for scale in (1.0, 1e-9, 1e9):
        for known in (True, False):  # the transmission, or the norm of the gradient in its place

            def after(share, flossed, scale=scale, known=known):
                return episode(share, flossed, scale, known)

            assert after([], []) == 10  # before training
            assert after([1, 1], [10, 10]) == 10  # too early to tell
            assert after([1, 3, 4], [10] * 3) == 10  # grows
            assert after([1, 3, 4, 4], [10] * 4) == 0  # not to twice 3 in two episodes
            ended = [1, 3, 4, 4], [10] * 4
            assert after(ended[0] + [0.01], ended[1] + [0]) == 0  # too early to tell
            assert after(ended[0] + [0.1, 0.1], ended[1] + [0] * 2) == 0  # not a hundredth
            assert after(ended[0] + [0.03, 0.03], ended[1] + [0] * 2) == 10  # collapsed
            again = ended[0] + [0.03, 0.03, 2], ended[1] + [0, 0, 10]
            assert after(*again) == 10  # the new flossing is judged by itself
            assert after(again[0] + [3, 6], again[1] + [10, 10]) == 5  # what is left of 75
            assert after(again[0] + [3, 8], again[1] + [10, 10]) == 0  # twice what was reached


def test_adaptive_flossing_ends_when_enough_is_back():
    def asked(enough, share):
        rule = ln.AdaptiveFlossing(window=1, enough=enough, k=2, n_steps=5)
        none, flossed = np.full(len(share), np.nan), np.array([20, 20, 0, 0, 20, 0, 0, 20])
        record = ln.TrainingProgress(
            len(share), None, none, None, none, none, flossed[: len(share)], {}, np.array(share)
        )
        return rule.episode(len(share), record)

    first = [0.1, 0.2, 1e-3, 1e-3]
    assert asked(0.5, first) == 20
    assert asked(0.5, [*first, 0.09]) == 20
    assert asked(0.5, [*first, 0.11]) == 0
    assert asked(np.inf, [*first, 0.11]) == 20
    # Not of what little was left when it ended last, but of the best.
    assert asked(0.5, [*first, 0.11, 1e-4, 1e-4, 0.09]) == 20
    with pytest.raises(ValueError, match="`enough` must be positive"):
        asked(0.0, first)


class LastStep(ln.tasks.DelayedCopy):
    """A task in which the last step alone counts."""

    def sample(self, n_steps, batch_size, rng=None):
        u, y, _ = super().sample(n_steps, batch_size, rng)
        return u, y, np.arange(n_steps) == n_steps - 1


@pytest.mark.parametrize("gain", [1.0, 0.9])
@pytest.mark.parametrize("loudness", [1.0, 1e4])
def test_the_transmission_of_a_scaled_rotation(gain, loudness):
    # Exact: a gradient that enters at step T arrives gain**T times as large, whatever its size.
    cell = ln.VanillaRNN.random(5, gain=gain, init="orthogonal", activation="linear", rng=0)
    readout = loudness * np.ones((1, 5)), np.zeros(1)
    r = ln.train(cell, LastStep(1), 1, n_steps=7, batch_size=3, readout=readout, rng=0)
    assert r.diagnostics["transmission"][0] == pytest.approx(gain**7, rel=1e-12)


def test_flossing_has_its_own_optimizer():
    floss_adam, adam = ln.Adam(0.5), ln.Adam(0.25)
    schedule = ln.FlossingSchedule(before=2, k=2, n_steps=5, optimizer=floss_adam)
    r = ln.train(
        network().system, ln.tasks.DelayedCopy(1), 3, schedule=schedule, optimizer=adam, **SMALL
    )
    assert (r.optimizer.learning_rate, r.optimizer.t) == (0.25, 3)
    assert (r.flossing_optimizer.learning_rate, r.flossing_optimizer.t) == (0.5, 2)
    assert floss_adam.t == adam.t == 0


def test_diagnostics_watch_and_do_not_touch():
    cell, task = network(n=5).system, ln.tasks.DelayedCopy(3)
    plain = ln.train(cell, task, 3, **SMALL)
    of_cells = tuple(name for name in DIAGNOSTICS if not name.startswith("gate"))
    r = ln.train(cell, task, 3, diagnostics=of_cells, **SMALL)
    assert (plain.loss == r.loss).all()
    assert set(r.diagnostics) == set(of_cells)
    assert all(np.isfinite(x).all() for x in r.diagnostics.values())
    sigma = r.diagnostics["singular_values"]
    assert sigma.shape == (3, 5)
    assert (np.diff(sigma) <= 0).all()
    assert ((r.diagnostics["effective_rank"] >= 1) & (r.diagnostics["effective_rank"] <= 5)).all()
    lam = r.diagnostics["exponents"]
    want = (lam[:, 0] - lam[:, -1]) * 3 / np.log(10)
    np.testing.assert_allclose(r.diagnostics["log10_condition_number"], want)


@pytest.mark.parametrize("kind", [ln.LSTM, ln.GRU])
def test_gates_and_their_saturation(kind):
    shut = {"output": 40.0} if kind is ln.LSTM else {"update": 40.0}
    cell = kind.random(5, gain=0.1, bias=shut, rng=0)
    # Weak inputs, so that the other gates stay half open.
    cell = cell.with_params({**cell.params, "V": 0.01 * cell.params["V"]})
    names = ("gates", "gate_saturation", "input_gain")
    task = ln.tasks.DelayedCopy(3)
    plain = ln.train(cell, task, 2, **SMALL)
    r = ln.train(cell, task, 2, diagnostics=names, **SMALL)
    assert (plain.loss == r.loss).all()
    at = cell.gate_names.index(*shut)
    half = [i for i, name in enumerate(cell.gate_names) if name in ("input", "forget", "reset")]
    np.testing.assert_allclose(r.diagnostics["gates"][:, at], 1, atol=1e-12)
    np.testing.assert_allclose(r.diagnostics["gates"][:, half], 0.5, atol=0.1)
    np.testing.assert_allclose(r.diagnostics["gate_saturation"][:, at], 1)
    assert (r.diagnostics["gate_saturation"][:, half] == 0).all()
    if kind is ln.GRU:  # its update gate lets nothing in
        assert (r.diagnostics["input_gain"] < 1e-12).all()
    assert r.to_xarray().sizes["gate"] == len(cell.gate_names)
    with pytest.raises(ValueError, match="need an LSTM or a GRU"):
        ln.train(network(n=5).system, task, 1, diagnostics=["gates"], **SMALL)


def test_input_gain_is_the_derivative_of_the_step():
    cell = ln.LSTM.random(4, rng=0)
    r = ln.train(
        cell, ln.tasks.DelayedCopy(1), 1, x0=np.zeros(8), diagnostics=["input_gain"], n_steps=2,
        batch_size=1, rng=7,
    )  # fmt: skip
    seen = []

    class Watched(ln.tasks.DelayedCopy):
        def sample(self, *args):
            seen.append(super().sample(*args))
            return seen[-1]

    ln.train(cell, Watched(1), 1, x0=np.zeros(8), n_steps=2, batch_size=1, rng=7)
    u, h, slopes = seen[0][0][:, 0], np.zeros(8), []
    for v in u:
        slopes.append((cell.step(h, v + 1e-6) - cell.step(h, v - 1e-6))[:4] / 2e-6)
        h = cell.step(h, v)
    want = np.sqrt(np.mean(np.square(slopes)))
    np.testing.assert_allclose(r.diagnostics["input_gain"][0], want, rtol=1e-6)


def test_the_gradient_of_the_last_step_alone_is_eq_18():
    net, task = network(), ln.tasks.DelayedCopy(2)
    r = ln.train(
        net.system, task, 1, readout=net.readout, x0=net.x0,
        diagnostics=["gradient_norm_h0_longest"], **SMALL,
    )  # fmt: skip
    u, y, _ = task.sample(12, 3, 0)
    last = Batch(u, y, as_weights(np.arange(12) == 11, (12, 3)))
    bar = evaluate(net, last, "squared_error").initial_bar
    want = 3 * np.linalg.norm(bar, axis=-1).mean()
    assert r.diagnostics["gradient_norm_h0_longest"][0] == pytest.approx(want, rel=1e-12)


def test_the_gradient_turns_to_the_slowest_covariant_vector():
    # Without nonlinearity, and with W = diag(w), gradients and covariant vectors turn to its axes.
    cell = ln.VanillaRNN(
        np.diag([0.5, 0.9, 0.2]), np.ones((3, 1)), np.zeros(3), activation="linear"
    )
    r = ln.train(
        cell, ln.tasks.DelayedCopy(2), 1, n_steps=80, batch_size=2, rng=0,
        diagnostics=["gradient_overlap"],
    )  # fmt: skip
    found = r.diagnostics["gradient_overlap"]
    assert found.shape == (1, 3)
    assert found[0, 0] > 0.99
    assert (found[0, 1:] < 0.01).all()


def test_the_first_overlap_by_products_of_jacobians():
    # The first covariant vector is what any perturbation turns to.
    net, T = network(), 160
    u, y, _ = ln.tasks.DelayedCopy(2).sample(T, 3, 0)
    batch = Batch(u, y, as_weights(np.ones(T), (T, 3)))
    found = evaluate(net, batch, "squared_error")
    moment = Moment(0, net, batch, found, 2)
    x, states = net.x0, [net.x0]
    for s in range(T):
        x = net.system.step(x, u[s, 0])
        states.append(x)
    D = [net.system.jacobian(states[s], u[s, 0]) for s in range(T)]
    v, g = [np.ones(net.system.dim)], [found.outputs_bar[-1, 0] @ net.readout.W]
    for s in range(T):
        v.append(D[s] @ v[-1] / np.linalg.norm(D[s] @ v[-1]))
        g.append(D[T - 1 - s].T @ g[-1] / np.linalg.norm(D[T - 1 - s].T @ g[-1]))
    want = np.mean([abs(v[t] @ g[T - t]) for t in range(T // 4, T - T // 4 + 1)])
    np.testing.assert_allclose(DIAGNOSTICS["gradient_overlap"](moment)[0], want, rtol=1e-6)


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
        ({"readout": 3}, TypeError, "`readout`"),
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


def test_the_result_shows_and_draws_itself():
    import matplotlib.pyplot as plt

    schedule = ln.FlossingSchedule(before=1, k=2, n_steps=5)
    r = ln.train(network().system, ln.tasks.DelayedCopy(1), 4, schedule=schedule, **SMALL)
    assert "n_epochs=4" in repr(r)
    ax = r.plot()
    assert ax.get_ylabel() == "$R^2$ on fresh batches"
    assert [t.get_text() for t in ax.get_legend().texts] == [
        "best constant",
        "flossed: 1 epoch in 1 episode",
    ]
    (marks,) = (line for line in ax.lines if line.get_marker() == "v")
    assert marks.get_xdata() == [0.5]  # between the start and the first epoch
    assert r.plot(ax) is ax
    plt.close("all")


def test_the_result_says_what_its_accuracy_is(tmp_path):
    class Own(ln.tasks.DelayedCopy):
        def accuracy(self, outputs, targets, mask):
            return 7.0

    kinds = {
        "fraction": ln.tasks.TemporalXOR(2),
        "R2": ln.tasks.TemporalXOR(2, inputs="uniform"),
        "own": Own(1),
    }
    for kind, task in kinds.items():
        r = ln.train(network().system, task, 2, **SMALL)
        assert r.accuracy_kind == kind
        assert ln.load(r.save(tmp_path / f"{kind}.npz")).accuracy_kind == kind
    assert "R^2" not in r.plot().get_ylabel()
    import matplotlib.pyplot as plt

    plt.close("all")


def test_few_episodes_of_flossing_get_a_line_and_many_a_tick():
    import matplotlib.pyplot as plt

    for at, lines in ((range(2), 2), (range(20), 0)):
        schedule = ln.FlossingSchedule(at=at, epochs=1, k=2, n_steps=5)
        ax = ln.train(
            network().system, ln.tasks.DelayedCopy(1), 20, schedule=schedule, **SMALL
        ).plot()
        (marks,) = (line for line in ax.lines if line.get_marker() == "v")
        assert len(marks.get_xdata()) == len(at)
        assert sum(len(c.get_segments()) for c in ax.collections) == lines
    plt.close("all")


# ---- what a result shows


def watched(task=None, **kwargs):
    names = ["exponents", "singular_values", "effective_rank", "gradient_overlap"]
    cell = ln.VanillaRNN.random(5, bias=0.1, rng=0)
    task = ln.tasks.TemporalXOR(2) if task is None else task
    schedule = ln.FlossingSchedule(before=2, k=3, n_steps=8)
    settings = {**SMALL, "diagnostics": names, "schedule": schedule, **kwargs}
    return ln.train(cell, task, 3, **settings)


def test_tables_have_the_diagnostics(tmp_path):
    pytest.importorskip("xarray")
    pytest.importorskip("pandas")
    r = watched()
    for result in (r, ln.load(r.save(tmp_path / "r.npz"))):
        data = result.to_xarray()
        assert data["exponents"].dims == ("flossing_epoch", "exponent")
        assert data["diagnostic_exponents"].dims == ("epoch", "diagnostic_exponent")
        assert data["singular_values"].dims == ("epoch", "singular_value")
        assert data["gradient_overlap"].dims == ("epoch", "covariant_vector")
        for name in ("effective_rank", "gradient_norm_h0", "transmission"):
            assert data[name].dims == ("epoch",)
            np.testing.assert_array_equal(data[name], r.diagnostics[name])
        numbers = ["loss", "accuracy", "flossing_epochs", "gradient_norm_h0", "transmission"]
        numbers += ["effective_rank"]
        assert list(result.to_dataframe().columns) == numbers


def test_the_repr_names_its_means():
    text = repr(watched())
    n = len(watched().loss)
    assert f" loss_over_{n}_epochs=" in text
    assert f" accuracy_over_{n}_epochs=" in text
    r = watched(ln.tasks.DelayedCopy(2))
    assert f" R2_over_{n}_epochs={r.accuracy.mean():.6g}" in repr(r)
    assert "accuracy" not in repr(r)


def test_schedules_and_records_fit_on_a_line():
    paper = dict(k=75, n_steps=39, transient=10, basis_transient=6)
    schedule = ln.FlossingSchedule(500, at=range(100, 10000, 100), **paper)
    assert repr(schedule) == (
        "FlossingSchedule(before=500, at=(100, 200, ..., 9900), epochs=500, k=75, n_steps=39)"
    )
    assert repr(ln.AdaptiveFlossing(**paper)) == (
        "AdaptiveFlossing(epochs=20, most=2000, window=20, k=75, n_steps=39)"
    )
    seen = []
    watched(callback=lambda record: seen.append(repr(record)))
    assert seen[2].startswith("TrainingProgress(epoch=3, loss=")
    assert seen[2].endswith("flossing_epochs=2)")
    cell = ln.VanillaRNN.random(5, rng=0)
    ln.floss(cell, 1, k=2, n_steps=8, callback=lambda record: seen.append(repr(record)), rng=0)
    assert seen[3].startswith("Progress(epoch=1, loss=")
    assert all(len(text) < 150 and "\n" not in text for text in seen)


def test_the_docstring_has_all_diagnostics_and_their_costs():
    for name, function in DIAGNOSTICS.items():
        _, _, text = ln.train.__doc__.partition(f'``"{name}"``')
        cost = re.search(r"(free|about \d+ ms)", function.__doc__)[0]
        assert re.search(r"(free|about \d+ ms)", text)[0] == cost, name


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


def test_an_episode_that_a_run_does_not_reach_is_said():
    cell, task = ln.VanillaRNN.random(5, rng=1), ln.tasks.TemporalXOR(2)
    schedule = ln.FlossingSchedule(at=20, epochs=1, k=1, n_steps=3)
    with pytest.warns(UserWarning, match="epoch 20, which a run of 5 epochs does not reach"):
        ln.train(cell, task, 5, n_steps=9, batch_size=2, schedule=schedule, rng=0)
