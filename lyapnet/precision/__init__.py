"""Long products of Jacobians at any precision, and their singular values.

`singular_values` is the door for `lyapnet.condition`; the algorithm is in `factored`
(the product), `bounds` (what its rounding can do) and `graded` (the singular values),
and runs on either backend. Neither mpmath nor flint is loaded before it is asked for.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lyapnet.precision.arithmetic import Arithmetic, FloatArray

#: Whose turn it is. flint has one precision for the whole process, mpmath one cache of constants,
#: whose entries and precisions are two things: threads would see those of each other.
_TURN = threading.RLock()


@dataclass(eq=False)
class Measured:
    """Singular values at some steps.

    Attributes
    ----------
    log10_values : ndarray, shape (m, k)
        Descending; NaN where unresolved, -inf where proved to be zero.
    log10_condition : ndarray, shape (m,)
        Largest over smallest: not the difference of the rounded logarithms.
    spread : ndarray, shape (m,)
        Bound of the error of each logarithm, in nats; infinite where unresolved.
    needed_bits : ndarray, shape (m,)
        How many bits would resolve the values, about.
    reasons : list of str
        Why values are missing or infinite.
    """

    log10_values: FloatArray
    log10_condition: FloatArray
    spread: FloatArray
    needed_bits: FloatArray
    reasons: list[str]


def choose_backend(backend: str, certify: bool) -> str:
    """Resolve ``"auto"``: flint where it is installed, else mpmath.

    Raises
    ------
    ImportError
        flint is needed but not installed.
    """
    installed = importlib.util.find_spec("flint") is not None
    if backend == "flint" or certify:
        if not installed:
            what = "certify=True" if certify else "backend='flint'"
            raise ImportError(
                f"{what} needs python-flint, which is not installed: "
                'pip install "lyapnet[precision]"'
            )
        return "flint"
    if backend == "auto":
        return "flint" if installed else "mpmath"
    return backend


def make_arithmetic(backend: str, bits: int) -> Arithmetic:
    """Return the arithmetic of a backend."""
    if backend == "flint":
        from lyapnet.precision.flint_backend import FlintArithmetic

        return FlintArithmetic(bits)
    from lyapnet.precision.mpmath_backend import MpmathArithmetic

    return MpmathArithmetic(bits)


def singular_values(
    jacobians: FloatArray,
    basis: FloatArray,
    steps: list[int],
    *,
    bits: int,
    backend: str,
    rigorous: bool,
    report: Callable[[int], object],
) -> Measured:
    """Return the singular values of ``D_{t-1} ... D_0 Q_0`` for each step count `t`.

    Threads do so one after the other; processes do so at the same time.

    Parameters
    ----------
    jacobians : ndarray, shape (T, n, n)
    basis : ndarray, shape (n, k)
    steps : list of int
        Ascending, between 1 and T.
    bits : int
        Working precision.
    backend : {"mpmath", "flint"}
    rigorous : bool
        Carry the whole complement of the basis, so that the bounds are proved; otherwise one
        further direction stands for it, the bounds being estimates with 20 bits to spare.
    report : callable
        Called with the number of steps done.

    Returns
    -------
    Measured
    """
    from lyapnet.precision.product import measure

    # Where a bound overflows it says nothing, and so the value is unresolved.
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")
    with _TURN, quiet, make_arithmetic(backend, bits) as arithmetic:
        return measure(arithmetic, jacobians, basis, steps, rigorous=rigorous, report=report)


def default_generator() -> np.random.Generator:
    """Return the generator of the directions that only serve the algorithm, always the same."""
    return np.random.default_rng(20231217)
