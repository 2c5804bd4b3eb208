"""A run that goes on where a spectrum has ended."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .. import validate
from ..systems import as_system
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
    n_steps = validate.integer("n_steps", n_steps, low=1)
    if found.dim != spectrum.dim:
        raise ValueError(f"`system` must have dim {spectrum.dim} like the run, got {found.dim}")
    if "pooled" in spectrum.settings:
        raise ValueError("a pooled spectrum cannot be extended: extend the ensemble, then pool")
    if spectrum.settings.get("diverged"):
        raise ValueError("members of this run have diverged: run the others by themselves")
    if spectrum.settings["driven"] and inputs is None:
        raise ValueError("`inputs` is needed: the run so far was driven")
    u = input_sequence(inputs)
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
