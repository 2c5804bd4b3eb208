"""Singular values of graded matrices, far beyond what the number of bits suggests."""

import mpmath
import numpy as np
import pytest

from lyapnet.condition.precision.backends import make_arithmetic
from lyapnet.condition.precision.graded import jacobi, reflect, singular_values

BACKENDS = ["flint", "mpmath"]


def truth(first, last, exponents):
    mp = mpmath.MPContext()
    mp.prec = 8000
    middle = mp.diag([mp.ldexp(1, int(e)) for e in exponents])
    product = mp.matrix(last.tolist()) * middle * mp.inverse(mp.matrix(first.tolist()))
    return np.array([float(mp.log10(x)) for x in mp.svd_r(product, compute_uv=False)])


def triangle(k, rng):
    return np.triu(rng.standard_normal((k, k)), 1) + np.diag(rng.uniform(1, 2, k))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("step", [0, 1, 7, 300])
def test_singular_values(backend, step):
    rng = np.random.default_rng(step)
    first, last = triangle(6, rng), triangle(6, rng)
    exponents = -step * np.arange(6)
    with make_arithmetic(backend, 128) as arithmetic:
        values, bound = singular_values(
            arithmetic, arithmetic.exact(first), arithmetic.exact(last), exponents
        )
        found = [arithmetic.log10(x) for x in values]
    np.testing.assert_allclose(found, truth(first, last, exponents), rtol=1e-15, atol=1e-14)
    assert bound < 1e-13


@pytest.mark.parametrize(("backend", "enough"), [("flint", True), ("mpmath", False)])
def test_nearly_parallel_columns(backend, enough):
    """They differ in the 100th bit, which floating point has and fixed point has not."""
    first = np.array([[1.0, 1.0], [0.0, 2.0**-100]])
    exponents = np.array([0, 0])
    with make_arithmetic(backend, 64) as arithmetic, np.errstate(all="ignore"):
        values, bound = singular_values(
            arithmetic, arithmetic.exact(first), arithmetic.exact(np.eye(2)), exponents
        )
        if enough:
            found = [arithmetic.log10(x) for x in values]
            np.testing.assert_allclose(found, truth(first, np.eye(2), exponents), atol=1e-14)
    assert (bound < 1e-13) == enough


@pytest.mark.parametrize("backend", BACKENDS)
def test_jacobi_rotates_to_orthogonal_columns(backend):
    rng = np.random.default_rng(1)
    a = rng.standard_normal((5, 5)) * 10.0 ** np.array([0, 40, -30, 90, 0])
    with make_arithmetic(backend, 100) as arithmetic:
        columns, rotation = jacobi(arithmetic, arithmetic.numbers(arithmetic.exact(a)))
        lengths = [arithmetic.sqrt(sum(x * x for x in column)) for column in columns]
        unit = [[x / s for x in c] for c, s in zip(columns, lengths, strict=True)]
        for matrix in (unit, rotation):
            gram, _ = arithmetic.gram(arithmetic.matrix(matrix)[0])
            assert np.abs(gram).max() < 1e-17


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_reflection_inverts_singular_values_and_decouples(backend):
    rng = np.random.default_rng(2)
    a = rng.standard_normal((4, 4))
    scales = np.array([0, 20, 5, -9])
    with make_arithmetic(backend, 200) as arithmetic:
        n, new, errors = reflect(arithmetic, arithmetic.exact(a), scales)
        b = arithmetic.floats(n)
    before = np.linalg.svd(a * 2.0**scales, compute_uv=False)
    after = np.linalg.svd(b * 2.0**new, compute_uv=False)
    np.testing.assert_allclose(after[::-1], 1 / before, rtol=1e-9)
    assert max(errors) < 1e-12
    cosines = np.abs(b.T @ b / np.outer(np.linalg.norm(b, axis=0), np.linalg.norm(b, axis=0)))
    assert np.max(cosines - np.eye(4)) < 0.1
