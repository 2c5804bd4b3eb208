"""A hyperbolic tangent whose derivatives do not overflow; warnings are errors here."""

import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.numerics.steady import NUMPY, tanh

WIDTH = 1e-3
#: Velocities in units of the width are up to 4000: cosh overflows from 710 on.
STATES = np.array([[0.3, 4.0], [0.1, 2e-4], [1.0, -0.5]])


def test_both_derivatives_have_all_their_digits():
    x = np.array([-400.0, -30.0, -1.0, 0.0, 0.5, 20.0, 800.0])
    first = np.array([4 * math.exp(-2 * abs(a)) / (1 + math.exp(-2 * abs(a))) ** 2 for a in x])
    assert_allclose(elementwise_grad(tanh)(x), first, rtol=1e-14)
    second = elementwise_grad(elementwise_grad(tanh))(x)
    assert_allclose(second, -2 * np.tanh(x) * first, rtol=1e-13)
    assert_allclose(elementwise_grad(NUMPY.sin)(x), np.cos(x))


FRICTION = {
    "numpy": lambda x: np.array([x[1], -x[0] - np.tanh(x[1] / WIDTH)]),
    "autograd": lambda x: anp.array([x[1], -x[0] - anp.tanh(x[1] / WIDTH)]),
    "math": lambda x: anp.array([x[1], -x[0] - math.tanh(x[1] / WIDTH)]),
}


class Friction:
    """Not looked through: autograd's own tanh."""

    def __call__(self, x):
        return FRICTION["autograd"](x)


@pytest.mark.parametrize("field", [*FRICTION.values(), Friction()], ids=[*FRICTION, "object"])
def test_steep_friction_is_differentiated_without_a_warning(field):
    with np.errstate(under="ignore"):
        steep = np.cosh(np.clip(STATES[:, 1] / WIDTH, -300, 300)) ** -2.0 / WIDTH
    expected = np.tile([[0.0, 1.0], [-1.0, 0.0]], (3, 1, 1))
    expected[:, 1, 1] = -steep
    system = ln.Map(field, 2)
    assert_allclose(system.jacobian(STATES), expected, rtol=1e-12, atol=1e-200)
    # states of a trajectory at once, and an ensemble's
    assert_allclose(system.orbit(STATES[0], None, 3).jacobians[0], expected[0], atol=1e-200)
    assert_allclose(system.orbit(STATES, None, 3).jacobians[0], expected, rtol=1e-12, atol=1e-200)


def test_gradients_through_saturated_functions_are_numbers():
    steep = ln.Map(lambda x, p: 0.5 * x + 0.1 * anp.tanh(x / p), 1, params=1e-3)

    def exponent(p):
        return ln.finite_time_exponents(steep.with_params(p), [2.0], np.eye(1), n_steps=3)[0]

    assert_allclose(exponent(1e-3), np.log(0.5))
    assert grad(exponent)(1e-3) == 0.0  # saturated to 10^-170; NaN before
