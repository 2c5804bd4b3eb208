"""What is asked for: options, times and a basis, checked before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..tangent.start import directions, orthonormal_rows
from .precision.backends import choose_backend

#: The most bits that ``precision="auto"`` tries.
AUTO_CAP = 16_384

_AUTO_START = 128  # the factored product needs few bits, whatever the condition number
_TIMES = 8


class Request:
    """The checked options of the calculation."""

    def __init__(self, precision: Any, backend: Any, certify: Any, progress: Any) -> None:
        validate.option("backend", backend, ("auto", "mpmath", "flint"))
        self.certify = validate.flag("certify", certify)
        if backend == "mpmath" and self.certify:
            raise ValueError("`certify` needs balls: use backend='flint' or 'auto', not 'mpmath'")
        self.auto = isinstance(precision, str)
        if self.auto and precision != "auto":
            raise ValueError(f"`precision` must be a number of bits or 'auto', got {precision!r}")
        self.bits = _AUTO_START if self.auto else validate.integer("precision", precision, low=53)
        self.progress = bool(progress)
        self.backend = choose_backend(backend, self.certify)


def steps_of(times: Any, n_steps: int, dt: float) -> list[int]:
    """Return the step counts that `times` mean."""
    if times is None:
        return sorted({max(1, round(n_steps * i / _TIMES)) for i in range(1, _TIMES + 1)})
    t = np.atleast_1d(validate.array("times", times))
    if t.ndim != 1 or not t.size:
        raise ValueError(f"`times` must be a sequence of times, got shape {t.shape}")
    steps = np.rint(t / dt)
    wrong = (np.abs(t / dt - steps) > 1e-6 * np.maximum(steps, 1)) | (steps < 1)
    wrong |= steps > n_steps
    if wrong.any():
        raise ValueError(
            f"`times` must be multiples of dt={dt:g} from {dt:g} to {n_steps * dt:g}, "
            f"got {t[wrong][0]:g}"
        )
    if np.any(np.diff(steps) <= 0):
        raise ValueError(f"`times` must be ascending, got {t}")
    return [int(s) for s in steps]


def start_basis(n: int, k: Any, basis: Any, rng: np.random.Generator) -> Array:
    """Return the starting basis (n, k), orthonormal in float64."""
    given = None if basis is None else validate.array("basis", basis, ndim=2)
    k = directions(k, given, n)
    return orthonormal_rows(rng.standard_normal((n, k)) if given is None else given)[0].T
