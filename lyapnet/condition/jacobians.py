"""Condition numbers of a product of Jacobians at any precision."""

from __future__ import annotations

from .. import validate
from ..numerics.arrays import ArrayLike, Seed, patient
from .request import Request, start_basis, steps_of
from .result import ConditionNumber
from .run import measured

__all__ = ["condition_from_jacobians"]


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
    `resolved` comes from a bound of everything that rounding can do. The long product is made
    of exact products of integers, cut to `precision` bits at least, with a bound of what is cut
    off. With flint, and either ``certify=True`` or a full basis, the rest is proved by ball
    arithmetic. mpmath has no balls: with a full basis it uses the same bound, from worst-case
    error estimates and trust in its scalar arithmetic, and proves nothing. With fewer
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
    Q = start_basis(D.shape[-1], k, basis, validate.generator(rng))
    return measured(D, Q, steps_of(times, len(D), dt), dt, request, {})
