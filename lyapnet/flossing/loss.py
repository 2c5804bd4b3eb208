"""The flossing objective, equation 4."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike
from ..numerics.autodiff import value


def flossing_loss(
    lam: ArrayLike,
    target: ArrayLike = 0.0,
    *,
    weights: ArrayLike | None = None,
    reduction: str = "sum",
) -> Any:
    r"""Return the flossing loss of exponents.

    .. math:: L = \sum_{i \le k} w_i (\lambda_i - \lambda_i^\mathrm{target})^2

    Parameters
    ----------
    lam : array (..., k)
        Exponents, such as `finite_time_exponents` gives; the loss is the mean over the ensemble.
    target : float or array (k,), optional
    weights : float or array (k,), optional
        :math:`w_i`, one each if left out.
    reduction : {"sum", "mean"}, optional
        Over the k exponents: the sum is the paper's eq. 4.

    Returns
    -------
    float
        Differentiable by autograd, and a float but for its tracing.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eq. 4.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> round(float(ln.flossing_loss(np.array([0.3, -0.4]))), 6)
    0.25
    """
    if not hasattr(lam, "_value"):  # autograd traces no array that is not of numbers
        lam = validate.numbers("lam", lam)
    shape = np.shape(value(lam))
    if not shape:
        raise ValueError(f"`lam` must have shape (..., k), got the scalar {lam!r}")
    if np.isnan(value(lam)).any():
        raise ValueError("`lam` must not hold NaN")
    validate.members("lam", shape)
    goal, each = per_exponent(target, weights, reduction, shape[-1])
    return anp.sum(each * (lam - goal) ** 2) / int(np.prod(shape[:-1]))


def per_exponent(target: Any, weights: Any, reduction: str, k: int) -> tuple[Array, Array]:
    """Return the target and the factor of each exponent's square, both ``(k,)``."""
    validate.option("reduction", reduction, ("sum", "mean"))
    checked = []
    for name, x in (("target", target), ("weights", 1.0 if weights is None else weights)):
        x = validate.array(name, x)
        if x.shape not in ((), (1,), (k,)):
            raise ValueError(f"`{name}` must be a number or have shape ({k},), got {x.shape}")
        checked.append(np.broadcast_to(x, (k,)).copy())
    goal, each = checked
    if not ((each >= 0).all() and each.any()):
        raise ValueError(f"`weights` must not be negative, and not all zero; got {weights}")
    return goal, each / k if reduction == "mean" else each
