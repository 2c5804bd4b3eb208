"""Condition numbers of the long-term Jacobian at any precision, beside the Lyapunov estimate."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..errors import PrecisionError
from ..numerics.arrays import Array, ArrayLike, Seed, blas_threads, patient
from ..runs.progress import progress_bar
from ..systems import SystemLike, as_system
from ..systems.orbit import JacobianOrbit
from ..tangent.forward import forward
from ..tangent.plan import plan_of
from ..tangent.start import Start, directions, input_sequence, start_rows
from ..tangent.stretches import run_stretches
from .line import LN10, enclosure, line_of
from .precision.measured import Measured
from .precision.product import singular_values_of_product
from .request import AUTO_CAP, Request, steps_of
from .result import ConditionNumber

__all__ = ["ConditionNumber", "condition_from_jacobians", "condition_number"]

_RESOLVED = 1e-10  # error of log10(kappa) that a resolved value may have


@patient
def condition_from_jacobians(
    jacobians: ArrayLike,
    *,
    k: int | None = None,
    basis: ArrayLike | None = None,
    times: ArrayLike | None = None,
    precision: int | str = 256,
    backend: str = "auto",
    certify: bool = False,
    dt: float = 1.0,
    rng: Seed = None,
    progress: bool = False,
) -> ConditionNumber:
    r"""Measure condition numbers of a product of Jacobians at high precision.

    .. math:: T_t = D_{t-1} \cdots D_0 Q_0, \qquad
              \kappa_k(T_t) = \sigma_1 / \sigma_k \sim e^{(\lambda_1 - \lambda_k) t}

    The Jacobians are taken as exact; the product is kept in factored, scaled form at
    `precision` bits, so that a condition number far beyond ``2**precision`` is still resolved
    and nothing overflows. Neither the product nor its singular values depend on the float64
    QR recursion that gives the exponents.

    Parameters
    ----------
    jacobians : array (T, n, n)
        In the order of time: the first acts first.
    k : int, optional
        Number of directions; default all n.
    basis : array (n, k), optional
        Columns to start from, orthonormalised in float64 and then taken as exact; default
        random orthonormal.
    times : array (m,), optional
        Multiples of `dt` up to ``T * dt``, ascending; default eight evenly spaced.
    precision : int or "auto", optional
        Bits, at least 53; "auto" raises them until all is resolved, up to 16384.
    backend : {"auto", "mpmath", "flint"}, optional
        "auto" takes flint where it is installed.
    certify : bool, optional
        Prove bounds of the condition number and of all singular values (needs flint).
    dt : float, optional
        Time that a Jacobian spans.
    rng : None, int or Generator, optional
        Draws the basis.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    ConditionNumber

    Raises
    ------
    PrecisionError
        If no value is resolved; `partial` is the result.
    ImportError
        If flint is asked for, or needed, but not installed.

    Notes
    -----
    `resolved` comes from a bound of everything that rounding can do. With flint, and either
    ``certify=True`` or a full basis, that bound is proved by ball arithmetic. mpmath has no
    balls: with a full basis it uses the same bound, from worst-case error estimates of its
    fixed-point products and trust in its scalar arithmetic, and proves nothing. With fewer
    directions and ``certify=False`` one direction stands for the complement of the basis,
    and the bound is an estimate with 20 bits to spare, on either backend.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eq. 10. G. W. Stewart, ETNA 3, 39 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> jacobians = np.tile(np.diag([2.0, 0.5]), (1000, 1, 1))
    >>> c = condition_from_jacobians(jacobians, basis=np.eye(2), times=[500, 1000])
    >>> c.log10_measured.round(6)  # 4**t
    array([301.029996, 602.059991])
    """
    D = validate.array("jacobians", jacobians, least=3)
    if D.ndim != 3:
        raise ValueError(
            f"`jacobians` must have shape (T, n, n), one trajectory; got {D.shape}: "
            "call once for each member of an ensemble"
        )
    if D.shape[1] != D.shape[2] or not D.size:
        raise ValueError(f"`jacobians` must have shape (T, n, n) with T, n >= 1, got {D.shape}")
    dt = validate.real("dt", dt, positive=True)
    request = Request(precision, backend, certify, progress)
    Q = _start_basis(D.shape[-1], k, basis, validate.generator(rng))
    return _measure(D, Q, steps_of(times, len(D), dt), dt, request, {})


@patient
def condition_number(
    system: SystemLike,
    n_steps: int | None = None,
    *,
    k: int | None = None,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    basis: ArrayLike | None = None,
    times: ArrayLike | None = None,
    transient: int | None = None,
    precision: int | str = 256,
    backend: str = "auto",
    certify: bool = False,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> ConditionNumber:
    """Measure condition numbers of a system's long-term Jacobian at high precision.

    The trajectory and its Jacobians are computed in float64, after `transient` steps of the
    state; see `condition_from_jacobians` for the rest.

    Parameters
    ----------
    system : System
        A cell, map or flow; see `lyapunov_spectrum`.
    n_steps : int, optional
        Number T of Jacobians, after the transient. Without it, all that `inputs` leave.
    k : int, optional
        Number of directions; default all.
    inputs : array (transient + n_steps, m), optional
        One input per step; zeros if left out.
    x0 : array (n,), optional
        State to start from.
    basis, times, precision, backend, certify, rng, progress
        See `condition_from_jacobians`; times count from the end of the transient.
    transient : int, optional
        Steps before t=0; default a tenth of the run, at least 100.
    t0 : float, optional
        Time at the start of the transient, where the system depends on it.

    Returns
    -------
    ConditionNumber

    Raises
    ------
    DivergedError
        If the state is not finite.
    PrecisionError
        If no value is resolved; `partial` is the result.

    Examples
    --------
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(8, rng=0)
    >>> c = condition_number(cell, 100, times=[50, 100], precision=128, rng=0)
    >>> c.resolved
    array([ True,  True])
    """
    found = as_system(system)
    generator = validate.generator(rng)
    u = input_sequence(inputs)
    plan = plan_of(None if u is None else len(u), n_steps, transient, 0)
    request = Request(precision, backend, certify, progress)
    start = Start.of(found, u, plan.total, x0=x0, t0=t0, rng=generator, k=k, basis=basis)
    lead = start.x.shape[:-1]
    if lead:
        raise ValueError(
            f"condition_number measures one trajectory, but `x0`, `inputs`, `basis` or parameters "
            f"have the leading axes {lead}: call it once for each member"
        )
    steps = steps_of(times, plan.n_steps, found.dt)
    for phase, _, orbit in run_stretches(found, start.x, start.inputs, plan.stretches(plan.total)):
        if phase == "n_steps":
            D = np.asarray(orbit.jacobians, dtype=float)
    settings = {**start.settings, "transient": plan.transient, "system": repr(system)}
    return _measure(D, start.rows.T, steps, found.dt, request, settings)


def _start_basis(n: int, k: Any, basis: Any, rng: np.random.Generator) -> Array:
    """Return the starting basis (n, k), orthonormal in float64."""
    given = None if basis is None else validate.array("basis", basis, ndim=2)
    return start_rows(given, (n, directions(k, given, n)), rng).T


def _measure(
    D: Array, Q: Array, steps: list[int], dt: float, request: Request, settings: dict[str, Any]
) -> ConditionNumber:
    """Compute with as many bits as asked for, or as needed."""
    predicted = _predicted(D, Q, steps)
    bits = request.bits
    while True:
        found = _run(D, Q, steps, bits, request)
        if not request.auto or np.all(found.spread <= _RESOLVED) or bits >= AUTO_CAP:
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
    resolved = found.spread <= _RESOLVED
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
