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
    for size in (1, 2, 3, 10):
        for asked in (0, 1, 2, 5):
            ranges = threads.shared(lambda a, b: (a, b), size, asked)
            assert len(ranges) == max(1, min(size, asked, 3))
            assert [i for a, b in ranges for i in range(a, b)] == list(range(size))


@pytest.mark.usefixtures("three")
def test_pieces_are_those_of_one_thread():
    for size, each in ((1, 4), (8, 4), (11, 4)):
        few, many = (threads.in_pieces(lambda a, b: (a, b), size, each, n) for n in (1, 3))
        assert few == many == [(i, min(size, i + each)) for i in range(0, size, each)]


@pytest.mark.usefixtures("three")
def test_helpers_wait_for_more_and_help_nobody_else():
    def who(first, last):
        within = threads.shared(lambda a, b: (a, b), 10, 3)
        return threading.current_thread().name, len(within)

    runs = [threads.shared(who, 3, 3) for _ in range(2)]
    own = threading.current_thread().name
    for (first, parts), *others in runs:
        assert first == own
        assert parts == 3
        assert all(name.startswith("lyapnet") and parts == 1 for name, parts in others)


@pytest.mark.usefixtures("three")
def test_a_failure_is_the_callers_when_all_others_are_done():
    done = []

    def part(first, last):
        if not first:
            raise OverflowError("first")
        done.append(first)

    with pytest.raises(OverflowError, match="first"):
        threads.shared(part, 3, 3)
    assert sorted(done) == [1, 2]


@pytest.mark.usefixtures("three")
def test_parts_have_the_callers_error_handling():
    with np.errstate(divide="ignore"):
        found = threads.shared(lambda a, b: np.log(np.zeros(2))[0], 3, 3)
    assert found == [-np.inf] * 3


def test_no_more_threads_than_the_caller_allows():
    with threadpool_limits(1):
        assert threads.allowed_threads() == 1


SCRIPT = """
import atexit, os, threading
from lyapnet.numerics import threads
threads.allowed_threads = lambda: 3
def work():
    return threads.shared(lambda a, b: (a, b), 3, 3)
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
