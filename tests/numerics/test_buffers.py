"""Memory is used again only where nobody can see it any more."""

import threading

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.numerics import buffers
from lyapnet.numerics.buffers import empty

SHAPE = (70, 30, 10)  # large enough to be kept


@pytest.fixture(autouse=True)
def _fresh_store():
    buffers._store.blocks.clear()


def address(x):
    return x.__array_interface__["data"][0]


def test_memory_is_used_again_once_nobody_refers_to_it():
    a = empty(SHAPE)
    at = address(a)
    b = empty(SHAPE)
    assert address(b) != at
    del a
    assert address(empty(SHAPE)) == at


def test_views_keep_their_memory():
    a = empty(SHAPE)
    a[...] = 1.0
    view = a[3].T[2:]
    flat = memoryview(a.reshape(-1))
    del a
    others = [empty(SHAPE) for _ in range(3)]
    for x in others:
        x[...] = 2.0
    assert (view == 1.0).all()
    assert flat[0] == 1.0


def test_other_shapes_of_one_size_share():
    a = empty(SHAPE)
    at = address(a)
    del a
    assert address(empty(SHAPE[::-1])) == at


def test_threads_do_not_share():
    a = empty(SHAPE)
    at, found = address(a), []
    del a
    thread = threading.Thread(target=lambda: found.append(address(empty(SHAPE))))
    thread.start()
    thread.join()
    assert found != [at]


def test_the_store_is_bounded():
    held = [empty((2**20 + i,)) for i in range(20)]
    assert sum(x.memory.size for x in buffers._store.blocks) <= buffers._CAPACITY
    assert len({address(x) for x in held}) == 20
    assert empty((3, 2)).shape == (3, 2)  # small ones and huge ones are the allocator's
    assert empty((2**22,)).size == 2**22


def test_results_survive_later_runs():
    cell = ln.VanillaRNN.random(80, rng=0)
    x = np.random.default_rng(0).standard_normal((16, 80))
    orbit = cell.orbit(x, None, 50)
    states, kept = orbit.states, orbit.states.copy()
    del orbit
    for _ in range(5):
        cell.orbit(-x, None, 50)
    assert (states == kept).all()
