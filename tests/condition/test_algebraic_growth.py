"""Condition numbers that grow like powers of time, of which exponents predict nothing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

TURN = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
SHEAR = np.array([[1.0, 1.0], [0.0, 1.0]])
#: Blocks of a defective matrix with all eigenvalues on the unit circle, and its power of t.
DEFECTIVE = {
    "shear": (SHEAR, 2),
    "rotation with shear": (np.kron(SHEAR, TURN), 2),
    "Jordan block of 3": (np.eye(3) + np.eye(3, k=1), 4),
}
TIMES = np.array([25, 50, 100, 200, 400])


def exact(D, t):
    """Return the condition number of a power: by N^3 = 0 it is a polynomial in t, nothing lost."""
    one = D if len(D) < 4 else SHEAR  # the rotation commutes, and changes no singular value
    s = np.linalg.svd(np.linalg.matrix_power(one, int(t)), compute_uv=False)
    return s[0] ** 2 if len(one) == 2 else s[0] / s[-1]


def run(D, n_steps):
    """Return the spectrum of a long run from the basis in which the matrix is triangular."""
    n = len(D)
    system = ln.Map(lambda x: D @ x, n, jacobian=lambda x: D)
    few = dict(transient=0, basis_transient=0, rng=0)
    return ln.lyapunov_spectrum(system, n_steps, x0=np.zeros(n), basis=np.eye(n), **few)


@pytest.mark.parametrize("name", DEFECTIVE)
def test_exponents_predict_nothing_of_a_power_of_time_and_it_is_said(name):
    D, power = DEFECTIVE[name]
    c = ln.condition_from_jacobians(np.tile(D, (400, 1, 1)), basis=np.eye(len(D)), times=TIMES)
    measured = 10.0**c.log10_measured
    assert_allclose(measured, [exact(D, t) for t in TIMES], rtol=1e-6)
    assert_allclose(np.diff(c.log10_measured) / np.log10(2), power, atol=0.02)
    assert_allclose(c.log10_predicted, 0.0, atol=1e-10)
    assert c.note.startswith(f"exponents predict 0.0 of {c.log10_measured[-1]:.1f} decades")
    assert c.note in repr(c)
    s = run(D, 5000)
    assert_allclose(s.exponents, 0.0, atol=1e-10)
    assert_allclose(s.log10_condition_number(TIMES), 0.0, atol=1e-10)
    v = ln.compare_condition(c, s)
    assert "less than exponential" in v.note
    assert v.note in repr(v)


def test_a_window_from_a_random_basis_sees_it():
    """Finite-time exponents of the window are of order log t / t, and nothing is missing."""
    c = ln.condition_from_jacobians(np.tile(SHEAR, (400, 1, 1)), times=TIMES, rng=0)
    assert_allclose(c.log10_predicted, c.log10_measured, atol=1.0)
    assert not c.note


@pytest.mark.parametrize("factor", [1.5, 1e3])
def test_what_grows_exponentially_needs_no_note(factor):
    """Off-diagonal entries are a prefactor alone, soon less than half of the decades."""
    D = np.array([[2.0, factor], [0.0, 0.5]])
    c = ln.condition_from_jacobians(np.tile(D, (400, 1, 1)), basis=np.eye(2), times=TIMES)
    assert_allclose(c.slope_measured, np.log(4.0), rtol=1e-6)
    assert not c.note
    assert "note" not in repr(c)
    assert not ln.compare_condition(c, run(D, 2000)).note


def test_a_condition_number_of_one_needs_none():
    c = ln.condition_from_jacobians(np.tile(TURN, (50, 1, 1)), basis=np.eye(2))
    assert not c.note
