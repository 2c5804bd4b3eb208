"""What is finite, whatever its squares are."""

import numpy as np
import pytest

from lyapnet.numerics.arrays import all_finite


@pytest.mark.parametrize("size", [0, 1, 7, 10_000, 10_001])
@pytest.mark.parametrize("value", [1.0, 1e200, -1e308, 5e-324])
def test_finite_numbers_are_finite_without_a_warning(size, value):
    assert all_finite(np.full(size, value))
    assert all_finite(np.full((size, 3), value)[:, ::2])


@pytest.mark.parametrize("size", [1, 7, 10_000, 10_001])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(size, value):
    for at in {0, size // 2, size - 1}:
        x = np.full(size, 1e200)
        x[at] = value
        assert not all_finite(x)
        assert not all_finite(np.stack([x, x])[:, ::-1])
