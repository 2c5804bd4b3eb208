"""Work shared among threads is done once, in order."""

from threadpoolctl import threadpool_limits

from lyapnet.numerics import threads


def test_ranges_fill_what_is_shared(monkeypatch):
    monkeypatch.setattr(threads, "allowed_threads", lambda: 3)
    for size in (1, 2, 3, 10):
        for asked in (0, 1, 2, 5):
            ranges = threads.shared(lambda a, b: (a, b), size, asked)
            assert len(ranges) == max(1, min(size, asked, 3))
            assert [i for a, b in ranges for i in range(a, b)] == list(range(size))


def test_no_more_threads_than_the_caller_allows():
    with threadpool_limits(1):
        assert threads.allowed_threads() == 1
