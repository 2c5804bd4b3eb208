"""Exponents of maps over a period are those of the flow, however long the period is."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln

TURN = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
SHORT = {"rng": 0, "transient": 2, "basis_transient": 2}


def linear(rates, **how):
    """Return a linear flow with these exponents in turned axes."""
    A = TURN @ np.diag(rates) @ TURN.T
    return ln.Flow(lambda x: anp.dot(A, x), 2, **how)


@pytest.mark.parametrize("period", [1.0, 5.0])
@pytest.mark.parametrize("engine", ["compiled", "numpy"])
def test_lorenz_over_long_periods(period, engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    strobe = ln.compiled(ln.stroboscopic(ln.catalog.lorenz63(), period), engine)
    s = ln.lyapunov_spectrum(strobe, 12, **SHORT)
    assert s.settings["engine"] == engine
    assert_allclose(s.exponents.sum(), -41 / 3, atol=2e-3)  # the divergence; rk4
    assert_allclose(s.exponents[2], -14.57, atol=0.3)  # short
    assert s.log_growth.shape == (12, 3)


@pytest.mark.parametrize("how", [
    {"dt": 0.01},
    {"dt": 0.1, "method": "adaptive", "rtol": 1e-10, "atol": 1e-300},
    {"dt": 5.0, "method": "implicit", "rtol": 1e-9, "atol": 1e-300},
], ids=["rk4", "adaptive", "implicit"])  # fmt: skip
def test_a_linear_flow_in_turned_axes(how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "unreliable"
        s = ln.lyapunov_spectrum(
            ln.stroboscopic(linear([-1.0, -9.0], **how), 5.0), 20, x0=[1.0, 1.0], **SHORT
        )
    assert_allclose(s.exponents, [-1, -9], atol=1e-5)


def test_steps_that_are_divided_lose_no_direction():
    # (Explicit parts would be as long as stability lets them, where their error is none.)
    flow = linear([-1.0, -20.0], dt=4.0, method="implicit", rtol=1e-9, atol=1e-300)
    s = ln.lyapunov_spectrum(flow, 30, x0=[1.0, 1.0], **SHORT)
    assert_allclose(s.exponents, [-1, -20], rtol=1e-5)


def test_covariant_vectors_over_long_periods():
    flow = linear([-1.0, -9.0], dt=0.01)
    found = ln.covariant_vectors(
        ln.stroboscopic(flow, 5.0), 10, x0=[1.0, 1.0], backward_transient=3, **SHORT
    )
    assert_allclose(found.exponents, [-1, -9], atol=1e-5)
    assert_allclose(np.abs(np.einsum("tnk,nk->tk", found.vectors, TURN)), 1, atol=1e-10)


@pytest.mark.parametrize("interval", [1, "auto"])
def test_gradients_over_long_periods(interval):
    # x' = A diag(p) A^T x: the exponents are p, whatever the period.
    def field(x, p):
        return anp.dot(TURN * p, anp.dot(TURN.T, x))

    def smaller(p):
        flow = ln.Flow(field, 2, dt=0.02, params=p)
        lam = ln.finite_time_exponents(
            ln.stroboscopic(flow, 6.0), np.ones(2), np.eye(2), n_steps=3, basis_transient=1,
            qr_interval=interval,
        )  # fmt: skip
        return lam[1]

    p = np.array([-1.0, -9.0])
    assert_allclose(smaller(p), -9, atol=1e-4)
    assert_allclose(grad(smaller)(p), [0, 1], atol=1e-4)


def test_cycles_as_fixed_points_have_all_exponents():
    A = TURN @ np.diag([-1.0, -9.0]) @ TURN.T

    def field(x, t):
        g = anp.array([anp.cos(t), anp.sin(t)])
        return anp.dot(A, x - g) + anp.array([-anp.sin(t), anp.cos(t)])

    strobe = ln.stroboscopic(ln.Flow(field, 2, dt=0.02, time=True), 2 * np.pi)
    found = ln.fixed_points(strobe, 2, x0=[[1.0, 0.0], [1.5, 0.2]])
    assert_allclose(found.exponents, [[-1, -9]], atol=1e-4)


def test_the_step_of_a_long_period_is_judged_by_its_flow():
    strobe = ln.stroboscopic(ln.catalog.lorenz63(), 5.0)
    found = ln.check_step(strobe, 20, rng=0, transient=2, basis_transient=2)
    assert found.defect is not None
    assert np.abs(found.defect).max() < 0.01
    assert found.verdict.startswith("fine")


def test_an_error_names_the_period():
    strobe = ln.stroboscopic(ln.Flow(lambda x: x**2, 1, dt=0.1, vectorized=True), 1.0)
    with pytest.raises(ln.DivergedError) as failed:
        ln.lyapunov_spectrum(strobe, 1000, x0=[0.3], transient=0, basis_transient=0, rng=0)
    assert 3 <= failed.value.step <= 6  # at t = 1 / 0.3, in units of the period
