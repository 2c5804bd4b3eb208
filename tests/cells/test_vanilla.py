"""The vanilla network: tangent step, orbit and gradient for every activation."""

from __future__ import annotations

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd import jacobian as autograd_jacobian
from numpy.testing import assert_allclose
from traced import central_difference, inner, traced_exponents

import lyapnet as ln
from lyapnet.cells.products import contract

SINE = ln.Activation(anp.sin, anp.cos)
FULL = ln.Activation(anp.sin, anp.cos, lambda h: -anp.sin(h))


class Softplus:
    """Any object with a function and its derivative is an activation."""

    @staticmethod
    def function(h):
        return anp.log(1 + anp.exp(h))

    @staticmethod
    def derivative(h):
        return 1 / (1 + anp.exp(-h))


# Large positive biases keep the units of the ReLU network active: there it is smooth.
CELLS = {
    "tanh": lambda n, **k: ln.VanillaRNN.random(n, gain=2.0, bias=0.5, **k),
    "relu, active": lambda n, **k: lifted(
        ln.VanillaRNN.random(n, gain=0.5, activation="relu", **k), 20.0
    ),
    "linear": lambda n, **k: ln.VanillaRNN.random(n, gain=1.2, activation="linear", **k),
    "leak": lambda n, **k: ln.VanillaRNN.random(n, gain=3.0, leak=0.3, **k),
    "custom": lambda n, **k: ln.VanillaRNN.random(n, gain=2.0, activation=SINE, **k),
    "custom, all given": lambda n, **k: ln.VanillaRNN.random(
        n, gain=2.0, activation=FULL, leak=0.8, **k
    ),
    "object": lambda n, **k: ln.VanillaRNN.random(n, gain=0.8, activation=Softplus(), **k),
}
KINDS = pytest.mark.parametrize("kind", CELLS)


def lifted(cell, bias):
    return cell.with_params({**cell.params, "b": cell.params["b"] + bias})


def networks(kind, members, n, rng):
    """Return an ensemble of networks as one cell."""
    cells = [CELLS[kind](n, n_inputs=2, rng=rng) for _ in range(members)]
    stacked = {k: np.stack([cell.params[k] for cell in cells]) for k in cells[0].params}
    return cells, cells[0].with_params(stacked)


def start(kind, shape, rng):
    """Return states at which all units of the ReLU network are, and stay, active."""
    return rng.standard_normal(shape) + (20.0 if kind == "relu, active" else 0.0)


@KINDS
def test_tangent_step_is_the_derivative_of_the_step(kind):
    rng = np.random.default_rng(0)
    cell = CELLS[kind](5, n_inputs=2, rng=rng)
    x, u = start(kind, 5, rng), rng.standard_normal(2)
    Q = rng.standard_normal((5, 3))
    expected = autograd_jacobian(lambda x: cell.step(x, u))(x)
    np.testing.assert_allclose(cell.jacobian(x, u), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cell.pushforward(x, Q, u), expected @ Q, rtol=1e-12, atol=1e-13)


@KINDS
@pytest.mark.parametrize("ensemble", ["single", "batch", "networks"])
def test_orbit_is_the_repeated_step(kind, ensemble):
    rng = np.random.default_rng(2)
    lead = {"single": (), "batch": (2, 3), "networks": (3,)}[ensemble]
    cell = CELLS[kind](4, n_inputs=2, rng=rng)
    if ensemble == "networks":
        cell = networks(kind, 3, 4, rng)[1]
    x = start(kind, (*lead, 4), rng)
    shared = (1,) * len(lead)
    for inputs in (None, rng.standard_normal((6, *lead, 2)), rng.standard_normal((6, *shared, 2))):
        orbit = cell.orbit(x, inputs, 6)
        now = x
        rows = rng.standard_normal((*lead, 3, 4))
        out = np.empty_like(rows)
        for s in range(6):
            u = None if inputs is None else inputs[s]
            D = cell.jacobian(now, u)
            orbit.push(s, rows, out)
            np.testing.assert_allclose(out, rows @ D.swapaxes(-1, -2), rtol=1e-11, atol=1e-12)
            orbit.pull(s, rows, out)
            np.testing.assert_allclose(out, rows @ D, rtol=1e-11, atol=1e-12)
            np.testing.assert_allclose(orbit.jacobians[s], D, rtol=1e-11, atol=1e-13)
            now = cell.step(now, u)
            np.testing.assert_allclose(orbit.states[s + 1], now, rtol=1e-11, atol=1e-13)


CASES = {
    "thin": {"k": 2},
    "square": {"k": 3},
    "transients": {"k": 2, "transient": 2, "basis_transient": 2},
    "interval 3": {"k": 2, "qr_interval": 3},
    "batch": {"k": 2, "lead": (2,), "x_lead": (2,), "u_lead": (2,)},
    "shared state and inputs": {"k": 2, "lead": (3,), "networks": True, "basis_transient": 1},
    "networks": {"k": 2, "lead": (3,), "x_lead": (3,), "u_lead": (3,), "networks": True},
}


@KINDS
@pytest.mark.parametrize("case", CASES)
def test_gradient(kind, case):
    rng = np.random.default_rng(3)
    spec = {"lead": (), "x_lead": (), "u_lead": (), "networks": False, **CASES[case]}
    options = {k: v for k, v in spec.items() if k.endswith("transient") or k == "qr_interval"}
    cell = CELLS[kind](3, n_inputs=2, rng=rng)
    if spec["networks"]:
        cell = networks(kind, 3, 3, rng)[1]
    total = 6 + options.get("transient", 0) + options.get("basis_transient", 0)
    point = {
        "params": cell.params,
        "x0": start(kind, (*spec["x_lead"], 3), rng),
        "basis": rng.standard_normal((*spec["x_lead"], 3, spec["k"])),
        "inputs": rng.standard_normal((total, *spec["u_lead"], 2)),
    }
    weights = rng.standard_normal((*spec["lead"], spec["k"]))

    def loss(point, exponents):
        traced = cell.with_params(point["params"])
        lam = exponents(traced, point["x0"], point["basis"], inputs=point["inputs"], **options)
        return anp.sum(weights * lam**2)

    def ours(point):
        return loss(point, ln.finite_time_exponents)

    found = grad(ours)(point)
    traced = grad(lambda point: loss(point, traced_exponents))(point)
    # Backward stable, not exact: rounding is relative to the largest derivative.
    flat = {**{k: traced[k] for k in ("x0", "basis", "inputs")}, **traced["params"]}
    largest = max(np.abs(x).max() for x in flat.values())
    for name, expected in flat.items():
        got = found[name] if name in found else found["params"][name]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10 * largest, err_msg=name)
    direction, slope = central_difference(ours, point, rng)
    np.testing.assert_allclose(inner(found, direction), slope, rtol=1e-6)


def test_linear_network_has_the_eigenvalues_of_its_weights():
    rng = np.random.default_rng(4)
    A = rng.standard_normal((4, 4))
    W = A @ np.diag([1.3, 0.9, 0.6, 0.4]) @ np.linalg.inv(A)
    cell = ln.VanillaRNN(W, activation="linear")
    lam = ln.finite_time_exponents(
        cell, np.zeros(4), rng.standard_normal((4, 4)), n_steps=50, basis_transient=100
    )
    np.testing.assert_allclose(lam, np.log([1.3, 0.9, 0.6, 0.4]), atol=1e-10)


def test_dead_units_give_minus_infinity_and_a_typed_error_in_the_gradient():
    """Two units of four are dead: the Jacobian has rank 2, and more exponents no derivative."""
    W = np.diag([0.9, 0.8, 0.7, 0.6])
    b = np.array([5.0, 5.0, -5.0, -5.0])
    cell = ln.VanillaRNN(W, None, b, activation="relu")
    x0 = np.array([1.0, 1.0, -1.0, -1.0])

    def exponents(params, k):
        return ln.finite_time_exponents(cell.with_params(params), x0, np.eye(4)[:, :k], n_steps=5)

    lam = exponents(cell.params, 4)
    np.testing.assert_allclose(lam[:2], np.log([0.9, 0.8]))
    assert np.isneginf(lam[2:]).all()
    for k in (3, 4):
        with pytest.raises(ln.DegenerateBasisError, match="-inf"):
            grad(lambda p, k=k: anp.sum(exponents(p, k)))(cell.params)
    alive = grad(lambda p: anp.sum(exponents(p, 2)))(cell.params)
    np.testing.assert_allclose(np.diag(alive["W"]), [1 / 0.9, 1 / 0.8, 0.0, 0.0], atol=1e-14)


@pytest.mark.parametrize("init", ["gaussian", "orthogonal"])
def test_random_weights(init):
    cell = ln.VanillaRNN.random(200, gain=1.5, init=init, mean=-0.1, bias=0.1, n_inputs=3, rng=0)
    W = cell.params["W"] + 0.1
    np.testing.assert_allclose(W.std() * np.sqrt(200), 1.5, rtol=0.02)
    if init == "orthogonal":
        np.testing.assert_allclose(W @ W.T, 1.5**2 * np.eye(200), atol=1e-12)
    assert cell.params["V"].shape == (200, 3)
    assert 0 <= cell.params["b"].min() < cell.params["b"].max() < 0.1


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`W` must have shape"):
        ln.VanillaRNN(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"`V` must have shape"):
        ln.VanillaRNN(np.eye(2), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"`leak`"):
        ln.VanillaRNN(np.eye(2), leak=1.5)
    with pytest.raises(ValueError, match=r"`activation` must be one of"):
        ln.VanillaRNN(np.eye(2), activation="selu")
    with pytest.raises(TypeError, match=r"`activation`"):
        ln.VanillaRNN(np.eye(2), activation=3)


def test_repr_shows_what_is_not_default():
    shown = "VanillaRNN(dim=3, n_inputs=1"
    assert repr(ln.VanillaRNN.random(3, rng=0)) == f"{shown})"
    cell = ln.VanillaRNN.random(3, activation="relu", leak=0.5, rng=0)
    assert repr(cell) == f"{shown}, activation='relu', leak=0.5)"
    custom = ln.Activation(np.sin, np.cos)
    assert (
        repr(ln.VanillaRNN.random(3, activation=custom, rng=0)) == f"{shown}, activation='custom')"
    )
    rng = np.random.default_rng(0)
    gru = ln.GRU(rng.standard_normal((9, 3)), reset_after=False)
    assert repr(gru) == "GRU(dim=3, n_inputs=0, reset_after=False)"
    assert repr(ln.LSTM.random(3, rng=0)) == "LSTM(dim=6, n_inputs=1)"


# ---- saturated units


@pytest.mark.parametrize("bias", [5.0, 15.0, 18.0, 100.0])
@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_the_derivative_of_a_saturated_unit_keeps_its_digits(bias, leak):
    cell = ln.VanillaRNN([[1.0]], [[0.0]], [bias], leak=leak)
    x = 1.0
    for _ in range(200):
        x = (1 - leak) * x + leak * (np.tanh(x) + bias)
    slope = 1 - leak + leak / np.cosh(x) ** 2
    found = ln.lyapunov_spectrum(cell, 50, transient=200, rng=0)
    assert_allclose(found.exponents[0], np.log(slope), rtol=1e-12)
    assert_allclose(cell.jacobian(np.array([x])), [[slope]], rtol=1e-12)


def test_condition_numbers_of_saturated_networks_are_those_of_exact_derivatives():
    exact = ln.Activation(anp.tanh, lambda h: 1.0 / anp.cosh(h) ** 2)
    found = []
    for activation in ("tanh", exact):
        cell = ln.VanillaRNN.random(12, gain=6.0, n_inputs=0, activation=activation, rng=0)
        start = 6.0 * np.linspace(-1, 1, 12)
        kappa = ln.condition_number(cell, 8, x0=start, transient=0, rng=0)
        found.append(kappa.log10_measured)
    assert found[0][-1] > 20
    assert_allclose(found[0], found[1], rtol=1e-10)


def test_gradients_of_saturated_networks_are_those_of_exact_derivatives():
    exact = ln.Activation(anp.tanh, lambda h: 1.0 / anp.cosh(h) ** 2)
    rng = np.random.default_rng(0)
    basis, x = np.linalg.qr(rng.standard_normal((6, 3)))[0], rng.standard_normal(6)

    def loss(W, activation):
        cell = ln.VanillaRNN(W, None, 2.5 * np.arange(6.0), activation=activation)
        return anp.sum(ln.finite_time_exponents(cell, x, basis, n_steps=4))

    W = rng.standard_normal((6, 6))
    assert_allclose(grad(loss)(W, "tanh"), grad(loss)(W, exact), rtol=1e-7)


@pytest.mark.parametrize("rows", [1, 155, 156, 157, 500])
def test_weight_gradients_are_summed_in_parts(rows):
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((rows, 2, 80)), rng.standard_normal((rows, 2, 90))[..., :80]
    expected = np.einsum("tki,tkj->ij", left, right)
    assert_allclose(contract(left, right, (80, 80)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("init", ["gaussian", "orthogonal"])
def test_array_of_gains_is_an_ensemble_of_one_draw(init):
    gains = np.array([[0.5, 1.0, 1.5], [0.6, 1.1, 1.6]])
    family = ln.VanillaRNN.random(6, gain=gains, init=init, mean=0.1, rng=3)
    u = np.random.default_rng(0).standard_normal((400, 1))
    start = {"x0": np.ones(6), "basis": np.eye(6)[:, :2]}
    together = ln.lyapunov_spectrum(family, inputs=u, **start).exponents
    assert together.shape == (2, 3, 2)
    for i, j in np.ndindex(2, 3):
        alone = ln.VanillaRNN.random(6, gain=gains[i, j], init=init, mean=0.1, rng=3)
        found = ln.lyapunov_spectrum(alone, inputs=u, **start).exponents
        np.testing.assert_allclose(together[i, j], found, atol=1e-9)


def test_the_remedy_for_units_with_leaks_of_their_own():
    """What the message recommends is, for equal leaks, the network itself."""
    cell = ln.VanillaRNN.random(4, leak=0.3, n_inputs=0, gain=1.5, rng=0)
    with pytest.raises(TypeError, match="`leak` must be one number") as caught:
        ln.VanillaRNN(cell.params["W"], leak=[0.3] * 4)
    found = re.search("lambda h, p: .*(?= with the leaks a)", str(caught.value))
    step = eval(found[0], {"np": anp, "a": np.full(4, 0.3)})
    own = ln.Map(step, 4, params={name: cell.params[name] for name in "Wb"})
    kwargs = dict(x0=np.ones(4), basis=np.eye(4))
    s, expected = (ln.lyapunov_spectrum(x, 300, **kwargs) for x in (own, cell))
    assert_allclose(s.exponents, expected.exponents, rtol=1e-8)
