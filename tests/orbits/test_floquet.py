"""Floquet exponents that a product of Jacobians in float64 would lose, against exact ones."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.orbits.floquet import floquet_logs


def periodic_factors(A, steps, rng):
    """Return ``S_{s+1} A S_s^-1`` with periodic S: they multiply to a matrix similar to A^steps."""
    n = len(A)
    S = np.eye(n) + 0.3 * rng.standard_normal((steps, n, n))
    return np.stack([S[(s + 1) % steps] @ A @ np.linalg.inv(S[s]) for s in range(steps)])


ROTATION = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])


@pytest.mark.parametrize(
    "A",
    [
        np.diag([2.0, 1.0, 0.1, -0.01]),
        np.diag([1.0, 0.999, -0.5, 0.4999]),
        np.kron(np.diag([1.1, 0.2]), ROTATION),
        np.kron([[1.0, 1.0], [0.0, 0.3]], ROTATION),
        np.diag(0.8 ** np.arange(20)),
    ],
    ids=["signs", "near", "pairs", "coupled pairs", "many"],
)
@pytest.mark.parametrize("steps", [1, 7, 60])
def test_eigenvalues_of_periodic_products(A, steps):
    found = floquet_logs(periodic_factors(A, steps, np.random.default_rng(3)))
    mu = np.linalg.eigvals(A).astype(complex)
    mu = mu[np.argsort(-np.abs(mu), kind="stable")]
    assert_allclose(found.real, steps * np.log(np.abs(mu)), atol=1e-8)
    # Phases of pairs come in either order.
    expected = np.cos(steps * np.angle(mu))
    assert_allclose(np.cos(found.imag), expected, atol=1e-7)


def test_multipliers_that_are_zero():
    shift = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert np.isneginf(floquet_logs(shift[None]).real).all()
    found = floquet_logs(np.stack([[[1.0, 1.0], [0.3, 0.0]], [[0.5, 1.0], [0.0, 0.0]]]))
    assert_allclose(found[0], np.log(0.8))
    assert np.isneginf(found[1].real)


def test_eigenvalues_that_sweeps_have_not_parted_are_called_unreliable(monkeypatch):
    monkeypatch.setattr("lyapnet.orbits.floquet._SWEEPS", 1)
    with pytest.warns(UserWarning, match="unreliable"):
        floquet_logs(periodic_factors(np.diag([1.0, 0.5]), 100, np.random.default_rng(0)))


# --- cycles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("u", [None, [0.3]])
def test_a_network_under_constant_input(u):
    W = 1.5 * np.array([[0.0, -1.0], [1.0, 0.0]])  # a quarter turn, that saturates
    cell = ln.VanillaRNN(W, [[0.0], [0.0]])
    cycle = ln.periodic_orbit(cell, 4, inputs=u, x0=[1.2, 0.1])
    a = np.abs(cycle.states).max()
    assert_allclose(a, 1.5 * np.tanh(a), rtol=1e-9)
    assert_allclose(np.sort(cycle.exponents), np.log([1.5 * (1 - np.tanh(a) ** 2), 1.5]), rtol=1e-8)
    held = ln.Map(lambda x: anp.tanh(W @ x) + np.array([0.1, -0.2]), 2)
    driven = ln.Map(lambda x, v: anp.tanh(W @ x) + v * np.array([0.5, -1.0]), 2, n_inputs=1)
    ends = [
        ln.periodic_orbit(held, 4, x0=[0.8, 0.1]),
        ln.periodic_orbit(driven, 4, x0=[0.8, 0.1], inputs=[0.2]),
    ]
    assert_allclose(ends[1].exponents, ends[0].exponents, rtol=1e-9)


def test_a_linear_map_twenty_times():
    A = np.array([[0.5, 0.2], [0.2, 0.1]])
    m = ln.Map(lambda z: anp.array([0.5 * z[0] + 0.2 * z[1], 0.2 * z[0] + 0.1 * z[1]]), 2)
    cycle = ln.periodic_orbit(m, 20, x0=[0.1, 0.1])
    exact = np.sort(np.log(np.linalg.eigvalsh(A)))[::-1]
    assert_allclose(cycle.exponents, exact, atol=1e-12)
    assert_allclose(cycle.log_multipliers, 20 * exact, atol=1e-11)
    assert_allclose(cycle.multipliers, np.exp(20 * exact), rtol=1e-10)
    assert cycle.turns == 20
    assert cycle.minimal_period == 1
    assert "turns=20" in repr(cycle)


@pytest.mark.parametrize("period", [2, 4, 16, 32, 64])
def test_exponents_of_henons_cycles_add_up_to_the_contraction(period):
    henon = ln.Map(lambda z: anp.array([1 - 0.9 * z[0] ** 2 + z[1], 0.3 * z[0]]), 2)
    cycle = ln.periodic_orbit(henon, period, x0=[0.5, 0.0], transient=2000)
    assert_allclose(cycle.exponents.sum(), np.log(0.3), atol=1e-10)
    shortest = ln.periodic_orbit(henon, int(cycle.minimal_period), x0=cycle.states[0])
    assert shortest.turns == 1
    assert_allclose(cycle.exponents, shortest.exponents, atol=1e-8)
    assert_allclose(cycle.multipliers, shortest.multipliers**cycle.turns, rtol=1e-6, atol=1e-300)


def test_multipliers_out_of_range_have_logarithms():
    m = ln.Map(lambda z: anp.array([0.5 * z[0], -0.1 * z[1]]), 2)
    cycle = ln.periodic_orbit(m, 2001, x0=[0.1, 0.1])
    assert_allclose(cycle.exponents, np.log([0.5, 0.1]), atol=1e-12)
    assert cycle.multipliers[1] == 0
    assert_allclose(cycle.log_multipliers[1], 2001 * np.log(0.1) + 1j * np.pi)
    assert cycle.stable


@pytest.mark.parametrize(("mu", "expected"), [(3, -3.939), (6, -9.133), (10, -16.345)])
def test_relaxation_oscillations_of_van_der_pol(mu, expected):
    f = ln.Flow(lambda x, mu=mu: anp.array([x[1], mu * (1 - x[0] ** 2) * x[1] - x[0]]), 2, dt=0.005)
    cycle = ln.periodic_orbit(f, x0=[2.0, 0.0], transient=8000)
    divergence = np.mean(mu * (1 - cycle.states[:-1, 0] ** 2))
    assert_allclose(divergence, expected, atol=1e-3)
    # The step is not fine for the jumps of the stiffest: the divergence of the steps is off by so.
    assert_allclose(cycle.exponents, [0, divergence], atol=2e-4)
    assert cycle.stable
    assert cycle.turns == 1


def test_an_orbit_of_lorenz_gone_around_twice():
    x0 = [-13.763610682134201, -19.578751942452, 27.0]
    lorenz = ln.catalog.lorenz63()
    once = ln.periodic_orbit(lorenz, 1.5586, x0=x0)
    twice = ln.periodic_orbit(lorenz, 3.1173, x0=x0)
    assert (once.turns, twice.turns) == (1, 2)
    assert_allclose(twice.minimal_period, once.period, rtol=1e-8)
    assert_allclose(twice.exponents, once.exponents, atol=1e-5)  # steps differ in length
    assert_allclose(twice.exponents.sum(), -41 / 3, atol=1e-3)
    assert_allclose(twice.multipliers[0], once.multipliers[0] ** 2, rtol=1e-4)


@pytest.mark.parametrize("method", ["rk4", "dop853", "adaptive"])
def test_three_turns_of_the_hopf_normal_form(method):
    def field(z):
        r2 = z[0] ** 2 + z[1] ** 2
        return anp.array([z[0] * (1 - r2) - z[1], z[1] * (1 - r2) + z[0]])

    dt = 0.05 if method == "rk4" else 0.5
    cycle = ln.periodic_orbit(ln.Flow(field, 2, dt=dt, method=method), 18.0, x0=[1.2, 0.0])
    assert_allclose(cycle.exponents, [0, -2], atol=1e-5)
    assert cycle.turns == 3
    assert_allclose(cycle.minimal_period, 2 * np.pi, rtol=1e-5)


@pytest.mark.parametrize("transient", [0, 20592])
def test_a_first_return_in_voltage_alone_is_none(transient):
    """Where its gates differ, a neuron at the same voltage is not back; the period is guessed."""
    cycle = ln.periodic_orbit(ln.catalog.hodgkin_huxley(), transient=transient)
    assert cycle.period == pytest.approx(14.63833, rel=1e-5)
    assert cycle.stable


def test_units_of_components_do_not_hide_a_return():
    def field(x):
        y = 1e4 * x[1]
        return np.array([y, 1e-4 * ((1 - x[0] ** 2) * y - x[0])])

    cycle = ln.periodic_orbit(ln.Flow(field, 2, dt=0.02), x0=[2.0, 0.0], transient=1000)
    assert cycle.period == pytest.approx(6.66328, rel=1e-4)


def test_a_search_that_ends_in_nothing_says_so():
    lorenz = ln.catalog.lorenz63()
    with pytest.raises(ln.LyapnetError, match=r"no cycle found.*(?:shrinks|misses|diverges)"):
        ln.periodic_orbit(lorenz, 0.05, x0=[1.0, 1.0, 20.0], max_iterations=20)


def test_a_forced_flow_over_four_of_its_periods():
    # x' = A (x - g(t)) + g'(t): x = g attracts with the exponents of A, -1 and -9.
    A = ROTATION @ np.diag([-1.0, -9.0]) @ ROTATION.T

    def field(x, t):
        g = anp.array([anp.cos(t), anp.sin(t)])
        return anp.dot(A, x - g) + anp.array([-anp.sin(t), anp.cos(t)])

    flow = ln.Flow(field, 2, dt=0.02, time=True)
    cycle = ln.periodic_orbit(flow, 8 * np.pi, x0=[1.0, 0.0])
    assert_allclose(cycle.exponents, [-1, -9], atol=1e-4)  # rk4
    assert cycle.turns == 4


def test_a_state_that_comes_back_in_a_forced_flow_is_no_turn():
    # x = sin t is 0 twice in its period.
    flow = ln.Flow(lambda x, t: anp.cos(t) + anp.sin(t) - x, 1, dt=0.05, time=True)
    cycle = ln.periodic_orbit(flow, 2 * np.pi, x0=[0.0])
    assert_allclose(cycle.exponents, -1, atol=1e-6)
    assert cycle.turns == 1


def test_a_fixed_point_of_a_map_is_said_to_be_one():
    henon = ln.catalog.henon()
    x = (-0.7 + np.sqrt(0.49 + 5.6)) / 2.8
    cycle = ln.periodic_orbit(henon, 2, x0=[x + 1e-3, 0.3 * x])
    assert cycle.turns == 2
    mu = np.linalg.eigvals(henon.jacobian(np.array([x, 0.3 * x])))
    assert_allclose(np.sort(cycle.multipliers.real), np.sort(mu**2), rtol=1e-9)


def test_a_fixed_point_of_a_flow_is_no_cycle():
    flow = ln.Flow(lambda x: -x, 2, dt=0.1, vectorized=True)
    with pytest.raises(ln.LyapnetError, match="fixed point"):
        ln.periodic_orbit(flow, 3.0, x0=[0.0, 0.0])


def test_cycles_are_saved_whole(tmp_path):
    cycle = ln.periodic_orbit(ln.catalog.logistic(r=3.2), 4, x0=[0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cycle.save(tmp_path / "cycle.npz")
    again = ln.load(tmp_path / "cycle.npz")
    assert again.turns == cycle.turns == 2
    assert_allclose(again.log_multipliers, cycle.log_multipliers)
