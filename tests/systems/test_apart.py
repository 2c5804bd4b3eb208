"""Objects of one's own that are written for one state, given several."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.systems import as_system
from lyapnet.systems.apart import refuse_mixing

MIXED = "does not do to each of many states what it does to it alone"


class Henon:
    """Written for one state."""

    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, x, u=None):
        return np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])

    def pushforward(self, x, Q, u=None):
        return np.array([-2.8 * x[0] * Q[0] + Q[1], 0.3 * Q[0]])


class WithJacobian:
    """Two logistic maps beside each other: members do not mix, and are taken for components."""

    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, x, u=None):
        return np.array([4 * x[0] * (1 - x[0]), 3.9 * x[1] * (1 - x[1])])

    def jacobian(self, x, u=None):
        return np.array([[4 * (1 - 2 * x[0]), 0 * x[0]], [0 * x[1], 3.9 * (1 - 2 * x[1])]])


class Driven:
    dim, n_inputs, dt = 2, 2, 1.0

    def step(self, x, u=None):
        return np.array([0.5 * x[0] + u[0], 0.4 * x[1] + u[1] * x[0]])

    def pushforward(self, x, Q, u=None):
        return np.array([0.5 * Q[0], 0.4 * Q[1] + u[1] * Q[0]])


class Vectorized(ln.System):
    """The Henon map, each member with its own parameter."""

    dim = 2

    def __init__(self, a):
        self.a = np.asarray(a)

    def step(self, x, u=None):
        return np.stack([1 - self.a * x[..., 0] ** 2 + x[..., 1], 0.3 * x[..., 0]], axis=-1)

    def pushforward(self, x, Q, u=None):
        slope = np.asarray(-2 * self.a * x[..., 0])[..., None]
        return np.stack([slope * Q[..., 0, :] + Q[..., 1, :], 0.3 * Q[..., 0, :]], axis=-2)


class HalfVectorized(Vectorized):
    pushforward = Henon.pushforward


TWO = np.array([[0.1, 0.1], [0.0, 0.05]])


@pytest.mark.parametrize("system", [Henon(), WithJacobian(), HalfVectorized(1.4)])
def test_as_many_members_as_components_are_not_taken_for_these(system):
    with pytest.raises(ValueError, match=r"many states .*index components"):
        ln.lyapunov_spectrum(system, 100, x0=TWO, rng=0)
    one = ln.lyapunov_spectrum(system, 100, x0=TWO[0], rng=0)
    assert one.exponents.shape == (2,)


def test_nor_under_inputs_nor_where_fixed_points_are_looked_for():
    inputs = np.random.default_rng(0).standard_normal((60, 2, 2))
    with pytest.raises(ValueError, match=MIXED):
        ln.lyapunov_spectrum(Driven(), inputs=inputs, x0=TWO, rng=0)
    with pytest.raises(ValueError, match=MIXED):
        ln.fixed_points(Henon(), 2, x0=TWO, rng=0)


@pytest.mark.parametrize("members", [3, 5])
def test_other_numbers_of_members_are_refused_with_the_remedy(members):
    x0 = np.full((members, 2), 0.1)
    with pytest.raises(ValueError, match=r"index components as x\[\.\.\., 0\]"):
        ln.lyapunov_spectrum(Henon(), 100, x0=x0, rng=0)
    with pytest.raises(ValueError, match=r"lyapnet\.Map"):
        ln.fixed_points(Henon(), members, x0=x0, rng=0)
    with pytest.raises(ValueError, match=r"lyapnet\.Map"):
        ln.ftle_field(Henon(), 5, x0=x0)


@pytest.mark.parametrize("a", [1.4, [1.4, 1.2]])
def test_objects_that_take_states_run_as_one_by_one(a):
    each = [
        ln.lyapunov_spectrum(Vectorized(b), 300, x0=x, basis=np.eye(2)).exponents
        for b, x in zip(np.broadcast_to(a, 2), TWO, strict=True)
    ]
    found = ln.lyapunov_spectrum(Vectorized(a), 300, x0=TWO, basis=np.eye(2))
    assert_allclose(found.exponents, each, rtol=1e-9)


def test_an_object_that_takes_no_single_state_tells_nothing_of_members_alone():
    class Rows(ln.System):
        dim = 2

        def step(self, x, u=None):
            return x[:, ::-1] * [[0.5, 0.3]]

        def jacobian(self, x, u=None):
            return np.broadcast_to([[0.0, 0.5], [0.3, 0.0]], (len(x), 2, 2))

    refuse_mixing(Rows(), TWO, None)
    with pytest.raises(ValueError, match=MIXED):
        refuse_mixing(as_system(Henon()), TWO, None)


def test_nor_does_one_that_draws_at_random():
    class Random(Vectorized):
        def step(self, x, u=None):
            return super().step(x) + 1e-3 * np.random.default_rng().standard_normal(x.shape)

    refuse_mixing(Random(1.4), TWO, None)
