"""Jacobians of a few states at once: as many components in one pass as there are copies of them."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

from lyapnet.numerics import autodiff
from lyapnet.numerics.autodiff import jacobian_of, over_states

N, LEAD = 7, (2,)
rng = np.random.default_rng(0)
A, X, U = rng.standard_normal((N, N)), rng.standard_normal((3, *LEAD, N)), rng.random((3, *LEAD, 1))
RATES = np.array([0.5, 2.0])


def step(x, u, p):
    return anp.array([sum(A[i, j] * anp.sin(p * x[j]) for j in range(N)) * u[0] for i in range(N)])


@pytest.mark.parametrize("mode", ["lanes", "columns"])
@pytest.mark.parametrize("copies", [1, 3, 7, 20])
def test_jacobians_are_exact_whatever_the_number_of_copies(monkeypatch, mode, copies):
    monkeypatch.setattr(autodiff, "_COPIED", copies * X.size)
    passes = []

    def counted(x, u, p):
        passes.append(np.shape(autodiff.value(x)))
        return over_states(step, mode, LEAD)(x, u, p)

    found = jacobian_of(counted, N, at_once=True)(X, U, RATES)
    rate = RATES[:, None, None]
    expected = A * rate * np.cos(rate * X[..., None, :]) * U[..., None]
    assert_allclose(found, expected, rtol=1e-13)
    assert passes == [((min(copies, N),) if copies > 1 else ()) + X.shape]


def test_they_are_differentiated_one_component_after_the_other():
    derivative = jacobian_of(over_states(step, "lanes", ()), N, at_once=True)
    found = grad(lambda p: anp.sum(derivative(X[0, 0], U[0, 0], p)))(0.7)
    x, u = X[0, 0], U[0, 0, 0]
    expected = np.sum(A * (np.cos(0.7 * x) - 0.7 * x * np.sin(0.7 * x)) * u)
    assert found == pytest.approx(expected, rel=1e-12)
