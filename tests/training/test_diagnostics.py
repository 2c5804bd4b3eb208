"""What is watched in every epoch, against independent calculations."""

import re

import numpy as np
import pytest
from trained import SMALL, network

import lyapnet as ln
from lyapnet.training.bptt import evaluate
from lyapnet.training.diagnostics import DIAGNOSTICS, Moment
from lyapnet.training.losses import as_weights
from lyapnet.training.network import Batch


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


def test_the_docstring_has_all_diagnostics_and_their_costs():
    for name, function in DIAGNOSTICS.items():
        _, _, text = ln.train.__doc__.partition(f'``"{name}"``')
        cost = re.search(r"(free|about \d+ ms)", function.__doc__)[0]
        assert re.search(r"(free|about \d+ ms)", text)[0] == cost, name
