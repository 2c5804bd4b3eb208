"""From Jacobians and a basis to the result: measured at many bits, predicted by the exponents."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import PrecisionError
from ..numerics.arrays import Array, blas_threads
from ..runs.progress import progress_bar
from ..systems.jacobian_orbit import JacobianOrbit
from ..tangent.forward import forward
from .line import LN10, enclosure, line_of
from .precision.measured import Measured
from .precision.product import RESOLVED, singular_values_of_product
from .request import AUTO_CAP, Request
from .result import ConditionNumber


def measured(
    D: Array, Q: Array, steps: list[int], dt: float, request: Request, settings: dict[str, Any]
) -> ConditionNumber:
    """Compute with as many bits as asked for, or as needed."""
    predicted = _predicted(D, Q, steps)
    bits = request.bits
    while True:
        found = _run(D, Q, steps, bits, request)
        if not request.auto or np.all(found.spread <= RESOLVED) or bits >= AUTO_CAP:
            break
        bits = int(min(AUTO_CAP, max(1.5 * bits, found.needed_bits.max())))
    settings = {
        **settings,
        "k": Q.shape[1],
        "n_steps": len(D),
        "dt": dt,
        "backend": request.backend,
        "certify": request.certify,
        "precision": "auto" if request.auto else bits,
        "basis": Q,
    }
    result = _result(found, np.array(steps) * dt, predicted, bits, request, settings)
    if not result.resolved.any():
        needed = int(np.ceil(found.needed_bits.min()))
        raise PrecisionError(
            f"{bits} bits resolve none of the {len(steps)} condition numbers: try {needed}, which "
            f"may do for one of them (precision={needed}), or precision='auto'. "
            + "; ".join(found.reasons),
            partial=result,
        )
    return result


def _run(D: Array, Q: Array, steps: list[int], bits: int, request: Request) -> Measured:
    """Run the backend, under a progress bar if wanted."""
    with (
        progress_bar(steps[-1] + 1, show=request.progress, unit="step", desc=f"{bits} bits") as bar,
        blas_threads(D.shape[-1] ** 3),
    ):
        return singular_values_of_product(
            D,
            Q,
            steps,
            bits=bits,
            backend=request.backend,
            rigorous=request.certify,
            report=bar.update,
        )


def _predicted(D: Array, Q: Array, steps: list[int]) -> Array:
    """Return the growth of each window in decimal logs, descending: what equation 10 is made of."""
    orbit = JacobianOrbit(np.zeros((len(D) + 1, D.shape[-1])), jacobians=D)
    with blas_threads(Q.size * len(Q)):
        growth = forward(orbit, np.ascontiguousarray(Q.T), 1, start=0, forgiving=True)[0]
    total = np.cumsum(growth, axis=0)[np.array(steps) - 1]
    return -np.sort(-total, axis=1) / LN10


def _result(
    found: Measured,
    times: Array,
    predicted: Array,
    bits: int,
    request: Request,
    settings: dict[str, Any],
) -> ConditionNumber:
    """Put the result together; unresolved values are NaN, their bounds wide."""
    resolved = found.spread <= RESOLVED
    measured = np.where(resolved, found.log10_condition, np.nan)
    values = np.where(resolved[:, None], found.log10_values, np.nan)
    lower = upper = low = high = None
    if request.certify:
        lower, upper = enclosure(found.log10_condition, 2.0 * found.spread)
        lower = np.fmax(lower, 0.0)
        upper = np.where(np.isnan(upper), np.inf, upper)
        low, high = enclosure(found.log10_values, found.spread[:, None])
        low = np.where(np.isnan(low), -np.inf, low)
        high = np.where(np.isnan(high), np.inf, high)
    with np.errstate(invalid="ignore"):
        ratio = predicted[:, 0] - predicted[:, -1]
    ratio = np.where(np.isneginf(predicted[:, -1]), np.inf, ratio)
    slope = line_of(times, measured)
    expected = line_of(times, np.where(resolved, ratio, np.nan))
    return ConditionNumber(
        times=times,
        log10_measured=measured,
        log10_predicted=ratio,
        log10_singular_values=values,
        log10_growth=predicted,
        resolved=resolved,
        log10_lower=lower,
        log10_upper=upper,
        log10_singular_lower=low,
        log10_singular_upper=high,
        precision=bits,
        needed_precision=np.where(resolved, bits, np.ceil(found.needed_bits)).astype(int),
        message="; ".join(found.reasons),
        slope_measured=slope.slope,
        slope_measured_stderr=slope.slope_stderr,
        slope_predicted=expected.slope,
        slope_predicted_stderr=expected.slope_stderr,
        settings=settings,
    )
