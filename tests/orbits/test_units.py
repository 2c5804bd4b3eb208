"""Units do not matter: states may be amperes, moles, or nanometres beside metres per second."""

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


def two_sorts(forces, position, velocity):
    """Positions and velocities in units of their own, and so times; all are powers of 2: exact."""

    def field(x):
        q, v = x[..., :n] / position, x[..., n:] / velocity
        return anp.concatenate([velocity * v, velocity**2 / position * forces(q, v)], axis=-1)

    n = 2 if forces is henon_heiles else 1
    return ln.Flow(field, 2 * n, dt=0.05 * position / velocity, vectorized=True)


def henon_heiles(q, _):
    x, y = q[..., 0], q[..., 1]
    return anp.stack([-x - 2 * x * y, -y - x**2 + y**2], axis=-1)


ORBITS = {
    "oscillator": (lambda q, v: -q, [1.0, 0.3], "regular"),
    "pendulum": (lambda q, v: -anp.sin(q), [1.0, 0.3], "regular"),
    "van der Pol": (lambda q, v: 1.5 * (1 - q**2) * v - q, [1.0, 0.3], "regular"),
    "torus": (henon_heiles, [0.05, 0.1, 0.1, 0.05], "regular"),
    "chaos": (henon_heiles, [0.0, -0.15, 0.5, 0.16], "chaotic"),
}


@pytest.mark.parametrize("units", [(1.0, 1.0), (2.0**-30, 1.0), (2.0**30, 1.0), (1.0, 2.0**30)])
@pytest.mark.parametrize("name", ORBITS)
def test_alignment(name, units):
    # Until now a harmonic oscillator in nanometres and metres per second was "chaotic".
    forces, x0, verdict = ORBITS[name]
    x0 = np.repeat(units, len(x0) // 2) * x0
    found = ln.alignment(two_sorts(forces, *units), 8000, x0=x0, rng=0)
    assert found.verdict == verdict
