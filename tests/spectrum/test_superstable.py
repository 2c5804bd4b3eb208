"""Superstable cycles: exponents that are -inf in exact arithmetic, and hang on rounding in ours."""

import warnings

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest

import lyapnet as ln

PERIOD_2 = 1 + np.sqrt(5)  # the logistic map's cycle through 1/2
PERIOD_3 = 3.8318740552833155684  # r of the window's, to rounding
HENON_3 = 1.7548776662466927601  # a^3 - 2 a^2 + a - 1 = 0: 0 has period 3 under 1 - a x^2


def logistic(r):
    return ln.Map(lambda x: r * x * (1 - x), 1)


def exact_exponent(r, period):
    """The exponent of the logistic map's cycle near 1/2 for the number that r is, in 60 digits."""
    with mpmath.workdps(60):
        r, x = mpmath.mpf(float(r)), mpmath.mpf(0.5)

        def round_trip(x):
            for _ in range(period):
                x = r * x * (1 - x)
            return x

        x = mpmath.findroot(lambda x: round_trip(x) - x, x)
        total = mpmath.mpf(0)
        for _ in range(period):
            total += mpmath.log(abs(r * (1 - 2 * x)))
            x = r * x * (1 - x)
        return float(total / period)


@pytest.mark.parametrize(("r", "period"), [(2.0, 1), (PERIOD_2, 2), (PERIOD_3, 3)])
def test_exponents_of_superstable_cycles_are_bounded_from_above_only(r, period):
    starts = np.concatenate([[0.1, 0.3, 0.5, 0.77], np.random.default_rng(0).uniform(0, 1, 8)])
    limit = -np.inf if r == 2 else exact_exponent(r, period)
    for x0 in starts:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of matrices far from normal: there is none
            s = ln.lyapunov_spectrum(logistic(r), 3000, x0=[x0], rng=0)
        found = s.diagnose()
        assert found.verdict.startswith("superstable:")
        assert not found.converged
        low, _ = s.confidence_interval()
        assert low[0] == -np.inf
        bound = s.settings["superstable"][0]
        assert max(s.exponents[0], limit) <= bound < -25 / period
        assert "superstable" in repr(s)


def test_other_critical_points_and_more_dimensions():
    cubic = ln.Map(lambda x: 1.5 * np.sqrt(3) * x * (1 - x**2), 1)  # 1/sqrt(3) -> 1 -> 0 -> 0
    fixed = ln.Map(lambda x: x + 0.3 * (x - 0.7) ** 2 - (x - 0.7), 1)  # 0.7, slope 0
    sine = ln.Map(lambda x: 0.5 * anp.sin(np.pi * x), 1)  # 1/2 is fixed, and its top
    for system in (fixed, sine):
        s = ln.lyapunov_spectrum(system, 500, x0=[0.61], rng=0)
        assert s.diagnose().verdict.startswith("superstable: ")
    s = ln.lyapunov_spectrum(cubic, 500, x0=[0.0], transient=0, rng=0)
    assert s.exponents[0] == pytest.approx(np.log(1.5 * np.sqrt(3)))  # meets no critical point

    flat = ln.Map(lambda x: anp.array([1 - HENON_3 * x[0] ** 2 + x[1], 0 * x[0]]), 2)
    s = ln.lyapunov_spectrum(flat, 3000, x0=[0.1, 0.1], rng=0)
    assert s.diagnose().verdict.startswith("superstable: ")
    assert not np.isnan(s.settings["superstable"][0])

    pair = ln.Map(lambda x: anp.stack([3.9, PERIOD_2]) * x * (1 - x), 2)  # one of them is chaotic
    s = ln.lyapunov_spectrum(pair, 3000, x0=[0.3, 0.4], rng=0)
    np.testing.assert_array_equal(np.isnan(s.settings["superstable"]), [True, False])
    assert np.isfinite(s.stderr[0])
    assert np.isinf(s.stderr[1])


def test_ensembles_pooling_going_on_and_files(tmp_path):
    r = np.array([[3.9], [PERIOD_2], [3.2]])
    system = ln.Map(lambda x, p: p * x * (1 - x), 1, params=r, vectorized=True)
    s = ln.lyapunov_spectrum(system, 1000, x0=np.full((3, 1), 0.3), rng=0, tol=1e-3)
    assert np.isnan(s.settings["superstable"][:, 0]).tolist() == [True, False, True]
    assert np.isinf(s.stderr[:, 0]).tolist() == [False, True, False]
    assert s.converged is False
    assert np.isinf(s.pooled().stderr[0])
    s.save(tmp_path / "s.npz")
    assert ln.load(tmp_path / "s.npz").diagnose().verdict == s.diagnose().verdict
    longer = s.extend(500)
    assert np.isinf(longer.stderr[:, 0]).tolist() == [False, True, False]


def test_what_vanishes_or_nearly_does_for_other_reasons_is_as_it_was():
    s = ln.lyapunov_spectrum(ln.Map(lambda x: 1e-12 * x + 1.0, 1), 500, x0=[0.5], rng=0)
    assert s.exponents[0] == pytest.approx(np.log(1e-12))
    assert s.diagnose().converged
    s = ln.lyapunov_spectrum(logistic(3.2), 500, x0=[0.3], rng=0)
    assert s.exponents[0] == pytest.approx(np.log(abs(4 + 2 * 3.2 - 3.2**2)) / 2)
    assert s.diagnose().converged
    rng = np.random.default_rng(0)
    W = 0.1 * rng.standard_normal((5, 5))
    off = ln.VanillaRNN(W, np.ones((5, 1)), np.full(5, -9.0), activation="relu")
    s = ln.lyapunov_spectrum(off, 300, inputs=rng.standard_normal((500, 1)), rng=0)
    assert np.isneginf(s.exponents).all()
    assert s.diagnose().verdict.startswith("converged: every exponent is -inf")
    assert "exactly or within rounding" in s.diagnose().verdict
    # At a kink the derivative is another a little beside, but there it does not vanish.
    kink = ln.Map(lambda x: 0.5 * anp.maximum(x, 0.0), 1)
    with pytest.warns(UserWarning, match="has come to rest on a kink"):
        assert "superstable" not in ln.lyapunov_spectrum(kink, 300, x0=[0.0], rng=0).settings


def test_long_sequences_of_jacobians_may_shrink_vectors_by_any_factor():
    # Before, an error of NumPy's about shapes, where one of the first 1024 was below e^-30.
    factors = np.exp(np.random.default_rng(0).normal(-1.0, 20.0, 3000))
    s = ln.spectrum_from_jacobians(factors[:, None, None], rng=0)
    assert s.exponents[0] == pytest.approx(np.log(factors).mean())


def test_minus_infinity_beside_finite_exponents_is_said_to_be_what_rounding_leaves():
    """Of steps whose Jacobians have condition numbers above 1e16, if no exact zeros."""
    cell = ln.VanillaRNN.random(30, gain=50.0, n_inputs=0, rng=0)
    s = ln.lyapunov_spectrum(cell, 500, rng=0)
    assert np.isneginf(s.exponents[-1])
    assert "30 are -inf: the Jacobian is singular, exactly or within" in s.diagnose().verdict
    exact = ln.condition_number(cell, 40, x0=s.state, transient=0, precision="auto", rng=0)
    assert np.isfinite(exact.log10_measured[-1])
    few = ln.lyapunov_spectrum(cell, 500, k=3, rng=0)
    assert "-inf" not in few.diagnose().verdict


@pytest.mark.parametrize("members", [(), (3,)])
def test_growth_that_one_step_hides_in_rounding_is_not_taken_for_minus_infinity(members):
    """Exponents of triangular products are the means on the diagonal: .2, .2 and -.1 here.

    One step stretches the first direction by e^60, of which float64 has 36 nats: of the next vector
    nothing is left, and the last one's growth, -.1, stood in its place, "converged".
    """
    step = lambda x, u: anp.stack([
        np.exp(u[0]) * x[0] + u[3] * x[1], np.exp(u[1]) * x[1] + u[4] * x[2], np.exp(u[2]) * x[2]
    ])  # fmt: skip
    system = ln.Map(step, 3, n_inputs=5)
    mean, spread = [0.2, 0.2, -0.1, 0.0, 0.0], [0.1, 0.1, 0.1, 1.0, 1.0]
    u = np.random.default_rng(0).normal(mean, spread, (1000, *members, 5))
    given = {"x0": np.zeros((*members, 3)), "transient": 0, "basis_transient": 0, "rng": 0}
    s = ln.lyapunov_spectrum(system, 1000, inputs=u, **given)
    assert not s.settings["reservations"]
    u[500, ..., 0] = 60.0
    with pytest.warns(UserWarning, match="in 1 of 1000 parts .* lost in rounding"):
        s = ln.lyapunov_spectrum(system, 1000, inputs=u, **given)
    assert np.isneginf(s.exponents[..., -1]).all()
    assert s.diagnose().verdict.startswith("unreliable: in 1 of 1000 parts")
    s = ln.lyapunov_spectrum(system, 1000, k=1, inputs=u, **given)
    assert not s.settings["reservations"]  # a single vector loses nothing
