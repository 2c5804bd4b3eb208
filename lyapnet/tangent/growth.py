"""What factors of a basis say: growth, and errors where they say nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DegenerateBasisError, DivergedError
from ..numerics.arrays import Array


def check_growth(diagonal: Array, length: Array, ends: Sequence[int] | Array) -> None:
    """Refuse Jacobians that are not finite."""
    if np.isfinite(diagonal).all() and np.isfinite(length).all():
        return
    good = np.isfinite(diagonal + length).reshape(len(ends), -1).all(axis=1)
    step = int(ends[int(np.argmin(good))])
    raise DivergedError(
        f"the Jacobian of step {step}, times the tangent basis, is not finite: check "
        "`jacobian` at the state there (`check_invariants` compares it with the step), or the "
        "step itself if its derivative comes from autograd",
        step=step,
    )


def logs(diagonal: Array, length: Array, n: int) -> tuple[Array, Array]:
    """Return logs of growth factors, and sines; a factor that rounding hides is zero."""
    sine = np.divide(diagonal, length, out=np.zeros_like(diagonal), where=length > 0)
    return np.log(np.where(sine > n * np.finfo(float).eps, diagonal, 0.0)), sine


def degenerate(step: int, length: int, sine: Array) -> DegenerateBasisError:
    """Return the error of a basis ``(..., k)`` that came too close to losing a dimension."""
    each = sine.reshape(-1, sine.shape[-1]).min(axis=0)
    exponent = int(np.argmin(each))
    if np.isnan(each).any():
        exponent = int(np.argmax(np.isnan(each)))
        what = f"vector {exponent + 1} of {len(each)} left the range of floating-point numbers"
    else:
        what = (
            f"vector {exponent + 1} of {len(each)} came within {sine.min():.1e} of the span of "
            "those before it"
        )
    return DegenerateBasisError(
        f"the tangent basis degenerated within the {length} steps before step {step}: {what}; use "
        'a smaller qr_interval, or qr_interval="auto"',
        step=step,
        exponent=exponent,
    )
