"""Trajectories against exact solutions, steps by hand, and the states of other runs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln
from lyapnet.numerics.autodiff import value


def lorenz(x):
    return np.array(
        [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
    )  # fmt: skip


def test_a_driven_network_takes_its_own_recursion():
    cell = ln.VanillaRNN.random(7, n_inputs=2, rng=1)
    rng = np.random.default_rng(0)
    u, h = rng.standard_normal((30, 2)), rng.standard_normal(7)
    states = ln.trajectory(cell, 25, x0=h, inputs=u, transient=5)
    assert states.shape == (26, 7)
    for t in range(30):
        if t >= 5:
            assert_allclose(states[t - 5], h, atol=1e-12)
        h = cell.step(h, u[t])
    assert_allclose(states[-1], h, atol=1e-12)


def test_time_is_that_of_each_step_over_many_stretches():
    flow = ln.Flow(lambda x, t: np.array([np.cos(t)]), 1, dt=0.01, time=True)
    n, before = 9000, 137
    states = ln.trajectory(flow, n, x0=[0.0], t0=0.5, transient=before)
    t = 0.5 + 0.01 * (before + np.arange(n + 1))
    assert_allclose(states[:, 0], np.sin(t) - np.sin(0.5), atol=1e-10)


def test_the_stroboscopic_map_sees_every_period():
    flow = ln.Flow(lambda x, t: np.array([np.cos(t)]), 1, dt=2 * np.pi / 40, time=True)
    strobe = ln.stroboscopic(flow, 2 * np.pi)
    assert_allclose(ln.trajectory(strobe, 5, x0=[0.3]), np.full((6, 1), 0.3), atol=1e-12)


@pytest.mark.parametrize(("interpolation", "weights"), [("hold", (1, 0)), ("linear", (0.5, 0.5))])
def test_inputs_are_interpolated_within_steps(interpolation, weights):
    flow = ln.Flow(
        lambda x, u: u, 1, dt=0.1, n_inputs=1, interpolation=interpolation
    )  # fmt: skip
    u = np.random.default_rng(0).standard_normal(51)
    states = ln.trajectory(flow, 50, x0=[0.0], inputs=u[:, None])
    means = weights[0] * u[:-1] + weights[1] * u[1:]
    assert_allclose(states[1:, 0], 0.1 * np.cumsum(means), atol=1e-12)


def test_each_member_has_parameters_and_inputs_of_its_own():
    r, x0 = np.array([3.5, 3.7, 3.9]), np.full((3, 1), 0.2)
    found = ln.trajectory(ln.catalog.logistic(r=r), 10, x0=x0)
    assert found.shape == (11, 3, 1)
    for i in range(3):
        alone = ln.trajectory(ln.catalog.logistic(r=r[i]), 10, x0=[0.2])
        assert_allclose(found[:, i], alone, rtol=1e-12)
    cell = ln.VanillaRNN.random(4, rng=0)
    u = np.random.default_rng(0).standard_normal((9, 3, 1))
    found = ln.trajectory(cell, 9, x0=np.zeros(4), inputs=u)
    assert found.shape == (10, 3, 4)
    assert_allclose(found[:, 2], ln.trajectory(cell, 9, x0=np.zeros(4), inputs=u[:, 2]), atol=1e-14)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_stretches_are_chained(engine):
    flow = ln.compiled(ln.Flow(lorenz, 3, dt=0.01), engine)
    states = ln.trajectory(flow, 5000, x0=[1.0, 2.0, 20.0], transient=3)
    h = np.array([1.0, 2.0, 20.0])
    for _ in range(3):
        h = value(flow.step(h))
    assert_allclose(states[0], h, rtol=1e-12)
    assert_allclose(states[1:], flow.step(states[:-1]), rtol=1e-12, atol=1e-12)


def test_it_is_the_trajectory_of_a_spectrum():
    cell = ln.VanillaRNN.random(6, gain=0.8, n_inputs=1, rng=1)
    u = np.random.default_rng(3).standard_normal((300, 1))
    run = ln.lyapunov_spectrum(cell, 150, inputs=u, transient=100, basis_transient=50, rng=4)
    states = ln.trajectory(cell, 150, inputs=u, transient=150, rng=4)
    assert_allclose(states[-1], run.state, atol=1e-12)


def test_histories_of_a_delay_equation_begin_with_the_present():
    flow = ln.DelayFlow(lambda x, late: -late, 1, delays=1.0, dt=0.05)
    states = ln.trajectory(flow, 19, x0=flow.history([1.0]))
    assert_allclose(states[:, 0], 1 - 0.05 * np.arange(20), atol=1e-12)  # until the delay is over


def test_noise_is_that_of_the_seed():
    flow = ln.NoisyFlow(lambda x: -x, lambda x: np.ones(1), 1, dt=0.01)
    one, same, other = (
        ln.trajectory(flow, 20_000, x0=[0.0], transient=500, rng=seed) for seed in (0, 0, 1)
    )
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert_allclose(one.var(), 0.5, rtol=0.2)  # Ornstein and Uhlenbeck


def test_states_before_a_divergence_are_kept():
    doubling = ln.Map(lambda x: x * x, 1)
    with pytest.raises(ln.DivergedError, match="is not finite after step") as caught:
        ln.trajectory(doubling, 5000, x0=[2.0], transient=2)
    error = caught.value  # 2^(2^s) is beyond float64 from s = 10 on
    assert error.step == 10
    assert_allclose(error.partial[:, 0], 2.0 ** (2.0 ** np.arange(2, 10)))


def test_nothing_is_kept_of_a_transient_that_diverges():
    with pytest.raises(ln.DivergedError) as caught:
        ln.trajectory(ln.Map(lambda x: x * x, 1), 5, x0=[2.0], transient=20)
    assert caught.value.partial.shape == (0, 1)
