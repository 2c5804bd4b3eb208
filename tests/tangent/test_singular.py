"""Jacobians that are singular in every step: exponents of -inf, and vectors that are left out."""

import warnings

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.tangent import forward


def relu_network():
    draw = np.random.default_rng(0)
    W = 1.3 / np.sqrt(30) * draw.normal(size=(30, 30))
    return ln.VanillaRNN(W, None, 0.5 * draw.normal(size=30), activation="relu")


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_exponents_that_are_left_are_those_of_as_many_vectors(engine):
    cell = ln.compiled(relu_network(), engine)
    x0 = np.random.default_rng(1).normal(size=30)
    given = {"x0": x0, "transient": 200, "basis_transient": 200, "rng": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        s = ln.lyapunov_spectrum(cell, 1500, **given)
        verdict = s.diagnose().verdict
        longer = s.extend(500)
    gone = np.isneginf(s.exponents)
    first = int(np.argmax(gone))
    assert 0 < first < 25
    assert gone[first:].all()
    few = ln.lyapunov_spectrum(cell, 1500, k=first, **given)
    np.testing.assert_allclose(s.exponents[:first], few.exponents, rtol=1e-2, atol=1e-2)
    assert "are -inf: the Jacobian is singular" in verdict or "too short" in verdict
    np.testing.assert_allclose(s.basis.T @ s.basis, np.eye(30), atol=1e-10)
    np.testing.assert_array_equal(np.isneginf(longer.exponents), gone)


def test_both_engines_leave_out_the_same():
    D = np.random.default_rng(2).normal(size=(1200, 6, 6))
    D[:, :, 5] = 0.0
    D[:, 2] = D[:, 1]
    s = ln.spectrum_from_jacobians(D, rng=0)
    assert np.isneginf(s.exponents).tolist() == [False] * 4 + [True] * 2
    few = ln.spectrum_from_jacobians(D, k=4, rng=0)
    np.testing.assert_allclose(s.exponents[:4], few.exponents, atol=2e-2)


def test_a_vector_that_vanishes_now_and_then_is_carried_on():
    D = np.tile(np.diag([2.0, 1.0, 0.5]), (1000, 1, 1))
    D[100:900:100, 1:, 1:] = [[1.0, 1.0], [1.0, 1.0]]  # singular in one step of a hundred
    s = ln.spectrum_from_jacobians(D, rng=0)
    gone = np.isneginf(s.log_growth).sum(axis=0)
    assert gone.tolist() == [0, 0, 8]
    assert s.exponents[:2] == pytest.approx([np.log(2), 8 * np.log(2) / 1000], abs=1e-2)


def test_loops_of_maps_leave_out_too():
    """Henon's map with a sum of its coordinates beside them, on which nothing depends."""
    step = lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0], x[0] + x[1]])
    x0 = [0.1, 0.1, 0.2]
    found = [
        ln.lyapunov_spectrum(ln.compiled(ln.Map(step, 3), engine), 3000, x0=x0, rng=0)
        for engine in ("auto", "numpy")
    ]
    for s in found:
        assert s.exponents[:2].sum() == pytest.approx(np.log(0.3), rel=1e-3)
        assert np.isneginf(s.exponents[2])


def test_members_go_on_with_vectors_of_their_own_number(monkeypatch):
    """Cycles, of which some lose one vector in each step, and some both."""
    step = lambda x, p: np.array([p[2] * (1 - p[0] * x[0] ** 2) + x[1], p[1] * x[0]])
    p = np.array([[0.9, 1.0, 0.95], [0.9, 1.0, 0.95]]), np.array([[0.3], [0.0]]), np.ones((2, 3))
    params = np.stack(np.broadcast_arrays(*p), axis=-1)
    params[:, 1, 1:] = 0.0  # goes to zero
    blocks = []
    real = forward.orthonormalise
    monkeypatch.setattr(forward, "orthonormalise", lambda *a: blocks.append(1) or real(*a))
    s = ln.lyapunov_spectrum(
        ln.Map(step, 2, params=params), 3000, x0=np.full((2, 3, 2), 0.2), rng=0
    )
    if s.settings["engine"] == "compiled":
        assert len(blocks) < 300
    assert np.isneginf(s.exponents).sum(axis=-1).tolist() == [[0, 2, 0], [1, 2, 1]]
    for at in np.ndindex(2, 3):
        one = ln.lyapunov_spectrum(ln.Map(step, 2, params=params[at]), 3000, x0=[0.2, 0.2], rng=0)
        np.testing.assert_allclose(s.exponents[at], one.exponents, atol=1e-6)
        np.testing.assert_allclose(s.basis[at] @ s.basis[at].T, np.eye(2), atol=1e-12)
    longer = s.extend(1000)
    np.testing.assert_array_equal(np.isneginf(longer.exponents), np.isneginf(s.exponents))
    m = ln.compiled(ln.Map(step, 2, params=params), "numpy")
    interval = s.settings["qr_interval"]
    x0 = np.full((2, 3, 2), 0.2)
    by_numpy = ln.lyapunov_spectrum(m, 3000, x0=x0, qr_interval=interval, rng=0)
    np.testing.assert_allclose(by_numpy.log_growth, s.log_growth, atol=1e-6)


def test_nothing_is_carried_on_where_nothing_is_left():
    step = lambda x: np.round(np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]), 3)
    s = ln.lyapunov_spectrum(ln.Map(step, 2), 3000, x0=[0.1, 0.1], rng=0)
    x = np.array([0.1, 0.1])
    for _ in range(s.steps_so_far):
        x = step(x)
    np.testing.assert_array_equal(s.state, x)
    assert np.isneginf(s.log_growth).all()
    assert s.diagnose().verdict.startswith("converged: every exponent is -inf")


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_what_is_left_out_does_not_come_back(engine):
    def system(p):
        step = lambda x, u, p: np.array([0.5 * x[0], p * u[0] * x[1]])
        return ln.compiled(ln.Map(step, 2, n_inputs=1, params=p), engine)

    u = np.where(np.arange(800) < 20, 0.0, 0.4)[:, None]  # singular in the first steps alone
    how = {"inputs": u, "transient": 0, "basis_transient": 0, "qr_interval": 1, "basis": np.eye(2)}
    one = ln.lyapunov_spectrum(system(1.0), 800, x0=[1.0, 1.0], **how)
    p = np.array([1.0, 0.0])  # and always of the second member
    two = ln.lyapunov_spectrum(system(p), 800, x0=np.ones((2, 2)), **how)
    np.testing.assert_allclose(two.log_growth[:, 0], one.log_growth, rtol=1e-12)
    assert np.isneginf(one.log_growth[:, 1]).sum() > 100
