"""Stochastic flows against equations whose exponents are known."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln

A, B = 0.2, 0.7


def multiplicative(calculus, dt, **kwargs):
    return ln.NoisyFlow(lambda x: A * x, lambda x: B * x, 1, dt=dt, calculus=calculus, **kwargs)


@pytest.mark.parametrize(("calculus", "exact"), [("ito", A - B**2 / 2), ("stratonovich", A)])
def test_multiplicative_noise_has_its_exponent_in_both_calculi(calculus, exact):
    # Given the noise, growth is known exactly: exact T + B W(T), up to the error of the step.
    for dt, allowed in ((0.02, 0.01), (0.005, 0.0025)):
        flow = multiplicative(calculus, dt)
        n = 40_000
        noise = flow.increments(n, rng=3)
        s = ln.lyapunov_spectrum(
            flow, inputs=noise, x0=[1e-3], transient=0, basis_transient=0, rng=0
        )
        assert abs(s.exponents[0] - exact - B * noise.sum() / (n * dt)) < allowed
        low, high = s.confidence_interval(0.999)
        assert low[0] < exact < high[0]
    assert abs((A - B**2 / 2) - A) > 10 * allowed  # the calculi are told apart


def test_ornstein_uhlenbeck_has_its_rate_without_error():
    flow = ln.NoisyFlow(lambda x: -1.5 * x, lambda x: np.array([0.8]), 1, dt=0.01)
    orbit = flow.orbit(np.zeros((500, 1)), flow.drive.rows(None, (500,), 1000, seed=1), 1000)
    assert_allclose(orbit.states[200:].var(), 0.8**2 / 3, rtol=0.05)
    s = ln.lyapunov_spectrum(flow, 2000, x0=[0.0], rng=0)
    heun = np.log(1 - 0.015 + 0.015**2 / 2) / 0.01
    assert_allclose(s.exponents, heun, atol=1e-9)
    assert_allclose(s.exponents, -1.5, atol=1e-4)


def test_a_double_well_has_the_exponent_of_its_stationary_density():
    # dx = (x - x^3) dt + s dW: lambda = E[1 - 3 x^2] under exp(2 (x^2/2 - x^4/4) / s^2)
    x = np.linspace(-4, 4, 20_001)
    density = np.exp(2 * (x**2 / 2 - x**4 / 4) / 0.8**2)
    exact = np.sum((1 - 3 * x**2) * density) / density.sum()
    flow = ln.NoisyFlow(lambda x: x - x**3, lambda x: 0.8 + 0 * x, 1, dt=0.01, vectorized=True)
    x0 = np.random.default_rng(0).standard_normal((60, 1))
    s = ln.lyapunov_spectrum(flow, 10_000, x0=x0, rng=1).pooled()
    half = s.confidence_interval(0.999)[1] - s.exponents
    assert abs(s.exponents[0] - exact) < half[0] + 0.005
    assert half[0] < 0.1 * abs(exact)
    assert exact < 0  # trajectories under common noise come together


def test_common_noise_synchronises_and_own_noise_does_not():
    flow = ln.NoisyFlow(lambda x: x - x**3, lambda x: 0.8 + 0 * x, 1, dt=0.01)
    x0 = np.linspace(-2, 2, 7)[:, None]
    common = ln.lyapunov_spectrum(flow, inputs=flow.increments(8000, rng=0), x0=x0, rng=0)
    own = ln.lyapunov_spectrum(flow, 6000, x0=x0, transient=1000, basis_transient=1000, rng=0)
    assert np.ptp(common.state) < 1e-6
    assert np.ptp(own.state) > 0.1


def test_noise_is_frozen_by_the_seed_and_goes_on_where_a_run_is_extended():
    flow = ln.NoisyFlow(lambda x: -anp.sin(x), lambda x: 0.3 * anp.cos(x), 1, dt=0.05)
    kwargs = dict(x0=[0.1], transient=30, basis_transient=20, qr_interval=1, rng=5)
    a, b = (ln.lyapunov_spectrum(flow, 6000, **kwargs) for _ in range(2))
    assert_allclose(a.exponents, b.exponents, rtol=0)
    other = ln.lyapunov_spectrum(flow, 6000, **{**kwargs, "rng": 6})
    assert abs(other.exponents[0] - a.exponents[0]) > 1e-4
    parts = ln.lyapunov_spectrum(flow, 1000, **kwargs).extend(5000)
    assert_allclose(parts.exponents, a.exponents, atol=1e-12)
    assert ln.check_invariants(a).passed  # which retraces the run


@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
@pytest.mark.parametrize("vectorized", [False, True])
def test_matrix_noise_time_and_parameters(calculus, vectorized):
    def stack(rows):
        return anp.stack(rows, axis=-1) if vectorized else anp.array(rows)

    def parts(x):
        return (x[..., 0], x[..., 1]) if vectorized else (x[0], x[1])

    def drift(x, t, p):
        a, b = parts(x)
        return stack([b + p["c"] * anp.cos(t) + 0 * a, -a - p["d"] * b])

    def diffusion(x, t, p):
        a, b = parts(x)
        rows = [[0 * a, p["s"] * a, 0 * b], [0.1 + 0 * a, 0 * b, p["s"] * b]]
        if vectorized:
            return anp.stack([anp.stack(row, axis=-1) for row in rows], axis=-2)
        return anp.array([anp.array(row) for row in rows])

    params = {"c": 0.5, "d": 0.2, "s": 0.3}
    flow = ln.NoisyFlow(
        drift, diffusion, 2, dt=0.05, n_noise=3, calculus=calculus, params=params, time=True,
        vectorized=vectorized,
    )  # fmt: skip
    u, x0 = flow.increments(12, rng=0), np.array([[0.4, 0.1], [1.0, -0.3]])
    x, dt = x0[1].copy(), 0.05

    def f(x, t):
        return np.array([x[1] + 0.5 * np.cos(t), -x[0] - 0.2 * x[1]])

    def G(x):
        return np.array([[0, 0.3 * x[0], 0], [0.1, 0, 0.3 * x[1]]])

    for s in range(12):
        t = 0.7 + s * dt
        first = f(x, t) * dt + G(x) @ u[s]
        y = x + first
        x = y if calculus == "ito" else x + (first + f(y, t + dt) * dt + G(y) @ u[s]) / 2
    orbit = flow.orbit(x0, flow.drive.rows(u, (2,), 12, t0=0.7), 12)
    assert_allclose(orbit.states[-1][1], x, atol=1e-12)

    def loss(p, u):
        lam = ln.finite_time_exponents(flow.with_params(p), x0, np.eye(2), inputs=u, t0=0.7)
        return anp.sum(lam * np.array([1.0, 3.0]))

    h, at_p, at_u = 1e-6, grad(loss)(params, u), grad(loss, 1)(params, u)
    for name in params:
        up, down = ({**params, name: params[name] + e} for e in (h, -h))
        assert_allclose(at_p[name], (loss(up, u) - loss(down, u)) / (2 * h), rtol=1e-5, atol=1e-8)
    d = np.zeros_like(u)
    d[4, 1] = h
    expected = (loss(params, u + d) - loss(params, u - d)) / (2 * h)
    assert_allclose(at_u[4, 1], expected, rtol=1e-5)


def test_bad_arguments():
    with pytest.raises(ValueError, match="calculus"):
        multiplicative("backward", 0.1)
    with pytest.raises(TypeError, match="`diffusion` must be callable"):
        ln.NoisyFlow(lambda x: x, 0.5, 1, dt=0.1)
    with pytest.raises(TypeError, match="`diffusion` must be a function of"):
        ln.NoisyFlow(lambda x: x, lambda x, t: x, 1, dt=0.1)


# --- the shape of the strength -----------------------------------------------------------------


@pytest.mark.parametrize("lead", [(), (2,), (3,)], ids=str)
@pytest.mark.parametrize("n", [1, 2])
def test_a_strength_may_be_one_number(n, lead):
    x0, noise = np.full((*lead, n), 0.5), 0.1 * np.random.default_rng(0).standard_normal((400, n))
    noise = noise.reshape(400, *(1,) * len(lead), n)
    many = lambda G, **kw: ln.NoisyFlow(lambda x: -(x**3), G, n, dt=0.1, **kw)
    for number, array in (
        (lambda x: 0.3, lambda x: np.full(n, 0.3)),
        (lambda x: 0.3 * x[0], lambda x: 0.3 * anp.array([x[0]] * n)),  # not a constant
    ):
        found, expected = (
            ln.lyapunov_spectrum(many(G), 300, inputs=noise, x0=x0, transient=50,
                                 basis_transient=50, rng=0) for G in (number, array)
        )  # fmt: skip
        assert_allclose(found.exponents, expected.exponents, atol=1e-12)
        assert_allclose(found.state, expected.state, atol=1e-12)
        assert (found.exponents < 0).all()
    one = many(lambda x: anp.ones(n), n_noise=1).orbit(x0, noise[..., :1], 400)
    column = many(lambda x: anp.ones((n, 1)), n_noise=1).orbit(x0, noise[..., :1], 400)
    assert_allclose(one.states, column.states)


@pytest.mark.parametrize(
    ("strength", "n_noise", "wanted", "got"),
    [
        (np.ones(3), None, r"\(2,\), the strength of each", r"\(3,\)"),
        (np.eye(2), None, r"a matrix needs n_noise=", r"\(2, 2\)"),
        (np.ones(1), None, r"\(2,\)", r"\(1,\)"),
        (np.ones((1, 2)), 1, r"\(2, 1\) = \(dim, n_noise\)", r"\(1, 2\)"),
        (np.ones(2), 2, r"\(2, 2\)", r"\(2,\)"),
        (1.0, 2, r"\(2, 2\)", r"\(\)"),
    ],
)
@pytest.mark.parametrize("vectorized", [False, True])
def test_a_strength_of_another_shape_is_named(strength, n_noise, wanted, got, vectorized):
    flow = ln.NoisyFlow(
        lambda x: -x, lambda x: strength, 2, dt=0.1, n_noise=n_noise, vectorized=vectorized
    )
    if vectorized and np.ndim(strength) == 2:
        return  # might be of several members
    for x0 in (np.ones(2), np.ones((3, 2))):
        with pytest.raises(
            ValueError, match=rf"`diffusion` must return .*{wanted}.*got shape {got}"
        ):
            ln.lyapunov_spectrum(flow, 100, x0=x0, rng=0)


# Dry friction under noise sigma has the exponent -2 / sigma^2 = -8, and the derivative is 0.
JUMPS = {
    "drift": (lambda x: -anp.sign(x), lambda x: 0.5, "stratonovich"),
    "of Ito's": (lambda x: -anp.where(x > 0, 1.0, -1.0), lambda x: 0.5, "ito"),
    "diffusion": (lambda x: -x, lambda x: anp.where(x > 0, 0.5, 0.3), "stratonovich"),
}


@pytest.mark.parametrize("name", JUMPS)
@pytest.mark.parametrize("lead", [(), (2,)])
def test_jumps_are_told(name, lead):
    drift, diffusion, calculus = JUMPS[name]
    flow = ln.NoisyFlow(drift, diffusion, 1, dt=0.01, calculus=calculus)
    with pytest.warns(UserWarning, match=r"unreliable: the dri|unreliable: the diff"):
        s = ln.lyapunov_spectrum(flow, 3000, x0=np.full((*lead, 1), 0.3), rng=0)
    what = "diffusion" if name == "diffusion" else "drift"
    assert s.diagnose().verdict.startswith(f"unreliable: the {what} jumps by")


def test_jumps_in_time_and_kinks_are_none():
    for drift, time in (
        (lambda x, t: -x * anp.where(t % 1 > 0.5, 1.0, 2.0), True),
        (lambda x: -2 * anp.maximum(x, 0) + anp.abs(x), False),
    ):
        flow = ln.NoisyFlow(drift, lambda *x: 0.5, 1, dt=0.01, time=time)
        s = ln.lyapunov_spectrum(flow, 3000, x0=[0.3], rng=0)
        assert s.settings["reservations"] == []


def test_the_step_is_said_not_to_be_looked_at():
    s = ln.lyapunov_spectrum(ln.catalog.noisy_double_well(), 5000, rng=0)
    assert s.diagnose().verdict.endswith("not looked at under noise: see check_step()")
