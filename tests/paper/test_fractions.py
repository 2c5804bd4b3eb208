"""Fractions of networks, their intervals, and verdicts.

Truth: *published* examples; what intervals cover, summed over all outcomes or drawn.
"""

import numpy as np
import pytest
from scipy.stats import binom

from lyapnet.paper.fractions import (
    Interval,
    are_most,
    difference,
    fraction,
    is_more,
    is_no_less,
    is_same,
)


def flags(k, n):
    return np.arange(n) < k


def test_a_fraction_and_its_interval_as_published():
    # E. B. Wilson's interval for 15 of 148, R. G. Newcombe, Statist. Med. 17, 857 (1998), table I.
    found = fraction(flags(15, 148))
    assert found.value == pytest.approx(15 / 148)
    assert found.low == pytest.approx(0.0624, abs=5e-5)
    assert found.high == pytest.approx(0.1605, abs=5e-5)


def test_a_difference_as_published():
    # R. G. Newcombe, Statist. Med. 17, 873 (1998), table II: 56/70 and 48/80, 10/10 and 0/10.
    found = difference([(flags(48, 80), flags(56, 70))])
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    found = difference([(flags(0, 10), flags(10, 10))])
    assert found == pytest.approx((1.0, 0.6075, 1.0), abs=5e-5)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.75, 0.95])
def test_a_verdict_on_most_networks_is_seldom_wrong(p):
    n = 10
    chance = binom.pmf(np.arange(n + 1), n, p)
    verdicts = [are_most(flags(k, n)) for k in range(n + 1)]
    wrong = sum(c for c, v in zip(chance, verdicts, strict=True) if v is (p <= 0.5))
    assert wrong < 0.03


@pytest.mark.parametrize(("q", "p"), [(0.5, 0.5), (0.1, 0.1), (0.2, 0.6), (0.0, 0.9)])
def test_the_interval_of_a_difference_over_settings_covers_it(q, p):
    # Two settings with ten networks each; nominally 95 %.
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        pairs = [(rng.random(10) < q, rng.random(10) < p) for _ in range(2)]
        found = difference(pairs)
        covered += found.low <= p - q <= found.high
    assert covered / 400 > 0.91


def test_the_mean_over_settings_counts_them_by_their_networks():
    pairs = [(flags(0, 5), flags(5, 5)), (flags(10, 15), flags(10, 15))]
    assert difference(pairs).value == pytest.approx(0.25)


def test_verdicts():
    sure, small, open_ = Interval(0.3, 0.1, 0.5), Interval(0, -0.1, 0.1), Interval(0, -0.3, 0.3)
    loss = Interval(-0.4, -0.6, -0.2)
    assert [is_more(x) for x in (sure, small, open_, loss)] == [True, False, None, False]
    assert [is_no_less(x) for x in (sure, small, open_, loss)] == [True, True, None, False]
    assert [is_same(x) for x in (sure, small, open_, loss)] == [False, True, None, False]
    assert np.isnan(fraction([]).value)
    assert sure.percent("+") == "+30 [+10, +50]"
