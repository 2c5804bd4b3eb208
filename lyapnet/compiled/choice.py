"""Which engine runs a system: compiled loops where they pay, or NumPy."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..linalg import Array
from .trace import Untraceable

#: Steps of a run from which on it is worth a compilation: of a small system, of a larger one.
_LONG, _LONGER = 100, 1000

#: Numbers in the tangent vectors of a small system.
_SMALL = 16

#: Where parameters and tangent vectors have more numbers than this, NumPy's calls cost little.
_LARGE = 2**16

#: What to say where numba is missing.
MISSING = "numba is not installed: pip install 'lyapnet[fast]'"


@cache
def missing() -> str:
    """Return why nothing can be compiled, or nothing."""
    return "" if find_spec("numba") is not None else MISSING


def loop_of(
    system: Any, x: Array, inputs: Array | None, k: int, n_steps: int
) -> tuple[Any, str]:
    """Return the compiled loops of a map or flow, or None and the reason.

    Parameters
    ----------
    system : Map
    x : array (..., n)
        State at the start.
    inputs : array (T, ..., m) or None
    k, n_steps : int
    """
    if system.engine == "numpy":
        return None, "as asked for"
    if reason := missing():
        return _refused(system, reason)
    if system.engine == "auto":
        if n_steps < (_LONG if system.dim * k <= _SMALL else _LONGER):
            return None, f"a run of {n_steps} steps is over before its loop is compiled"
        if system.dim * k > _LARGE:
            return None, "large systems are no faster"
    from .loop import Loop

    try:
        loop = Loop.of(system, x.shape[:-1], k)
    except Untraceable as error:
        return _refused(system, f"`{system.named}` cannot be compiled: {error}")
    if not _agrees(loop, system, x, inputs):
        return _refused(
            system, f"`{system.named}` called twice on one state does not do the same"
        )
    return loop, ""


def _refused(system: Any, reason: str) -> tuple[None, str]:
    if system.engine == "compiled":
        raise (ImportError if reason == MISSING else TypeError)(reason)
    return None, reason


def _agrees(loop: Any, system: Any, x: Array, inputs: Array | None) -> bool:
    """Say whether a compiled step is the step itself."""
    from .orbit import CompiledOrbit

    u = None if inputs is None else inputs[:1]
    found = CompiledOrbit.of(loop, system, x, u, 1).states[1]
    with np.errstate(all="ignore"):
        expected = np.asarray(system.step(x, *(() if u is None else (u[0],))), dtype=float)
    if expected.shape != found.shape:
        return False
    return np.allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)
