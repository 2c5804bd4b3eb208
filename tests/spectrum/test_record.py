"""Growth is kept as it came, however it came."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from lyapnet.spectrum.record import Record


@pytest.mark.parametrize("expected", [0, 100, 40])
@pytest.mark.parametrize("sizes", [[100], [1, 99], [30, 30, 30, 10], [0, 100]])
def test_pieces_are_one_run(sizes, expected):
    rng = np.random.default_rng(0)
    growth, times = rng.standard_normal((100, 2, 3)), np.cumsum(rng.random(100))
    record, first = Record(), 0
    for size in sizes:
        last = first + size
        record.add(growth[first:last], times[first:last], max(0, expected - first))
        first = last
    assert_array_equal(record.growth, growth)
    assert_array_equal(record.times, times)
    longer = Record(record.growth, record.times)
    longer.add(growth[:5], times[-1] + times[:5])
    assert_array_equal(longer.growth, np.concatenate([growth, growth[:5]]))
    assert_array_equal(longer.times, np.concatenate([times, times[-1] + times[:5]]))


def test_an_empty_one():
    assert Record().growth is None
    assert len(Record().times) == 0
