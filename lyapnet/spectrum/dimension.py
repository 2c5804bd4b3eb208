"""Quantities that follow from the exponents, with the gradients that their errors need."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.arrays import Array


def kaplan_yorke_dimension(exponents: ArrayLike, dim: int | None = None) -> tuple[Array, Array]:
    r"""Kaplan-Yorke dimension and its gradient.

    .. math:: D = j + \frac{\lambda_1 + \dots + \lambda_j}{|\lambda_{j+1}|},

    with j the largest number of leading exponents whose sum is not negative: 0 if the first is
    negative, `dim` if even the sum of all is not negative (the state space is filled; for an
    invertible system this happens only if it conserves volume).

    D jumps from 0 to 1 where :math:`\lambda_1` passes zero, as on a limit cycle; the delta method
    knows nothing of this. Elsewhere D is continuous, with kinks at whole numbers.

    Parameters
    ----------
    exponents : array_like, shape (..., k)
        In nats per unit time, in any order; ``-inf`` is allowed.
    dim : int, optional
        Dimension of the state space, ``k`` by default.

    Returns
    -------
    dimension : ndarray, shape (...)
        ``nan`` where ``k < dim`` and the sum of the k exponents is not negative: the dimension is
        then at least k, and more exponents are needed to tell.
    gradient : ndarray, shape (..., k)
        Derivatives by the exponents, in their order; ``nan`` where the dimension is.

    Raises
    ------
    ValueError
        If `dim` is less than k, or an exponent is ``nan`` or ``+inf``.

    References
    ----------
    .. [1] J. L. Kaplan and J. A. Yorke, in: Functional Differential Equations and Approximation
       of Fixed Points, Lecture Notes in Mathematics 730, 204 (1979).

    Examples
    --------
    >>> dimension, gradient = kaplan_yorke_dimension([0.9056, 0.0, -14.5723])  # Lorenz 1963
    >>> print(f"{dimension:.4f}", gradient.round(4))
    2.0621 [0.0686 0.0686 0.0043]
    """
    exponents, dim = _checked(exponents, dim)
    k = exponents.shape[-1]
    order = np.argsort(-exponents, axis=-1, kind="stable")
    ordered = np.take_along_axis(exponents, order, axis=-1)
    sums = np.cumsum(ordered, axis=-1)
    # Sums of descending exponents rise and then fall: once negative, they stay so.
    whole = np.sum(np.logical_and.accumulate(sums >= 0, axis=-1), axis=-1)
    last = np.minimum(whole, k - 1)[..., None]
    contraction = np.take_along_axis(ordered, last, axis=-1)[..., 0]
    before = np.take_along_axis(sums, np.maximum(last - 1, 0), axis=-1)[..., 0]
    remainder = np.where(whole > 0, before, 0.0)

    inner = (whole > 0) & (whole < k)
    scale = np.where(inner, np.abs(contraction), 1.0)
    dimension = np.where(inner, whole + remainder / scale, whole)
    position = np.arange(k)
    slopes = np.where(position < whole[..., None], 1 / scale[..., None], 0.0)
    slopes = np.where(position == whole[..., None], (remainder / scale**2)[..., None], slopes)
    slopes = np.where(inner[..., None], slopes, 0.0)
    if k < dim:
        unknown = whole == k
        dimension = np.where(unknown, np.nan, dimension)
        slopes = np.where(unknown[..., None], np.nan, slopes)
    gradient = np.empty_like(slopes)
    np.put_along_axis(gradient, order, slopes, axis=-1)
    return dimension, gradient


def entropy(exponents: ArrayLike, dim: int | None = None) -> tuple[Array, Array]:
    r"""Sum of the positive exponents, an upper bound of the metric entropy, and its gradient.

    :math:`H = \sum_{\lambda_i > 0} \lambda_i`. By Ruelle's inequality [1]_ the Kolmogorov-Sinai
    entropy is at most H, and equal to it for an SRB measure (Pesin). An exponent that is zero in
    truth contributes its error whenever that is positive.

    Parameters
    ----------
    exponents : array_like, shape (..., k)
        In nats per unit time, in any order; ``-inf`` is allowed.
    dim : int, optional
        Dimension of the state space, ``k`` by default.

    Returns
    -------
    entropy : ndarray, shape (...)
        Nats per unit time. ``nan`` where ``k < dim`` and all k exponents are positive: more may be.
    gradient : ndarray, shape (..., k)
        1 where the exponent is positive, else 0; ``nan`` where the entropy is.

    Raises
    ------
    ValueError
        If `dim` is less than k, or an exponent is ``nan`` or ``+inf``.

    References
    ----------
    .. [1] J.-P. Eckmann and D. Ruelle, "Ergodic theory of chaos and strange attractors", Rev. Mod.
       Phys. 57, 617 (1985).

    Examples
    --------
    >>> value, gradient = entropy([0.5, 0.25, 0.0, -2.0])
    >>> print(value, gradient)
    0.75 [1. 1. 0. 0.]
    """
    exponents, dim = _checked(exponents, dim)
    positive = exponents > 0
    total = np.sum(np.where(positive, exponents, 0.0), axis=-1)
    gradient = positive.astype(np.float64)
    if exponents.shape[-1] < dim:
        unknown = np.all(positive, axis=-1)
        total = np.where(unknown, np.nan, total)
        gradient = np.where(unknown[..., None], np.nan, gradient)
    return total, gradient


def _checked(exponents: ArrayLike, dim: int | None) -> tuple[Array, int]:
    """Return the exponents as an array, and the dimension."""
    exponents = np.asarray(exponents, dtype=np.float64)
    if exponents.ndim < 1 or exponents.shape[-1] < 1:
        raise ValueError(f"exponents must have shape (..., k), k >= 1, got {exponents.shape}")
    if np.any(np.isnan(exponents)) or np.any(np.isposinf(exponents)):
        raise ValueError("exponents hold nan or +inf: leave the failed runs out")
    k = exponents.shape[-1]
    dim = k if dim is None else dim
    if dim < k:
        raise ValueError(f"dim must be at least the number of exponents {k}, got {dim}")
    return exponents, dim
