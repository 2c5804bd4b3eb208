import copy
import pickle

import numpy as np
import pytest

from lyapnet.spectrum.uncertainty.batches import GrowthStatistics
from lyapnet.spectrum.uncertainty.blocks import MOST_BATCHES
from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr


def fed(growth, durations, cuts, **options):
    statistics = GrowthStatistics(**options)
    for chunk, times in zip(np.split(growth, cuts), np.split(durations, cuts), strict=True):
        if len(chunk):
            statistics.update(chunk, times)
    return statistics


@pytest.mark.parametrize("n", [1, 7, 1023, 1024, 1025, 50_001])
def test_mean_is_exact_and_memory_bounded(n):
    rng = np.random.default_rng(0)
    growth = rng.standard_normal((n, 2, 3))
    statistics = fed(growth, np.ones(n), np.sort(rng.integers(0, n + 1, 20)))
    estimate = statistics.estimate()
    np.testing.assert_allclose(estimate.mean, growth.mean(axis=0), rtol=0, atol=1e-13)
    assert statistics.growth.shape[0] == statistics.durations.shape[0] <= MOST_BATCHES
    assert statistics.n_blocks == n
    assert statistics.durations.sum() == n


# Few columns are summed one by one, many row by row.
@pytest.mark.parametrize("columns", [2, 64])
def test_chunks_do_not_matter(columns):
    rng = np.random.default_rng(1)
    growth, durations = rng.standard_normal((4321, columns)), rng.uniform(0.5, 1.5, 4321)
    one = fed(growth, durations, [], capacity=64)
    many = fed(growth, durations, np.arange(1, 4321), capacity=64)
    some = fed(growth, durations, np.sort(rng.integers(0, 4322, 40)), capacity=64)
    assert one.blocks_per_batch == many.blocks_per_batch == some.blocks_per_batch == 128
    np.testing.assert_allclose(one.growth, some.growth, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.growth, many.growth, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.durations, many.durations, rtol=1e-13)
    # every batch but the open one holds the same blocks as a plain sum over 128
    np.testing.assert_allclose(
        one.growth, np.add.reduceat(growth, np.arange(0, 4321, 128), axis=0), rtol=0, atol=1e-12
    )


def test_estimate_is_that_of_the_recorded_run():
    growth = np.random.default_rng(2).standard_normal((1000 * 128, 50))
    growth = np.add.accumulate(growth, axis=0)[::128][:1000] * 0.001 + growth[:1000]
    ones = np.ones(1000)
    streamed, recorded = fed(growth, ones, [1, 500]).estimate(), mean_and_stderr(growth, ones)
    np.testing.assert_allclose(streamed.stderr, recorded.stderr, rtol=1e-12)
    np.testing.assert_array_equal(streamed.dof, recorded.dof)


def test_coverage_after_merging():
    # AR(1) 0.9 of 3000 steps in at most 128 batches; 2000 replications: standard error 0.5 %
    rng = np.random.default_rng(3)
    state = rng.standard_normal(2000) / np.sqrt(1 - 0.81)
    statistics = GrowthStatistics(capacity=128)
    for _ in range(30):
        chunk = np.empty((100, 2000))
        for i in range(100):
            chunk[i] = state = 0.9 * state + rng.standard_normal(2000)
        statistics.update(chunk, np.ones(100))
    low, high = statistics.estimate().confidence_interval()
    assert 0.92 <= np.mean((low <= 0) & (high >= 0)) <= 0.98


def test_mean_over_members():
    growth = np.random.default_rng(4).standard_normal((3000, 4, 2))
    statistics = fed(growth, np.ones(3000), [1700])
    mean = statistics.mean_over_members()
    np.testing.assert_allclose(mean.growth, statistics.growth.mean(axis=1), rtol=1e-13)
    mean.update(np.ones((10, 2)), np.ones(10))
    assert statistics.n_blocks == 3000
    assert mean.n_blocks == 3010


def test_annihilated_direction_stays_so():
    growth = np.zeros((5000, 2))
    growth[10, 0] = -np.inf
    assert fed(growth, np.ones(5000), [100]).estimate().mean.tolist() == [-np.inf, 0.0]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="capacity"):
        GrowthStatistics(capacity=5)
    statistics = GrowthStatistics()
    with pytest.raises(ValueError, match="no blocks"):
        _ = statistics.growth
    statistics.update(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="trailing shape"):
        statistics.update(np.ones((2, 4)), np.ones(2))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_goes_on_by_itself_and_has_nothing_that_is_not_used(again):
    rng = np.random.default_rng(0)
    growth, durations = rng.standard_normal((300, 5, 2)), np.full(300, 0.5)
    statistics = GrowthStatistics(64)
    statistics.update(growth[:170], durations[:170])
    other = again(statistics)
    assert pickle.dumps(other) == pickle.dumps(statistics)
    before = statistics.growth
    other.update(growth[170:], durations[170:])
    assert np.array_equal(statistics.growth, before)
    statistics.update(growth[170:], durations[170:])
    assert np.array_equal(statistics.growth, other.growth)
    for name in ("mean", "stderr", "dof"):
        assert np.array_equal(*(getattr(s.estimate(), name) for s in (statistics, other)))
    assert np.allclose(other.total, growth.sum(axis=0), rtol=1e-12)


def test_statistics_of_some_members_are_those_of_their_own():
    growth = np.random.default_rng(0).standard_normal((300, 2, 3, 2))
    chosen = np.array([[True, False, True], [False, False, True]])
    all_, some = GrowthStatistics(64), GrowthStatistics(64)
    all_.update(growth, np.ones(300))
    all_.conserved = chosen
    some.update(growth[:, chosen], np.ones(300))
    found = all_.of_members(chosen)
    assert np.array_equal(found.growth, some.growth)
    assert np.array_equal(found.total, some.total)
    assert found.conserved.shape == (3,)
    assert GrowthStatistics(64).of_members(chosen).n_blocks == 0
    assert GrowthStatistics(64).mean_over_members().n_blocks == 0


@pytest.mark.parametrize("width", [1, 5, 40, 3000])
@pytest.mark.parametrize("capacity", [16, 64])
def test_any_pieces_make_the_same_batches(width, capacity):
    rng = np.random.default_rng(width)
    growth = rng.integers(-1000, 1000, (700, width)).astype(float)  # sums are exact
    statistics = GrowthStatistics(capacity)
    at = 0
    while at < 700:
        more = int(rng.integers(1, 90))
        piece = growth[at : at + more]
        statistics.update(piece, np.ones(len(piece)))
        at += more
    per = statistics.blocks_per_batch
    assert capacity // 2 <= len(statistics.growth) <= capacity
    expected = np.add.reduceat(growth, np.arange(0, 700, per), axis=0)
    assert np.array_equal(statistics.growth, expected)
    assert np.array_equal(
        statistics.durations, np.add.reduceat(np.ones(700), np.arange(0, 700, per))
    )
    assert np.array_equal(statistics.total, growth.sum(axis=0))
