"""The echo state network: dense and sparse, against autograd, and as a closed loop."""

import time
from functools import partial

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd import jacobian as autograd_jacobian
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import eigs
from traced import central_difference, inner, traced_exponents

import lyapnet as ln

CELLS = {
    "dense": lambda n, **k: ln.EchoStateNetwork.random(n, gain=1.5, bias=0.5, **k),
    "leak": lambda n, **k: ln.EchoStateNetwork.random(n, gain=1.5, leak=0.3, dt=0.5, **k),
    "sparse": lambda n, **k: ln.EchoStateNetwork.random(n, gain=1.5, degree=3, leak=0.6, **k),
    "sine": lambda n, **k: ln.EchoStateNetwork.random(
        n, gain=1.5, activation=ln.Activation(anp.sin, anp.cos), **k
    ),
}
KINDS = pytest.mark.parametrize("kind", CELLS)


@KINDS
def test_step_and_jacobian(kind):
    rng = np.random.default_rng(0)
    cell = CELLS[kind](6, n_inputs=2, rng=rng)
    x, u, Q = rng.standard_normal(6), rng.standard_normal(2), rng.standard_normal((6, 3))
    W = cell.weights.matrix()
    phi = np.sin if kind == "sine" else np.tanh
    new = phi(W @ x + cell.params["V"] @ u + cell.params["b"])
    np.testing.assert_allclose(cell.step(x, u), (1 - cell.leak) * x + cell.leak * new, atol=1e-15)
    J = autograd_jacobian(lambda x: cell.step(x, u))(x)
    np.testing.assert_allclose(cell.jacobian(x, u), J, atol=1e-14)
    np.testing.assert_allclose(cell.pushforward(x, Q, u), J @ Q, atol=1e-13)
    J = autograd_jacobian(lambda u: cell.step(x, u))(u)
    np.testing.assert_allclose(cell.input_jacobian(x, u), J, atol=1e-14)


@KINDS
@pytest.mark.parametrize("lead", [(), (3,)])
def test_orbit_is_the_repeated_step(kind, lead):
    rng = np.random.default_rng(1)
    cell = CELLS[kind](6, n_inputs=2, rng=rng)
    x, inputs = rng.standard_normal((*lead, 6)), rng.standard_normal((8, 2))
    orbit = cell.orbit(x, inputs.reshape(8, *(1,) * len(lead), 2), 8)
    rows = rng.standard_normal((*lead, 2, 6))
    pushed, pulled = np.empty_like(rows), np.empty_like(rows)
    for s in range(8):
        J = cell.jacobian(x, inputs[s])
        orbit.push(s, rows, pushed)
        orbit.pull(s, rows, pulled)
        np.testing.assert_allclose(pushed, rows @ J.swapaxes(-1, -2), atol=1e-13)
        np.testing.assert_allclose(pulled, rows @ J, atol=1e-13)
        np.testing.assert_allclose(orbit.jacobians[s], J, atol=1e-14)
        x = cell.step(x, inputs[s])
        np.testing.assert_allclose(orbit.states[s + 1], x, atol=1e-13)


@KINDS
@pytest.mark.parametrize("members", [1, 3])
def test_gradient_of_exponents(kind, members):
    rng = np.random.default_rng(2)
    cell = CELLS[kind](6, n_inputs=2, rng=rng)
    lead = () if members == 1 else (members,)
    x, inputs = rng.standard_normal((*lead, 6)), rng.standard_normal((8, *lead, 2))
    basis = rng.standard_normal((6, 3))
    settings = dict(transient=1, basis_transient=1, qr_interval=2)

    def loss(args, exponents):
        params, x, inputs = args
        lam = exponents(cell.with_params(params), x, basis, inputs=inputs, **settings)
        return ln.flossing_loss(lam, 0.1)

    point = dict(zip("pxu", (cell.params, x, inputs), strict=True))

    def ours(point):
        return loss((point["p"], point["x"], point["u"]), ln.finite_time_exponents)

    found = grad(ours)(point)
    direction, slope = central_difference(ours, point, rng)
    np.testing.assert_allclose(inner(found, direction), slope, rtol=1e-6, atol=1e-8)
    if members == 1:  # what is traced knows one member's basis
        traced = grad(lambda a: loss(a, traced_exponents))((cell.params, x, inputs))
        for name, g in traced[0].items():
            np.testing.assert_allclose(found["p"][name], g, rtol=1e-8, atol=1e-10)


def test_sparse_is_dense_with_zeros():
    draw = np.random.default_rng(0)
    W = csr_matrix(np.where(draw.random((30, 30)) < 0.2, draw.random((30, 30)), 0.0))
    V, b = np.random.default_rng(1).standard_normal((30, 1)), np.full(30, 0.1)
    sparse = ln.EchoStateNetwork(W, V, b, leak=0.5)
    dense = ln.EchoStateNetwork(W.toarray(), V, b, leak=0.5)
    run = dict(n_steps=300, k=4, rng=0)
    a, c = ln.lyapunov_spectrum(sparse, **run), ln.lyapunov_spectrum(dense, **run)
    np.testing.assert_allclose(a.exponents, c.exponents, atol=1e-12)
    floss = dict(k=3, n_steps=10, optimizer=ln.Adam(0.01), rng=0)
    a, c = ln.floss(sparse, 3, **floss).cell, ln.floss(dense, 3, **floss).cell
    kept = W.toarray() != 0
    np.testing.assert_allclose(a.weights.matrix()[~kept], 0)
    assert np.abs(a.weights.matrix() - W.toarray()).max() > 0.01
    assert np.abs(c.params["W"][~kept]).max() > 0.01


def test_the_leak_is_not_that_of_a_vanilla_network():
    rng = np.random.default_rng(0)
    W = 1.2 * rng.standard_normal((20, 20)) / np.sqrt(20)
    inputs = 2.0 * rng.standard_normal((3300, 1))
    V = np.ones((20, 1))
    lam = [
        ln.lyapunov_spectrum(cell(W, V, leak=0.3), inputs=inputs, k=1, rng=0)
        for cell in (ln.EchoStateNetwork, ln.VanillaRNN)
    ]
    assert abs(lam[0].exponents[0] - lam[1].exponents[0]) > 5 * max(x.stderr[0] for x in lam)


def test_spectral_radius_and_degree_are_as_asked():
    for degree in (None, 5, 40):
        cell = ln.EchoStateNetwork.random(60, spectral_radius=0.8, degree=degree, rng=0)
        W = cell.weights.matrix()
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(W)).max(), 0.8, rtol=1e-10)
        assert set((W != 0).sum(axis=1)) == {degree or 60}
    large = ln.EchoStateNetwork.random(1500, gain=0.8, degree=20, rng=0).weights.matrix()
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(large)).max(), 0.8, rtol=0.05)


@pytest.mark.parametrize("degree", [None, 1, 5])
def test_spectral_radius_of_large_networks(degree, monkeypatch):
    cell = ln.EchoStateNetwork.random(600, spectral_radius=0.8, degree=degree, rng=0)
    again = ln.EchoStateNetwork.random(600, spectral_radius=0.8, degree=degree, rng=0)
    W = cell.weights.matrix()
    assert_allclose(np.abs(np.linalg.eigvals(W)).max(), 0.8, rtol=1e-8)
    assert_array_equal(W, again.weights.matrix())
    # Without convergence all eigenvalues are computed.
    monkeypatch.setattr("lyapnet.cells.reservoir._BASIS", 8)
    monkeypatch.setattr("scipy.sparse.linalg.eigs", partial(eigs, maxiter=1))
    other = ln.EchoStateNetwork.random(600, spectral_radius=0.8, degree=degree, rng=0)
    assert_allclose(other.weights.matrix(), W, rtol=1e-8)


def test_spectral_radius_of_thousands_of_units_is_quick():
    start = time.process_time()
    cell = ln.EchoStateNetwork.random(5000, spectral_radius=0.9, degree=5, rng=0)
    assert time.process_time() - start < 10
    # The growth of a vector under the linear part is the spectral radius, in the long run.
    rows = np.ones((1, 5000))
    growth = []
    for _ in range(300):
        rows = cell.weights.forward(rows)
        growth.append(np.log(np.linalg.norm(rows)))
        rows /= np.linalg.norm(rows)
    assert_allclose(np.exp(np.mean(growth[150:])), 0.9, rtol=0.01)


def test_a_spectral_radius_cannot_be_set_without_weights():
    with pytest.raises(ValueError, match="nilpotent"):
        ln.EchoStateNetwork.random(600, gain=0.0, spectral_radius=0.8, degree=5, rng=0)


def test_a_hundred_thousand_units():
    cell = ln.EchoStateNetwork.random(10**5, gain=0.9, degree=5, bias=0.1, rng=0)
    s = ln.lyapunov_spectrum(cell, 10, k=5, transient=5, basis_transient=20, qr_interval=5, rng=0)
    assert s.exponents.shape == (5,)
    assert (s.exponents < np.log(0.95)).all()
    assert (s.exponents > np.log(0.9) - 0.2).all()


def test_closed_is_the_closed_loop():
    rng = np.random.default_rng(0)
    for degree in (None, 4):
        cell = ln.EchoStateNetwork.random(12, degree=degree, n_inputs=2, leak=0.7, dt=0.1, rng=rng)
        C, c = rng.standard_normal((2, 12)), rng.standard_normal(2)
        loop, closed = ln.ClosedLoop(cell, C, c), cell.closed(C, c)
        x = rng.standard_normal(12)
        np.testing.assert_allclose(loop.step(x), closed.step(x), atol=1e-14)
        np.testing.assert_allclose(loop.jacobian(x), closed.jacobian(x), atol=1e-13)
        assert closed.dt == 0.1


def test_saved_and_loaded(tmp_path):
    for degree in (None, 3):
        cell = ln.EchoStateNetwork.random(8, degree=degree, leak=0.4, dt=0.2, rng=0)
        again = ln.load(cell.save(tmp_path / "cell.npz"))
        assert repr(again) == repr(cell)
        x = np.ones(8)
        np.testing.assert_array_equal(again.step(x), cell.step(x))


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "named"),
    [
        ((np.ones((2, 3)),), {}, ValueError, "`W`"),
        ((csr_matrix(np.ones((2, 3))),), {}, ValueError, "`W`"),
        ((np.eye(2), np.ones((3, 1))), {}, ValueError, "`V`"),
        ((np.eye(2), None, np.ones(3)), {}, ValueError, "`b`"),
        ((np.eye(2),), {"leak": 1.5}, ValueError, "`leak`"),
        ((np.eye(2),), {"dt": 0.0}, ValueError, "`dt`"),
        ((csr_matrix(np.eye(2)), None, np.ones((3, 2))), {}, ValueError, "one network"),
    ],
)
def test_bad_arguments_are_named(args, kwargs, error, named):
    with pytest.raises(error, match=named):
        ln.EchoStateNetwork(*args, **kwargs)
