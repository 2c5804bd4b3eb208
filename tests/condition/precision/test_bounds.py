"""The bound of what errors inside a product can do, against products with such errors."""

import mpmath
import numpy as np
import pytest

from lyapnet.condition.precision.bounds import ErrorBound


@pytest.mark.parametrize("seed", range(12))
def test_bound_holds_and_is_not_absurd(seed):
    """Multiply (1 + H_l) 2**d_l out at 600 bits, and compare with the product of the scales."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 7))
    k = int(rng.integers(1, rows + 1))
    links = int(rng.integers(1, 40))
    rates = np.sort(rng.integers(-6, 7, rows))[::-1]
    mp = mpmath.MPContext()
    mp.prec = 600
    product = mp.matrix(np.eye(rows)[:, :k].tolist())
    bound = ErrorBound(rows, k)
    total = np.zeros(rows)
    for _ in range(links):
        d = rates + rng.integers(-2, 3, rows)
        size = 2.0 ** -rng.integers(60, 90, rows)
        H = rng.uniform(-1, 1, (rows, rows)) * size
        product = mp.matrix((2.0**d * np.eye(rows)).tolist()) * product
        product = (mp.eye(rows) + mp.matrix(H.tolist())) * product
        bound.scale(d)
        bound.absorb(np.log2(size))
        total += d
    assert bound.worst < 0
    values = mp.svd_r(product, compute_uv=False)
    expected = np.sort(total[:k])[::-1]
    errors = [abs(mp.log(v) - mp.log(2) * int(e)) for v, e in zip(values, expected, strict=True)]
    claimed = np.logaddexp2(bound.lower_norm(), bound.upper)
    worst = float(mp.log(max(errors), 2))
    assert worst <= claimed + 0.1
    assert claimed < worst + 30


def test_unsorted_scales_widen_the_bound():
    bound = ErrorBound(2, 2)
    bound.absorb(np.array([-100.0, -100.0]))
    tight = bound.lower_norm()
    for _ in range(50):
        bound.scale(np.array([-1, 1]))
        bound.absorb(np.array([-100.0, -100.0]))
    assert bound.lower_norm() > tight + 98
    assert bound.worst > -10


def test_what_is_not_a_number_never_holds():
    bound = ErrorBound(2, 1)
    with np.errstate(invalid="ignore"):
        bound.absorb(np.array([np.nan, -100.0]))
        bound.scale(np.array([3, 1]))
        bound.absorb(np.array([-100.0, -100.0]))
    assert not bound.worst < 0
