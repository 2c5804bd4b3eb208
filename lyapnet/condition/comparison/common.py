"""What all comparisons ask of the spectrum and the condition number that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from ...spectrum.result import Spectrum
from ..line import LN10
from ..result import ConditionNumber


def long_run_growth(spectrum: Any, condition: ConditionNumber) -> Array:
    """Return the growth (times, k) that a long run's exponents predict, in decimal logs."""
    if not isinstance(spectrum, Spectrum):
        raise TypeError(f"`spectrum` must be a Spectrum, got {type(spectrum).__name__}")
    lam, k = spectrum.exponents, condition.settings["k"]
    if lam.ndim != 1:
        raise ValueError(f"`spectrum` has members {lam.shape[:-1]}: pass spectrum.pooled()")
    if lam.size < k:
        raise ValueError(
            f"`spectrum` has {lam.size} exponents, the condition number {k} directions: "
            f"run it with k={k} or more"
        )
    dt, of_spectrum = condition.settings["dt"], spectrum.settings["dt"]
    if dt != of_spectrum and 1.0 in (dt, of_spectrum):
        raise ValueError(
            f"`condition` has dt={dt:g} and `spectrum` dt={of_spectrum:g}: one "
            "seems to count steps, the other time; give both the time that a step takes as `dt`"
        )
    return np.multiply.outer(condition.times, lam[:k]) / LN10


def is_condition(name: str, value: Any) -> None:
    """Refuse anything else."""
    if not isinstance(value, ConditionNumber):
        raise TypeError(f"`{name}` must be a ConditionNumber, got {type(value).__name__}")


def time_index(condition: ConditionNumber, t: float | None) -> int:
    """Return which of the measured times is meant; by default the last."""
    if t is None:
        return len(condition.times) - 1
    t = validate.real("t", t)
    at = int(np.argmin(np.abs(condition.times - t)))
    if abs(condition.times[at] - t) > 1e-6 * max(1.0, abs(t)):
        known = ", ".join(f"{x:g}" for x in condition.times)
        raise ValueError(f"`t` must be one of the measured times {known}; got {t:g}")
    return at
