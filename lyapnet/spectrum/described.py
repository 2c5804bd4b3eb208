"""What a run has found, sorted and described: what a `Spectrum` is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .benettin import Benettin
from .fixed_point import AS_GOOD, exponents_at_rest
from .uncertainty.cosines import MOST_COSINES


def described(run: Benettin, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of the `Spectrum` of a run."""
    estimate = run.statistics.estimate()
    order = np.argsort(-estimate.mean, axis=-1, kind="stable")
    exponents, stderr, dof = (np.take_along_axis(x, order, axis=-1) for x in estimate)
    settings = _known_apart(run, settings, order, exponents, stderr, dof)
    growth = run.kept.growth
    growth = np.zeros((0, *exponents.shape)) if growth is None else growth
    state, basis = run.x, run.rows.swapaxes(-1, -2)
    diverged: list[dict[str, Any]] = []
    if run.losses is not None and run.losses.lost.any():
        lost = run.losses.lost
        for x in (exponents, stderr, dof):
            x[lost] = np.nan
        growth = np.where(lost[..., None], np.nan, growth)
        state, basis = np.array(state), np.array(basis)
        state[lost], basis[lost] = np.nan, np.nan
        diverged = [
            {"member": at.tolist(), "step": int(run.losses.steps[tuple(at)])}
            for at in np.argwhere(lost)
        ]
    return dict(
        exponents=exponents,
        stderr=stderr,
        dof=dof,
        log_growth=growth,
        times=run.kept.times,
        converged=None if run.tol is None else _settled(run, run.tol),
        state=state,
        basis=basis,
        x0=run.x if run.x0 is None else run.x0,
        settings={
            **settings,
            "n_steps": run.n_done,
            "reservations": run.doubts.reservations,
            **({"known_sums": run.doubts.known_sums} if run.doubts.known_sums else {}),
            "diverged": diverged,
            **_engine(run),
        },
        statistics=run.statistics,
        system=run.system,
        sample=run.sample() if settings["driven"] or run.system.time else None,
    )


def _settled(run: Benettin, tol: float) -> bool:
    """Return whether a run has met its tolerance, rounding in single steps included."""
    rounding = run.doubts.rounding
    return run.within(tol) and run.trusted and not (rounding is not None and rounding.max() > tol)


def _known_apart(
    run: Benettin, settings: dict[str, Any], order: Array, exponents: Array, stderr: Array,
    dof: Array,
) -> dict[str, Any]:  # fmt: skip
    """Put into errors what growth does not tell: that exponents hang on rounding, or a rest."""
    settings = {name: value for name, value in settings.items() if name != "rounding"}
    if run.doubts.rounding is not None:
        rounding = np.take_along_axis(run.doubts.rounding, order, axis=-1)
        stderr[...] = np.hypot(stderr, rounding)
        settings["rounding"] = rounding
    if run.doubts.superstable:
        which, bound = (np.take_along_axis(x, order, axis=-1) for x in run.doubts.superstable)
        settings = {**settings, "superstable": np.where(which, bound / run.system.dt, np.nan)}
    if "superstable" in settings:
        stderr[~np.isnan(settings["superstable"]) & ~np.isneginf(exponents)] = np.inf
        return settings
    if run.failed or run.orbit is None or not np.isposinf(stderr).any():
        return settings
    x0 = run.x if run.x0 is None else run.x0
    system = run.engine or run.system
    rest = exponents_at_rest(system, run.orbit, x0, run.inputs, exponents.shape[-1])
    if rest is None:
        return settings
    with np.errstate(invalid="ignore"):  # -inf from -inf
        off = np.abs(exponents - rest) + AS_GOOD * (1 / run.system.dt + np.abs(rest))
    known = np.isposinf(stderr) & np.isfinite(off)
    stderr[known], dof[known] = off[known], MOST_COSINES
    return {**settings, "at_rest": rest}


def _engine(run: Benettin) -> dict[str, str]:
    """Say which engine has run a system, and why if it was NumPy."""
    used, reason = (run.engine or run.system).engine_used
    if run.losses is not None and run.engine is run.system:
        reason = 'on_divergence="nan" takes members out on the way, which NumPy does'
    return {"engine": used, **({"engine_reason": reason} if reason else {})}
