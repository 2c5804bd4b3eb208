"""One explicit way to ask for an engine."""

from __future__ import annotations

import copy
from typing import Any

from .. import validate
from ..compiled.choice import MISSING
from .protocol import as_system


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
