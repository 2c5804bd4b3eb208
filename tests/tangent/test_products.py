"""Steps that shrink some vectors by many orders more than others, against more digits."""

import warnings

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def turned(factors, seed):
    """Return a symmetric matrix that shrinks by these factors, in coordinates that hide them."""
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    return Q @ np.diag(factors) @ Q.T


def exact(A):
    """Return the logarithms of the moduli of its eigenvalues, descending, from 200 bits."""
    with mpmath.workprec(200):
        found = mpmath.eig(mpmath.matrix(A.tolist()), left=False, right=False)
        return np.sort([float(mpmath.log(abs(x))) for x in found])[::-1]


def by_map(A):
    return ln.lyapunov_spectrum(ln.Map(lambda x: anp.dot(A, x), 3), 2000, x0=np.zeros(3), rng=0)


def by_jacobians(A):
    return ln.spectrum_from_jacobians(np.stack([A] * 2200), basis_transient=200, rng=0)


@pytest.mark.parametrize("measure", [by_map, by_jacobians])
@pytest.mark.parametrize("factors", [[1.1, 1e-3, 1e-13], [1.1, 1e-8, 1e-14], [1e3, 1.0, 1e-10]])
@pytest.mark.parametrize("seed", range(4))
def test_errors_hold_what_rounding_in_a_step_does(measure, factors, seed):
    # Before: off by 6e-5, with an error of 6e-8, "converged".
    A = turned(factors, seed)
    s = measure(A)
    off = np.abs(s.exponents - exact(A))
    assert (off <= 3 * s.stderr + 1e-14).all()
    assert (s.stderr < 1e-3).all()
    verdict = s.diagnose()
    assert_allclose(verdict.stderr, s.stderr)
    assert "adds up to" in verdict.verdict


@pytest.mark.parametrize("measure", [by_map, by_jacobians])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_below_rounding_is_not_known(measure, seed):
    # Before: off by 1.1 at most, and from Jacobians "converged".
    A = turned([1.1, 1e-3, 1e-17], seed)
    with pytest.warns(UserWarning, match="as large as what is left"):
        s = measure(A)
    assert s.diagnose().verdict.startswith("unreliable: rounding in the products")
    assert s.diagnose().verdict.endswith("it does not change exponents 1, 2")
    assert_allclose(s.exponents[:2], exact(A)[:2], atol=1e-9)


def test_zeros_keep_vectors_apart():
    D = np.stack([np.diag([1.1, 1e-3, 1e-17])] * 500)
    s = ln.spectrum_from_jacobians(D, basis=np.eye(3), rng=0)
    assert_allclose(s.exponents, np.log([1.1, 1e-3, 1e-17]), rtol=1e-12)
    assert (s.stderr < 1e-8).all()
    assert s.diagnose().verdict.startswith("converged")


def test_a_tolerance_below_rounding_is_not_met():
    A = turned([1.1, 1e-3, 1e-14], 0)
    system = ln.Map(lambda x: anp.dot(A, x), 3)
    for tol, met in ((1e-6, False), (0.1, True)):
        s = ln.lyapunov_spectrum(system, 1000, x0=np.zeros(3), tol=tol, rng=0)
        assert s.converged is met
        assert s.diagnose().converged is met


def test_members_have_errors_of_their_own(tmp_path):
    A = np.stack([turned([1.1, 1e-3, d], 0) for d in (1e-13, 0.1, 1e-12)])
    s = ln.spectrum_from_jacobians(np.stack([A] * 1200), basis_transient=200, rng=0)
    assert (s.stderr[:, -1] > 1e-7).tolist() == [True, False, True]
    again = ln.load(s.save(tmp_path / "members.npz"))
    assert again.diagnose().verdict == s.diagnose().verdict
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (s.pooled().stderr > 0).all()
