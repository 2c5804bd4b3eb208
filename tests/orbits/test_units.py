"""Whoever writes currents in amperes, or concentrations in moles, has small numbers for states."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def lorenz(unit):
    def field(x):
        x, y, z = x / unit
        return unit * anp.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    return ln.Flow(field, 3, dt=0.01)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e-12])
def test_fixed_points(unit):
    starts = 10 * unit * np.random.default_rng(0).standard_normal((20, 3))
    found = ln.fixed_points(lorenz(unit), 20, x0=starts, rng=0)
    c = np.sqrt(72.0)
    points = found.points[np.argsort(found.points[:, 0])] / unit
    assert_allclose(points, [[-c, -c, 27], [0, 0, 0], [c, c, 27]], atol=1e-8)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e-12])
def test_cycles(unit):
    x0 = unit * np.array([-13.76, -19.58, 27.0])
    cycle = ln.periodic_orbit(lorenz(unit), 1.55, x0=x0)
    assert_allclose(cycle.period, 1.558652, atol=1e-5)
    assert_allclose(cycle.exponents[0], 0.99465, atol=1e-5)


@pytest.mark.parametrize("unit", [1.0, 1e-9])
def test_states_that_stay_apart(unit):
    system = ln.Map(lambda x, u: unit * anp.tanh(2 * x / unit) + 0 * u, 1, n_inputs=1)
    x0 = unit * np.array([[0.5], [-0.5]])
    s = ln.lyapunov_spectrum(system, inputs=np.zeros((300, 1, 1)), x0=x0, rng=0)
    assert ln.echo_state(s).verdict == "fails"


@pytest.mark.parametrize("unit", [1.0, 1e-9])
def test_derivatives_are_checked(unit):
    s = ln.lyapunov_spectrum(lorenz(unit), 2000, x0=unit * np.array([1.0, 1.0, 20.0]), rng=0)
    found = ln.check_invariants(s)
    assert found.verdicts["derivative"].startswith("holds")
