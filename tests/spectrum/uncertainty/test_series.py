"""What errors of large ensembles are made of, by compiled loops and by NumPy: the same numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from lyapnet.spectrum.uncertainty import heavy_tails, regular, series, stderr

pytest.importorskip("numba")

#: Batches: about as many as there are at most, fewer than a scale, than both, and hardly any.
NUMBERS = 1024, 1000, 257, 130, 64, 40, 12


def growth(n, seed=0):
    """Return growth (n, 19) of several kinds, the last batch shorter, and durations."""
    rng = np.random.default_rng(seed)
    t, durations = np.arange(n), np.full(n, 0.5)
    durations[-1] = 0.3
    g = rng.standard_normal((n, 19)) ** 3
    g[:, 0], g[:, 1], g[:, 2] = 1.7 * durations, 0.0, np.cos(0.3 * t)
    g[:, 3], g[:, 4] = 0.5**t, 1e-3 * np.cos(2.0 * t) + 0.4
    g[:, 5] = rng.pareto(1.3, n)
    g[:, 6] = np.repeat(rng.standard_exponential(n // 4 + 1), 4)[:n]
    g[n // 2, 7] = -np.inf
    g[:, 8] = np.cumsum(g[:, 8])
    return g, durations


@pytest.mark.parametrize("n", NUMBERS)
def test_series(n):
    a, b = (series.series(*growth(n), by_loops) for by_loops in (False, True))
    assert_array_equal(a.total == -np.inf, b.total == -np.inf)
    assert np.isneginf(a.total).sum() == 1
    # Of growth that is constant only rounding is left, whose moments are any.
    varies = a.squares > 1e-20
    assert varies.sum() >= 16
    for name in a._fields:
        of = -2 if name in ("rows", "deviation") else -1
        x, y = (np.moveaxis(getattr(found, name), of, 0) for found in (a, b))
        assert x.shape == y.shape
        assert_allclose(x[varies], y[varies], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("by_loops", [False, True])
def test_moments_are_those_of_scipy(by_loops):
    x = np.random.default_rng(0).standard_exponential((128, 3))
    found = series.series(x, np.ones(128), by_loops)
    assert_allclose(found.skewness[0], stats.skew(x))
    assert_allclose(found.total, x.sum(axis=0))
    d = x - x.mean(axis=0)
    assert_allclose(found.lagged, [np.correlate(c, c, "full")[128] for c in d.T])
    assert (found.uneven >= stats.kurtosis(x) / 128 - 1e-12).all()


@pytest.mark.parametrize("by_loops", [False, True])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(by_loops, wrong):
    x = np.zeros((20, 3))
    x[4, 1] = wrong
    with pytest.raises(ValueError, match="nan or"):
        series.series(x, np.ones(20), by_loops)


@pytest.mark.parametrize("n", NUMBERS)
def test_regular_growth(n):
    g, durations = growth(n)
    g[n // 2, 7] = 0.0
    a, b = (regular.regular_bound(g, durations, 2.0, by_loops) for by_loops in (False, True))
    assert_array_equal(a[0], b[0])
    assert a[0][:2].all()
    assert not a[0].all()
    assert_allclose(a[1], b[1], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("n", [1024, 300])
def test_powers_of_tails(n):
    rng = np.random.default_rng(1)
    rows = rng.pareto(1.6, (40, n)) - 1.5
    rows[0], rows[1], rows[2] = -1.0, 1.0, np.round(rows[2], 1)  # none, one, and equal ones
    which = np.array([0, 1, 2, *range(5, 40)])
    sign = np.where(which % 7 == 6, -1.0, 1.0)
    ways = heavy_tails._tails, heavy_tails._tails_by_loops
    (largest, a), (also, b) = (find(rows, which, sign) for find in ways)
    assert_array_equal(largest, also)
    assert np.isinf(a[:2]).all()
    assert np.isfinite(a).sum() > 10
    assert_allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("n", NUMBERS)
@pytest.mark.parametrize("together", [False, True])
def test_estimates(n, together, monkeypatch):
    g, durations = growth(n)
    g = g[:, None] if together else g[..., None]
    found = []
    for much in (np.inf, 0):
        monkeypatch.setattr(stderr, "MUCH", much)
        found.append(stderr.estimate(g, durations, 3 * n))
    for a, b in zip(*found, strict=True):
        if a is found[0].dof:  # not of growth that is constant: there it is that of rounding
            a.flat[0] = b.flat[0]
        assert_allclose(a, b, rtol=1e-8, atol=1e-13)
