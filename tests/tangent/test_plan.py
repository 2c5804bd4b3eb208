"""Counts of steps, and how they are divided into stretches."""

import itertools

import pytest

from lyapnet.tangent.plan import Plan, divided, plan_of, window_plan


@pytest.mark.parametrize("length", [1, 7, 64, 1000])
@pytest.mark.parametrize("interval", [1, 3, 10])
def test_stretches_fill_the_run_without_crossing_a_phase_or_cutting_a_block(length, interval):
    plan = Plan(13, 0, 101, interval)
    stretches = list(plan.stretches(length))
    assert [one[1] for one in stretches] == [0, *(one[2] for one in stretches[:-1])]
    assert stretches[-1][2] == plan.total == 114
    assert {phase for phase, _, _ in stretches} == {"transient", "n_steps"}
    for phase, group in itertools.groupby(stretches, key=lambda one: one[0]):
        steps = [stop - start for _, start, stop in group]
        assert all(n % interval == 0 for n in steps[:-1])
        assert max(steps) <= max(interval, length)
        assert sum(steps) == getattr(plan, phase)


def test_stretches_may_begin_anywhere():
    assert list(divided({"a": 5, "none": 0, "b": 2}, 3, start=10)) == [
        ("a", 10, 13), ("a", 13, 15), ("b", 15, 17),
    ]  # fmt: skip


def test_transients_are_a_tenth_but_at_least_100_steps():
    assert plan_of(None, 5000, None, None) == Plan(500, 500, 5000)
    assert plan_of(None, 50, None, 0) == Plan(100, 0, 50)
    assert plan_of(1000, None, None, None) == Plan(100, 100, 800)  # of what the inputs leave
    assert plan_of(None, 10**6, None, None, tol=0.1) == Plan(2000, 2000, 10**6)


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ((None, None, 0, 0), "`n_steps` is needed"),
        ((10, None, 6, 4), "10 steps, not more than transient=6 and basis_transient=4"),
        ((1, None, 1, 0), "1 step, not more"),
        ((None, 5, -1, 0), "`transient` must be at least 0"),
        ((None, 0, 0, 0), "`n_steps` must be at least 1"),
    ],
)
def test_counts_that_leave_nothing_are_refused(counts, named):
    for plan in (plan_of, window_plan):
        with pytest.raises(ValueError, match=named):
            plan(*counts)


def test_a_plan_is_found_again_in_the_settings_of_its_run():
    settings = {"transient": 1, "basis_transient": 2, "n_steps": 3, "qr_interval": 4, "k": 5}
    assert Plan.of(settings) == Plan(1, 2, 3, 4)
