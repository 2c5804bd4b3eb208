"""Which engine runs a system: compiled loops where they pay, or NumPy."""

from __future__ import annotations

import copy
import itertools
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from .. import validate
from ..compiled.loop import Loop, least_for, written
from ..compiled.operations import Untraceable
from ..numerics.arrays import Array
from ..numerics.autodiff import member
from .compiled_orbit import CompiledOrbit
from .conforming import as_system
from .forward_orbit import LARGE
from .user_function import check_repeatable

#: Steps of a run from which on it is worth a compilation: of a small system, of others.
_LONG, _LONGER = 100, 1000

#: Numbers in the tangent vectors of a small system.
_SMALL = 16

#: Where tangent vectors have more numbers than this, NumPy's calls cost no more than loops that are
#: not written on whole arrays.
_LARGE = 2**16

#: Multiplications in the tangent steps of a run, if all units are connected, from which on it is
#: worth that, however few the steps: about half a second.
_MUCH = 5e9

#: Numbers in the Jacobians of a run from which on it is seen what its function costs, and
#: operations on numbers in these from which on that is worth a compilation: some seconds.
_SEEN, _DEAR = 1e7, 5e8

#: Members of an ensemble whose first step is compared.
_LOOKED_AT = 8

#: What to say where numba is missing.
MISSING = "numba is not installed: pip install 'lyapnet[fast]'"

#: What to say of an ensemble of networks.
ONE_NETWORK = "there are compiled loops for one network, not for an ensemble of networks"


@cache
def missing() -> str:
    """Return why nothing can be compiled, or nothing."""
    return "" if find_spec("numba") is not None else MISSING


def engine_for(cell: Any, size: int, n_steps: int) -> tuple[str, str]:
    """Return the engine of a network, and the reason where it is NumPy.

    Parameters
    ----------
    cell : Cell
    size : int
        Numbers in its tangent vectors.
    n_steps : int
        Steps that it will take, all in all.
    """
    if cell.engine == "numpy":
        return "numpy", "as asked for"
    reason = cell.cannot_compile()
    if reason:
        refused(cell, reason)
        return "numpy", reason
    short = n_steps < _LONGER and n_steps * size * cell.dim < _MUCH
    if cell.engine == "auto" and short:
        return "numpy", over_before(n_steps)
    return "compiled", ""


def loop_of(system: Any, x: Array, inputs: Array | None, k: int, n_steps: int) -> tuple[Any, str]:
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
        return refused(system, reason)
    lead, n, auto = x.shape[:-1], system.dim, system.engine == "auto"
    short = n_steps < (_LONG if n * k <= _SMALL else _LONGER) and n_steps * n * n * k < _MUCH
    members = int(np.prod(lead))
    columns = n_steps * members * (n if n < LARGE else k)
    if auto and short and columns * n * n < _SEEN:
        return None, over_before(n_steps)
    try:
        least = least_for(members, n, k)
        program, params = written(system, lead, least)
        if auto and short and columns * program.count < _DEAR:
            return None, over_before(n_steps)
        if auto and n * k > _LARGE and not program.whole:
            return None, "large systems are no faster"
        if program.surfaces is not None and not system.tells_decisions(x, inputs):
            raise Untraceable("NumPy cannot tell what it decides, and steps could not end there")
        loop = Loop.of(system, lead, k, program, params)
    except Untraceable as error:
        return refused(system, f"{system.written_of} cannot be compiled: {error}")
    if not _agrees(loop, system, x, inputs):
        now = (
            None
            if inputs is None
            else np.broadcast_to(inputs[0], (*x.shape[:-1], inputs.shape[-1]))
        )
        check_repeatable(system.over_time(x.shape[:-1])[0], (x, now, system.params), system.named)
        return refused(system, f"{system.written_of} does something else than its compiled form")
    return loop, ""


def over_before(n_steps: int) -> str:
    """Say that a run is too short for compiled loops."""
    return f"a run of {n_steps} steps is over before its loop is compiled"


def refused(system: Any, reason: str) -> tuple[None, str]:
    """Return no loops, and the reason; an error where these were asked for."""
    if system.engine == "compiled":
        raise (ImportError if reason == MISSING else TypeError)(reason)
    return None, reason


def _agrees(loop: Any, system: Any, x: Array, inputs: Array | None) -> bool:
    """Say whether a compiled step is the step itself, in a few members of an ensemble."""
    lead = x.shape[:-1]
    functions = system.over_time(lead)
    u = None if inputs is None else inputs[:1]
    found = CompiledOrbit(loop, x, u, 1, system.params, *functions).states[1]
    now = None if u is None else np.broadcast_to(u[0], (*lead, u.shape[-1]))
    few = [] if system.vectorized else list(itertools.islice(np.ndindex(*lead), _LOOKED_AT))
    with np.errstate(all="ignore"):
        if system.vectorized:
            expected = functions[0](x, now, system.params)
        else:
            one = system.over_time(())[0]
            expected = [
                one(x[i], None if now is None else now[i], member(system.params, lead, i))
                for i in few
            ]
            found = np.array([found[i] for i in few])
        expected = np.asarray(expected, dtype=float)
        if expected.shape != found.shape:
            return False
        if (np.abs(found - expected) <= 1e-12 + 1e-9 * np.abs(expected)).all():
            return True
    # States that are not finite are compared, too, which takes longer.
    return np.allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)


def compiled(system: Any, engine: str = "compiled") -> Any:
    """Return a system that is run by the engine that is asked for.

    Without this, lyapnet chooses: compiled loops where they pay, NumPy elsewhere. Results are the
    same but for rounding.

    Parameters
    ----------
    system : System
    engine : {"compiled", "numpy", "auto"}, optional
        "compiled" refuses what cannot be compiled, and says what stands in the way.

    Returns
    -------
    System
        A copy; spectra have the engine in ``settings["engine"]``.

    Raises
    ------
    TypeError
        If a function of the system cannot be compiled.
    ImportError
        If numba is not installed.

    Examples
    --------
    >>> import lyapnet as ln
    >>> henon = ln.compiled(ln.catalog.henon(), "numpy")
    >>> ln.lyapunov_spectrum(henon, 100, rng=0).settings["engine"]
    'numpy'
    """
    engine = validate.option("engine", engine, ("compiled", "numpy", "auto"))
    found = copy.copy(as_system(system))
    found.engine = engine
    if engine == "compiled":
        reason = found.cannot_compile()
        if reason == MISSING:
            raise ImportError(reason)
        if reason:
            raise TypeError(f"`system` cannot be compiled: {reason}")
    return found
