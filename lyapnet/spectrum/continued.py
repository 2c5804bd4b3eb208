"""A run that goes on where a spectrum has ended."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .. import validate
from ..numerics.autodiff import leaves
from ..runs.fingerprint import describe, seal
from ..systems import System, as_system
from ..tangent.plan import Plan
from ..tangent.start import check_inputs, input_sequence
from .benettin import Benettin
from .exponents import Exponents
from .record import Record


def continued(spectrum: Exponents, n_steps: Any, inputs: Any, system: Any) -> Benettin:
    """Return the run of a spectrum with further steps to do; see `Spectrum.extend`."""
    found = spectrum.system if system is None else as_system(system)
    if found is None:
        raise ValueError("`system` is needed: this spectrum does not carry one")
    u = input_sequence(inputs)
    if n_steps is None and u is None:
        raise ValueError("`n_steps` is needed where no `inputs` fix the number of steps")
    n_steps = validate.integer("n_steps", len(u) if n_steps is None else n_steps, low=1)
    if found.dim != spectrum.dim:
        raise ValueError(f"`system` must have dim {spectrum.dim} like the run, got {found.dim}")
    if system is not None:
        _refuse_another(spectrum, system, found)
    if "pooled" in spectrum.settings:
        raise ValueError("a pooled spectrum cannot be extended: extend the ensemble, then pool")
    if spectrum.settings.get("diverged"):
        raise ValueError("members of this run have diverged: run the others by themselves")
    if spectrum.settings["driven"] and inputs is None:
        raise ValueError("`inputs` is needed: the run so far was driven")
    check_inputs(found, u, n_steps)
    recorded = len(spectrum.log_growth) > 0
    return Benettin(
        found,
        spectrum.state,
        np.ascontiguousarray(spectrum.basis.swapaxes(-1, -2)),
        found.drive.rows(
            u,
            spectrum.state.shape[:-1],
            n_steps,
            t0=spectrum.settings.get("t0", 0.0),
            first=spectrum.steps_so_far,
            seed=spectrum.settings.get("seed"),
        ),
        Plan(0, 0, n_steps, spectrum.settings["qr_interval"], spectrum.settings["forgiving"]),
        record=recorded,
        tol=spectrum.settings["tol"],
        n_done=spectrum.settings["n_steps"],
        kept=Record(spectrum.log_growth, spectrum.times) if recorded else Record(),
        statistics=copy.deepcopy(spectrum.statistics),
        x0=spectrum.x0,
    )


def seal_of(system: System) -> str:
    """Return what tells the parameters of a system from others, empty where there are none."""
    params = [np.asarray(x) + 0.0 for x in leaves(system.params)]  # of integers floats, no -0.0
    return seal(describe(params, "params")) if params else ""


def _refuse_another(spectrum: Exponents, system: Any, found: System) -> None:
    """Refuse a system that is not the one of the run, as far as that is known."""
    dt, before, now = spectrum.settings["dt"], spectrum.settings["system"], repr(system)
    if found.dt != dt:
        raise ValueError(f"`system` must have dt={dt:g} like the run, got {found.dt:g}")
    if before != now and not any(" at 0x" in name for name in (before, now)):
        raise ValueError(f"`system` must be that of the run, {before}, got {now}")
    held = spectrum.settings.get("parameters", "")  # of a run from a file
    if spectrum.system is not None:
        held = seal_of(spectrum.system)
    if held and held != seal_of(found):
        raise ValueError(
            "`system` must have the parameters of the run: an average over two systems is that of "
            "neither; begin another run from the `state` and `basis` of this one"
        )
