"""Fractions of networks with their intervals, and the three verdicts that these allow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

#: A network has learned above this accuracy, in every figure, and is at chance below that.
LEARNED, CHANCE = 0.9, 0.55

#: Differences in the fraction of networks that are smaller than this do not matter.
EQUIVALENT = 0.2

#: Of fewer networks than this nothing is said.
FEWEST = 5


class Interval(NamedTuple):
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def percent(self, sign: str = "") -> str:
        """Write it down in per cent."""
        value, low, high = (f"{100 * x:{sign}.0f}" for x in self)
        return f"{value} [{low}, {high}]"


def fraction(flags: Any) -> Interval:
    """Return the fraction of networks that have something, by Wilson's interval.

    Parameters
    ----------
    flags : array (n,) of bool
    """
    flags = np.asarray(flags, dtype=bool)
    if not flags.size:
        return Interval(np.nan, 0.0, 1.0)
    found = binomtest(int(flags.sum()), flags.size).proportion_ci(method="wilson")
    return Interval(flags.mean(), found.low, found.high)


def difference(pairs: Any) -> Interval:
    r"""Return by how much a fraction is larger, as the mean over several settings.

    .. math:: \sum_i w_i (p_i - q_i) \pm \sqrt{\sum_i w_i^2 (a_i^2 + b_i^2)}

    with :math:`w_i` the share of the networks, and a and b the distances of p and q to those ends
    of their Wilson intervals that lie towards, or away from, each other. All runs count as
    independent, which widens the interval where the same networks are in both.

    Parameters
    ----------
    pairs : sequence of (array of bool, array of bool)
        For each setting the flags without and with.

    References
    ----------
    R. G. Newcombe, Statist. Med. 17, 873 (1998), method 10; for weighted sums G. Y. Zou,
    W. Huang and X. Zhang, Comput. Stat. Data Anal. 53, 1080 (2009).
    """
    without, with_ = (
        np.array([fraction(one) for one in each]) for each in zip(*pairs, strict=True)
    )
    weights = np.array([len(one) for one, _ in pairs], dtype=float)
    weights /= weights.sum()
    (q, q_low, q_high), (p, p_low, p_high) = without.T, with_.T
    value = weights @ (p - q)
    down = np.sqrt(weights**2 @ ((p - p_low) ** 2 + (q_high - q) ** 2))
    up = np.sqrt(weights**2 @ ((p_high - p) ** 2 + (q - q_low) ** 2))
    return Interval(value, value - down, value + up)


def is_more(found: Interval, least: float = 0.0) -> bool | None:
    """Judge "is larger than `least`": False where it is not so by more than does not matter.

    None is undecided: the interval allows for both.
    """
    if found.low > least:
        return True
    return False if found.high < least + EQUIVALENT else None


def is_no_less(found: Interval) -> bool | None:
    """Judge "is not smaller", by no more than does not matter."""
    if found.low > -EQUIVALENT:
        return True
    return False if found.high < 0 else None


def is_same(found: Interval) -> bool | None:
    """Judge "is the same", but for what does not matter."""
    if found.low > -EQUIVALENT and found.high < EQUIVALENT:
        return True
    return False if found.low > 0 or found.high < 0 else None


def are_most(flags: Any) -> bool | None:
    """Judge "more than half of all networks"."""
    found = fraction(flags)
    if np.size(flags) < FEWEST or found.low <= 0.5 <= found.high:
        return None
    return bool(found.low > 0.5)
