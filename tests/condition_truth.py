"""Truth for condition numbers: random products, multiplied out exactly, by other means.

The product is one of Python's integers, without any rounding; its singular values come from
mpmath's SVD at 4096 bits (16384 where the condition number asks for it). Nothing here is
shared with lyapnet.
"""

from dataclasses import dataclass

import mpmath
import numpy as np
from hypothesis import strategies as st

KINDS = [
    "gaussian",
    "graded",
    "orthogonal",
    "nearly singular",
    "nearly triangular",
    "turning",
    "tanh",
    "contracting",
    "expanding",
    "singular",
]


@dataclass
class Case:
    """A product to measure; `basis` is orthonormal to float64 as lyapnet makes it."""

    kind: str
    jacobians: np.ndarray
    basis: np.ndarray
    steps: list
    precision: int


@st.composite
def cases(draw, kinds=KINDS, n_max=12, t_max=400):
    kind = draw(st.sampled_from(kinds))
    n = draw(st.integers(1, n_max))
    k = draw(st.integers(1, n))
    T = draw(st.integers(1, t_max))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = 10.0 ** draw(st.floats(-14, 0))
    basis = np.linalg.qr(rng.standard_normal((n, k)))[0]
    if draw(st.booleans()):
        basis = np.eye(n)[:, rng.permutation(n)[:k]]
    steps = sorted({T, *draw(st.lists(st.integers(1, T), max_size=2))})
    precision = draw(st.sampled_from([53, 64, 100, 192, 256, 512]))
    return Case(kind, jacobians(kind, n, T, size, rng), basis, steps, precision)


def jacobians(kind, n, T, size, rng):
    """Draw T Jacobians; `size` is how small what is small may be."""
    J = rng.standard_normal((T, n, n))
    spread = np.log10(size) * rng.random(n)
    if kind == "graded":
        J *= 10.0 ** (spread * rng.choice([-1, 1], n))
    elif kind == "orthogonal":
        J = np.linalg.qr(J)[0]
    elif kind == "nearly singular":
        J = J[:, :, :1] * J[:, :1, :] + size * rng.standard_normal((T, n, n))
    elif kind == "nearly triangular":
        J = np.triu(J) + size * np.tril(rng.standard_normal((T, n, n)), -1)
    elif kind == "turning":  # what grew first shrinks later, and the other way round
        growth = np.exp2(rng.integers(-3, 4, n))
        J = np.where(np.arange(T)[:, None] < T // 2, growth, 1 / growth[::-1])[:, :, None]
        J = J * np.eye(n)
    elif kind == "tanh":
        h = rng.standard_normal((T, n)) * rng.choice([0.5, 1.0, 3.0])
        J = J[:1] * (1 - np.tanh(h) ** 2)[:, None, :] / np.sqrt(n)
    elif kind in ("contracting", "expanding"):
        rates = rng.random(n) * (-1 if kind == "contracting" else 1)
        J = np.eye(n) + 0.1 * (np.diag(rates) + 0.3 * J)
    elif kind == "singular":
        J[rng.random((T, n)) < 1.0 / (n * T), :] = 0.0
    return J


def log10_singular_values(jacobians, basis, steps):
    """Return log10 of the singular values (m, k); -inf where exactly zero."""
    product, exponent = integers(basis)
    found = []
    for t, jacobian in enumerate(jacobians[: steps[-1]], start=1):
        digits, more = integers(jacobian)
        product, exponent = digits @ product, exponent + more
        if t in steps:
            found.append(values(product, exponent))
    return np.array(found)


def integers(a):
    """Return integers and the exponent with ``a = integers * 2**exponent``."""
    ratios = [float(x).as_integer_ratio() for x in a.ravel()]
    exponent = max(q.bit_length() - 1 for _, q in ratios)
    digits = [p * 2**exponent // q for p, q in ratios]
    return np.array(digits, dtype=object).reshape(a.shape), -exponent


def values(product, exponent):
    k = product.shape[1]
    for bits in (4096, 16384):
        mp = mpmath.MPContext()
        mp.prec = bits
        s = mp.svd_r(mp.matrix(product.tolist()), compute_uv=False)
        logs = [mp.log10(x) + exponent * mp.log10(2) if x > 0 else -mp.inf for x in s]
        if logs[0] - logs[-1] < 0.27 * bits:  # three hundred decimals to spare
            return [float(x) for x in logs]
    r = rank(product)
    assert r < k, "not singular, but beyond 16384 bits: choose milder cases"
    logs[r:] = [-mp.inf] * (k - r)
    assert r == 0 or logs[0] - logs[r - 1] < 0.27 * bits
    return [float(x) for x in logs]


def rank(a):
    """Eliminate in exact integers, without fractions (Bareiss)."""
    a = [list(map(int, row)) for row in a]
    r, previous = 0, 1
    for j in range(len(a[0])):
        at = next((i for i in range(r, len(a)) if a[i][j]), None)
        if at is None:
            continue
        a[r], a[at] = a[at], a[r]
        for i in range(r + 1, len(a)):
            a[i] = [
                (a[r][j] * x - a[i][j] * y) // previous for x, y in zip(a[i], a[r], strict=True)
            ]
        previous, r = a[r][j], r + 1
        if r == len(a):
            break
    return r


def check(case, result, truth):
    """Assert that a result claims nothing false; return whether all of it is resolved."""
    singular = np.isneginf(truth[:, -1])
    with np.errstate(invalid="ignore"):
        kappa = np.where(singular, np.inf, truth[:, 0] - truth[:, -1])
    rounding = 4e-16 * (1 + np.where(np.isneginf(truth), 0.0, np.abs(truth)))
    known = result.resolved
    np.testing.assert_array_equal(result.log10_measured[known] == np.inf, singular[known])
    finite = known & ~singular
    np.testing.assert_allclose(result.log10_measured[finite], kappa[finite], rtol=1e-15, atol=1e-10)
    np.testing.assert_allclose(
        result.log10_singular_values[finite], truth[finite], rtol=1e-15, atol=1e-10
    )
    if result.log10_lower is not None:
        slack = 2 * rounding.max(axis=1)  # of the truth as a float64
        assert np.all((result.log10_lower <= kappa + slack) | singular)
        assert np.all(result.log10_upper >= kappa - slack)
        assert np.all(result.log10_singular_lower <= truth + rounding)
        high = result.log10_singular_upper
        assert np.all((high >= truth - rounding) | np.isneginf(truth))
    return bool(known.all())
