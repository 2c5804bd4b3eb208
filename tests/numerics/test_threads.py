"""Work shared among threads is done once, in order."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from lyapnet.numerics import threads


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(threads, "allowed_threads", lambda: 3)


@pytest.mark.usefixtures("three")
def test_ranges_fill_what_is_shared():
    for size in (1, 2, 3, 10, 100):
        for asked in (0, 1, 2, 5):
            ranges = []
            threads.shared(lambda a, b: ranges.append((a, b)), size, asked)  # noqa: B023
            assert len(ranges) == (1 if min(size, asked) < 2 else len(set(ranges)))
            assert sorted(i for a, b in ranges for i in range(a, b)) == list(range(size))


@pytest.mark.usefixtures("three")
def test_pieces_are_those_of_one_thread():
    for size, each in ((1, 4), (8, 4), (11, 4), (100, 3)):
        few, many = (threads.in_pieces(lambda a, b: (a, b), size, each, n) for n in (1, 3))
        assert few == many == [(i, min(size, i + each)) for i in range(0, size, each)]


@pytest.mark.usefixtures("three")
def test_helpers_wait_for_more_and_help_nobody_else():
    def who(first, last):
        together.wait()  # each thread has a piece now
        within = threads.in_pieces(lambda a, b: threading.current_thread().name, 10, 1, 3)
        return threading.current_thread().name, within

    own = threading.current_thread().name
    for _ in range(2):
        together = threading.Barrier(3, timeout=30)
        found = dict(threads.in_pieces(who, 3, 1, 3))
        assert len(found) == 3
        assert own in found
        for name, within in found.items():
            assert name == own or name.startswith("lyapnet")
            assert name == own or set(within) == {name}


@pytest.mark.usefixtures("three")
def test_nobody_waits_for_helpers_that_are_busy():
    free = threading.Event()
    begun = [threads._pool().submit(free.wait, 30) for _ in range(os.cpu_count() or 1)]
    found = threads.in_pieces(lambda a, b: threading.current_thread().name, 5, 1, 3)
    assert found == [threading.current_thread().name] * 5
    free.set()
    assert all(one.result() for one in begun)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_failure_is_the_callers_when_all_others_are_done(bad):
    done, together = [], threading.Barrier(3, timeout=30)

    def part(first, last):
        together.wait()
        if first == bad:
            raise OverflowError("bad")
        done.append(first)

    with pytest.raises(OverflowError, match="bad"):
        threads.in_pieces(part, 3, 1, 3)
    assert sorted(done) == [i for i in range(3) if i != bad]


@pytest.mark.usefixtures("three")
def test_parts_have_the_callers_error_handling():
    with np.errstate(divide="ignore"):
        found = threads.in_pieces(lambda a, b: np.log(np.zeros(2))[0], 3, 1, 3)
    assert found == [-np.inf] * 3


def test_no_more_threads_than_the_caller_allows():
    with threadpool_limits(1):
        assert threads.allowed_threads() == 1


SCRIPT = """
import atexit, os, threading
from lyapnet.numerics import threads
threads.allowed_threads = lambda: 3
def work():
    return threads.in_pieces(lambda a, b: (a, b), 3, 1, 3)
expected = work()
atexit.register(lambda: print(work() == expected, flush=True))
child = os.fork()
if child:
    os.waitpid(child, 0)
print(threading.active_count(), work() == expected, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_helpers_of_its_own_and_an_ending_one_none():
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, timeout=60
    )
    assert found.stdout.split() == ["1", "True", "True"] * 2, found.stderr
