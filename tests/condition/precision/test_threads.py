"""Condition numbers in threads: the same bits as one after the other, and flint left as it was."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lyapnet as ln

BITS = (600, 3015)


def jacobians(seed):
    """Return products that need more bits than the other precision has, or fewer."""
    rng = np.random.default_rng(seed)
    scale = np.array([1.0, 1e-3]) if seed % 2 == 0 else np.array([1.0, 1e-12])
    return rng.standard_normal((20, 2, 2)) * scale[:, None]


def measure(seed, backend):
    D, bits = jacobians(seed), BITS[seed % 2]
    return ln.condition_from_jacobians(D, precision=bits, backend=backend, times=[20], rng=0)


@pytest.fixture(autouse=True)
def eager():
    """Let threads take turns a hundred times as often as they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before)


def digits(c):
    return c.log10_measured.tobytes() + c.log10_singular_values.tobytes()


def measured_bits(seed, backend="flint"):
    return digits(measure(seed, backend))


@pytest.mark.parametrize("backend", ["flint", "mpmath"])
def test_threads_do_not_see_each_others_precision(backend):
    if backend == "flint":
        flint = pytest.importorskip("flint")
        before = flint.ctx.prec
    seeds = range(16)
    alone = [measured_bits(seed, backend) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: measured_bits(seed, backend), seeds))
    assert together == alone
    if backend == "flint":
        assert flint.ctx.prec == before


def test_threads_of_joblib():
    flint, joblib = pytest.importorskip("flint"), pytest.importorskip("joblib")
    before = flint.ctx.prec
    alone = [measured_bits(seed) for seed in range(8)]
    parallel = joblib.Parallel(n_jobs=4, backend="threading")
    assert parallel(joblib.delayed(measured_bits)(seed) for seed in range(8)) == alone
    assert flint.ctx.prec == before


@pytest.mark.filterwarnings("ignore")  # of Dask and Tornado about themselves
def test_one_worker_of_dask_with_several_threads():
    pytest.importorskip("flint")
    distributed = pytest.importorskip("distributed")
    alone = [measured_bits(seed) for seed in range(8)]
    local = {"n_workers": 1, "threads_per_worker": 4, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=False, **local) as cluster,
        cluster.get_client() as client,
    ):
        assert client.gather(client.map(measured_bits, range(8))) == alone


def test_a_measurement_within_a_measurement():
    """A callback of one may ask for another one: the turn is the thread's, not the call's."""
    pytest.importorskip("flint")
    from lyapnet.condition.precision.product import singular_values_of_product as measured

    D, inner = jacobians(1), []
    asked = dict(backend="flint", rigorous=False)

    def report(step):
        if not inner:
            inner.append(measured(D, np.eye(2), [20], bits=100, report=int, **asked))

    outer = measured(D, np.eye(2), [20], bits=3015, report=report, **asked)
    plain = measured(D, np.eye(2), [20], bits=3015, report=int, **asked)
    assert inner
    assert outer.log10_values.tobytes() == plain.log10_values.tobytes()
