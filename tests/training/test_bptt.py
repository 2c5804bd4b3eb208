"""Gradients of training against finite differences and autograd, and what is added to them."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from trained import SMALL, batch, network

import lyapnet as ln
from lyapnet.optimize import checked_clip, clipped
from lyapnet.training.bptt import evaluate
from lyapnet.training.losses import as_weights
from lyapnet.training.network import Batch
from lyapnet.training.penalty import JacobianNorm, SpectralRadius


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
