import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.spectrum.dimension import entropy, kaplan_yorke_dimension
from lyapnet.spectrum.uncertainty.stderr import linear_stderr


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [
        ([-0.1, -1.0], 0.0),  # fixed point
        ([0.0, -1.0], 1.0),  # limit cycle
        ([0.5, -1.0], 1.5),
        ([1.0, 0.0, -2.0], 2.5),
        ([1.0, -1.0], 2.0),  # volume kept
        ([1.0, 0.5], 2.0),  # expanding map: the whole space
        ([0.2, 0.0, -0.1, -0.3, -5.0], 3 + 0.1 / 0.3),
        ([0.3, -np.inf], 1.0),
        ([-np.inf, -np.inf], 0.0),
        ([2.0, -1.0, -0.5], 3.0),  # any order: sorted, the sums are 2, 1.5, 0.5
    ],
)
def test_kaplan_yorke_dimension_by_hand(exponents, dimension):
    np.testing.assert_allclose(kaplan_yorke_dimension(exponents)[0], dimension, rtol=1e-14)


def test_dimension_needs_enough_exponents():
    dimension, gradient = kaplan_yorke_dimension([[0.5, 0.1], [0.5, -1.0]], dim=3)
    np.testing.assert_allclose(dimension, [np.nan, 1.5])
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()
    assert np.isnan(entropy([0.5, 0.1], dim=3)[0])
    assert entropy([0.5, -0.1], dim=3)[0] == 0.5


@pytest.mark.parametrize("function", [kaplan_yorke_dimension, entropy])
def test_gradient_is_the_derivative(function):
    rng = np.random.default_rng(0)
    exponents = rng.standard_normal((50, 6)) - 0.4
    gradient, h = function(exponents)[1], 1e-7
    for i in range(6):
        step = h * np.eye(6)[i]
        slope = (function(exponents + step)[0] - function(exponents - step)[0]) / (2 * h)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=1e-5, atol=1e-7)


def test_ensembles_are_vectorised():
    exponents = np.random.default_rng(1).standard_normal((3, 4, 5))
    dimension, gradient = kaplan_yorke_dimension(exponents)
    assert dimension.shape == (3, 4)
    assert gradient.shape == (3, 4, 5)
    np.testing.assert_array_equal(dimension[2, 1], kaplan_yorke_dimension(exponents[2, 1])[0])


def test_delta_method_is_calibrated_for_the_dimension():
    # 2000 replications: binomial standard error 0.5 %; truth D = 2 + 0.4 / 3
    rng = np.random.default_rng(2)
    growth = np.array([0.5, -0.1, -3.0]) + 0.3 * rng.standard_normal((400, 2000, 3))
    growth[..., 2] = -2.6 - growth[..., 0] - growth[..., 1]
    dimension, gradient = kaplan_yorke_dimension(growth.mean(axis=0))
    half = linear_stderr(growth, np.ones(400), gradient).half_width()
    assert 0.92 <= np.mean(np.abs(dimension - (2 + 0.4 / 3)) <= half) <= 0.98


@pytest.mark.parametrize("function", [kaplan_yorke_dimension, entropy])
def test_bad_arguments_are_named(function):
    with pytest.raises(ValueError, match="dim"):
        function([1.0, 0.0], dim=1)
    with pytest.raises(ValueError, match="nan"):
        function([1.0, np.nan])
    with pytest.raises(ValueError, match="shape"):
        function(1.0)


def limit_cycle():
    return ln.lyapunov_spectrum(ln.catalog.van_der_pol(), 5000, rng=0), 1, 0


def torus():
    golden = (np.sqrt(5) - 1) / 2
    circles = ln.Map(
        lambda x: anp.array([x[0] + golden, x[1] + np.sqrt(2), x[2] / 2 + anp.cos(x[0] + x[1])]), 3
    )
    return ln.lyapunov_spectrum(circles, 3000, x0=np.zeros(3), rng=0), 2, 0


def slow_decay():
    """A weakly damped oscillator, which rests in the end: the dimension is 0."""
    flow = ln.Flow(lambda x: anp.array([x[1], -4 * x[0] - 2e-4 * x[1]]), 2, dt=0.05)
    return ln.lyapunov_spectrum(flow, 2000, x0=[1.0, 0.0], transient=0, rng=0), 0, 0


def weak_chaos():
    """The tent map of slope 1.01: its dimension is 1, its entropy log 1.01."""
    tent = ln.Map(lambda x: 1.01 * anp.minimum(x, 1 - x), 1)
    return ln.lyapunov_spectrum(tent, 400, x0=[0.49], rng=0), 1, np.log(1.01)


@pytest.mark.parametrize("run", [limit_cycle, torus, slow_decay, weak_chaos])
def test_where_the_first_exponent_is_near_zero_the_dimension_is_held_by_its_error(run):
    s, dimension, entropy = run()
    assert abs(s.kaplan_yorke_dimension - dimension) <= 2 * s.kaplan_yorke_stderr + 1e-9
    assert abs(s.entropy - entropy) <= 2 * s.entropy_stderr + 1e-9


def test_cycles_and_tori_are_counted():
    for run in (limit_cycle, torus):
        s, dimension, _ = run()
        assert s.kaplan_yorke_dimension == dimension


def test_unknown_errors_are_those_of_what_follows():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 10, rng=0)
    assert np.isposinf(s.stderr).all()
    assert s.kaplan_yorke_stderr == s.entropy_stderr == np.inf
    flow = ln.Flow(lambda x: anp.array([x[1], -x[0] - 0.2 * x[1]]), 2, dt=0.05)
    s = ln.lyapunov_spectrum(flow, 30, x0=[1.0, 0.0], transient=0, basis_transient=0, rng=0)
    assert np.isposinf(s.stderr).all()
    assert s.kaplan_yorke_stderr == s.entropy_stderr == np.inf
