"""Two runs held against each other: what a step does to the orbit, not to growth along it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems import DelayFlow, Flow
from ..tangent.plan import Plan
from .benettin import Benettin
from .step_defect import NEGLIGIBLE
from .uncertainty.estimate import Estimate

#: Error of a step, relative to how far it goes, from which on it may lead to other orbits. Those of
#: the catalog's flows are off by 3e-4 at most.
STRAYS = 1e-3

#: Level of the test that two runs agree, of all exponents together.
_LEVEL = 0.01

#: Steps of a second run, at most.
_MOST = 20_000


def apart(one: Estimate, other: Estimate) -> Array:
    """Return by how much exponents (..., k) of two runs differ, 0 where errors may explain it."""
    with np.errstate(invalid="ignore"):
        away = np.abs(one.mean - other.mean)
        t = away / np.hypot(one.stderr, other.stderr)
        p = 2 * special.stdtr(np.minimum(one.dof, other.dof), -t) * t.size
        scale = np.where(np.isfinite(one.mean), np.abs(one.mean), 0.0).max(axis=-1, keepdims=True)
        differ = (p < _LEVEL) & (away > NEGLIGIBLE * scale)
    return np.where(differ, away, 0.0)


def second_run(s: Any, strays: float) -> Estimate | None:
    """Return what a run on from the end of a `Spectrum` has with half the step, in its order.

    Along a given orbit nothing may be seen of what steps do to it. None where they are off by less
    than `STRAYS`, or the run cannot be done.
    """
    system = s.system
    if strays < STRAYS or s.settings["driven"] or not isinstance(system, Flow):
        return None
    if isinstance(system, DelayFlow) or "pooled" in s.settings or s._lost.any():
        return None
    fine, m = system.finer()
    n_steps = m * int(min(s.settings["n_steps"], _MOST))
    warm = max(100, n_steps // 10)
    plan = Plan(warm, warm, n_steps, s.settings["qr_interval"], forgiving=True)
    times = fine.drive.rows(
        None, s.state.shape[:-1], plan.total, t0=s.settings.get("t0", 0.0),
        first=m * s.steps_so_far,
    )  # fmt: skip
    rows = np.ascontiguousarray(s.basis.swapaxes(-1, -2))
    run = Benettin(fine, s.state, rows, times, plan, record=False, checked=False)
    try:
        found = run.run().statistics.estimate()
    except LyapnetError:  # far from the attractor, where steps that are too long have led
        return None
    order = np.argsort(-found.mean, axis=-1, kind="stable")
    return Estimate(*(np.take_along_axis(x, order, axis=-1) for x in found))


def other_orbit(s: Any, there: Estimate, strays: float) -> str:
    """Say that a run with half the step has other exponents than a `Spectrum`, if it has."""
    away = apart(Estimate(s.exponents, s.stderr, s.dof), there)
    if not away.any():
        return ""
    at = np.unravel_index(int(np.argmax(away)), away.shape)
    return (
        f"too coarse: steps are off by {100 * strays:.2g} % of themselves, and a run with half the "
        f"step has {there.mean[at]:.3g} for {s.exponents[at]:.3g}, more apart than their error "
        "bars: the step leads to another orbit; take a smaller dt"
    )
