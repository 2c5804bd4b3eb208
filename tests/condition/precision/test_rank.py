"""Ranks in exact arithmetic."""

import numpy as np
import pytest

from lyapnet.condition.precision.backends import make_arithmetic
from lyapnet.condition.precision.rank import exact_rank, integers, modular_rank


@pytest.mark.parametrize("backend", ["flint", "mpmath"])
def test_exact_rank(backend):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((5, 3)))[0]
    D = rng.standard_normal((3, 5, 5))
    thin = np.zeros((5, 5))
    thin[:, :2] = rng.standard_normal((5, 2))
    tiny = np.diag([1.0, 1.0, 1e-300, 1e-300, 1e-300])
    with make_arithmetic(backend, 64) as arithmetic:
        assert exact_rank(arithmetic, [basis, *D]) == 3
        assert exact_rank(arithmetic, [basis, *D, tiny]) == 3
        assert exact_rank(arithmetic, [basis, *D, thin]) == 2
        # Each factor has rank 3, their product has 1.
        left = np.diag([1.0, 1.0, 1.0, 0.0, 0.0])
        right = np.diag([0.0, 0.0, 1.0, 1.0, 1.0])
        assert exact_rank(arithmetic, [basis, left, right]) == 1


def test_modular_rank_never_exceeds_the_rank():
    rng = np.random.default_rng(1)
    for r in range(1, 5):
        a = rng.integers(-9, 9, (6, r)) @ rng.integers(-9, 9, (r, 4)) * 2.0**-30
        assert modular_rank([a]) == np.linalg.matrix_rank(a)
    assert modular_rank([np.array([[33_554_393.0]])]) == 0  # the prime itself


def test_integers_are_exact():
    a = np.array([[0.75, -3.0], [0.0, 2.0**-40]])
    digits = integers(a)
    assert digits.tolist() == [[3 * 2**38, -3 * 2**40], [0, 1]]
    assert integers(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
