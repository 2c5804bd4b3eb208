"""The arithmetics that are installed. Neither mpmath nor flint is loaded before it is asked for."""

from __future__ import annotations

import importlib.util

from .arithmetic import Arithmetic


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
        from .flint_backend import FlintArithmetic

        return FlintArithmetic(bits)
    from .mpmath_backend import MpmathArithmetic

    return MpmathArithmetic(bits)
