"""Units do not matter: states may be amperes, moles, or nanometres beside metres per second."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def lorenz(unit, time=1.0, rho=28, dt=0.01, method="rk4"):
    def field(x):
        x, y, z = x / unit
        return unit / time * anp.array([10 * (y - x), x * (rho - z) - y, x * y - 8 / 3 * z])

    return ln.Flow(field, 3, dt=dt * time, method=method)


#: Powers of 2, in which rounding is the same: results must be, to the last digit.
EXACT = [(1.0, 2.0**30), (1.0, 2.0**-30), (2.0**-30, 1.0), (2.0**27, 2.0**-20), (2.0**-60, 2.0**40)]


@pytest.mark.parametrize(("unit", "time"), EXACT)
@pytest.mark.parametrize("rho", [28.0, 0.5])
def test_spectra(rho, unit, time):
    # In small units the interval was 1, by which a fixed point was "not settled", of dimension 1.
    def run(unit, time):
        x0 = unit * np.array([1.0, 1.0, 20.0])
        s = ln.lyapunov_spectrum(lorenz(unit, time, rho), 3000, x0=x0, rng=0)
        words = s.diagnose().verdict.split(",")[0]
        times_time = np.array([s.exponents, s.stderr]) * time
        return s.settings["qr_interval"], words, times_time, s._dimension

    here, there = run(1.0, 1.0), run(unit, time)
    assert here[:2] == there[:2]
    for one, other in zip(here[2:], there[2:], strict=True):
        assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(("unit", "time"), [(1.0, 1.0), *EXACT])
def test_invariants_that_fail(unit, time):
    # A step by Euler's method that is too long: tolerances of 1e-9 and 1e-5 per unit of time held
    # anything in slow units.
    x0 = unit * np.array([1.0, 1.0, 1.0])
    flow = lorenz(unit, time, 0.5, 0.05, "euler")
    found = ln.check_invariants(flow, 3000, x0=x0, rng=0).verdicts
    held = {name: verdict.split()[0].strip(":") for name, verdict in found.items()}
    assert held == {
        "derivative": "holds", "volume": "holds", "divergence": "fails", "zero exponent": "not",
    }  # fmt: skip


@pytest.mark.parametrize("time", [1.0, 2.0**-30])
def test_covariant_vectors(time):
    # Time to align was 20 units of time, or 2^41 steps.
    x0 = np.array([1.0, 1.0, 20.0])
    found = ln.covariant_vectors(lorenz(1.0, time), 1000, x0=x0, rng=0)
    growth = found.exponents * time
    assert_allclose(growth.sum(), -41 / 3, atol=0.5)
    assert_allclose(growth[0], 0.9, atol=0.5)


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


def two_sorts(forces, position, velocity, method="rk4"):
    """Positions and velocities in units of their own, and so times; all are powers of 2: exact."""

    def field(x):
        q, v = x[..., :n] / position, x[..., n:] / velocity
        return anp.concatenate([velocity * v, velocity**2 / position * forces(q, v)], axis=-1)

    n = 2 if forces is henon_heiles else 1
    return ln.Flow(field, 2 * n, dt=0.05 * position / velocity, method=method, vectorized=True)


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


@pytest.mark.parametrize("units", [(2.0**-30, 1.0), (2.0**30, 1.0), (1.0, 2.0**30)])
@pytest.mark.parametrize("name", ORBITS)
def test_invariants_of_two_sorts(name, units):
    # Derivatives by differences of metres were none of nanometres, and volumes not checked.
    forces, x0, _ = ORBITS[name]
    flow = two_sorts(forces, *units)
    found = ln.check_invariants(flow, 2000, x0=np.repeat(units, len(x0) // 2) * x0, rng=0)
    assert found.passed
    assert found.checks[:2] == ["derivative", "volume"]


def duffing(q, v):
    return -0.2 * v + q - q**3


@pytest.mark.parametrize("units", [(1.0, 1.0), (2.0**-30, 1.0), (2.0**30, 1.0), (1.0, 2.0**30)])
def test_fixed_points_of_two_sorts(units):
    # None were found of nanometres and metres per second, and 30 of slow ones.
    x0 = np.random.default_rng(0).uniform(-2, 2, (30, 2)) * units
    found = ln.fixed_points(two_sorts(duffing, *units), 30, x0=x0)
    order = np.argsort(found.points[:, 0])
    assert_allclose((found.points / units)[order], [[-1, 0], [0, 0], [1, 0]], atol=1e-9)
    assert sorted(found.kinds) == ["saddle", "sink", "sink"]


@pytest.mark.parametrize(("unit", "time"), EXACT)
def test_fixed_points_of_lorenz(unit, time):
    starts = 10 * unit * np.random.default_rng(0).standard_normal((20, 3))
    found = ln.fixed_points(lorenz(unit, time), 20, x0=starts, rng=0)
    c = np.sqrt(72.0)
    points = found.points[np.argsort(found.points[:, 0])] / unit
    assert_allclose(points, [[-c, -c, 27], [0, 0, 0], [c, c, 27]], atol=1e-8)


@pytest.mark.parametrize("units", [(1.0, 1.0), (2.0**-30, 1.0), (2.0**30, 1.0), (1.0, 2.0**30)])
def test_cycles_of_two_sorts(units):
    # Of slow ones the guess was the period, and "fine"; of small ones no cycle was found.
    unit_of_time = units[0] / units[1]
    flow = two_sorts(ORBITS["van der Pol"][0], *units)
    found = ln.periodic_orbit(flow, 6.5 * unit_of_time, x0=np.multiply([2.0, 0.0], units))
    truth = ln.periodic_orbit(ln.catalog.van_der_pol(mu=1.5), 6.5, x0=[2.0, 0.0])
    assert_allclose(found.period / unit_of_time, truth.period, rtol=1e-4)
    assert_allclose(found.exponents * unit_of_time, truth.exponents, rtol=1e-4, atol=1e-6)
    assert found.stable
    assert found.verdict.startswith("fine")
    family = two_sorts(lambda q, v: q - q**3, *units, "dop853")
    found = ln.periodic_orbit(family, 4.4 * unit_of_time, x0=np.multiply([1.3, 0.0], units))
    assert found.verdict.endswith("a family")
