"""Functions that only compiled ones call, called from Python."""

from numba import njit


def from_python(function):
    """Return a function that does nothing but call a compiled one."""
    return njit(lambda *given: function(*given))
