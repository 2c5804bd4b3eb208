"""The field of finite-time exponents: how far neighbours of each state are drawn apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, blas_threads
from ..results.result import Result
from ..results.storage import register
from ..runs.progress import progress_bar
from ..systems import SystemLike, as_system
from ..tangent.plan import divided
from ..tangent.start import Start, check_inputs, input_sequence, start_state, start_time
from ..tangent.stretches import run_stretches, stretch_length
from .plot import plot_ftle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class FTLEField(Result):
    r"""Finite-time exponents of the flow map from :math:`t_0` to :math:`t_0 + T`.

    Attributes
    ----------
    exponents : array (..., k)
        :math:`\log \sigma_i / T` of the Jacobian of the flow map, the largest singular value first.
    directions : array (..., n, k)
        Unit vectors at the start that are stretched so (right singular vectors).
    x0, state : array (..., n)
        States at the start and at the end.
    duration : float
        T.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "exponents": ("...", "exponent"),
        "directions": ("...", "unit", "exponent"),
        "x0": ("...", "unit"),
        "state": ("...", "unit"),
    }
    _units: ClassVar[dict[str, str]] = {"exponents": "nats per unit time"}

    exponents: Array
    directions: Array = field(repr=False)
    x0: Array = field(repr=False)
    state: Array = field(repr=False)
    duration: float
    settings: dict[str, Any] = field(repr=False)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the leading exponent over a grid of states ``(rows, columns, n)``; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_ftle(self, ax)


def ftle_field(
    system: SystemLike,
    n_steps: int,
    *,
    x0: ArrayLike,
    k: int = 1,
    inputs: ArrayLike | None = None,
    t0: float = 0.0,
    progress: bool = False,
) -> FTLEField:
    r"""Return the field of finite-time exponents, for a grid of states.

    .. math:: \lambda_i(x; t_0, T) = \frac1T \log \sigma_i\left(\partial \varphi_{t_0}^{t_0 + T}
              (x) / \partial x\right)

    Its ridges are candidates for material lines that organise transport (Lagrangian coherent
    structures). Unlike `finite_time_exponents`, which follows a basis that was chosen, it is the
    largest stretching over all directions, and needs no basis.

    Parameters
    ----------
    system : System
    n_steps : int
    x0 : array (..., n)
        States: a grid, or any others.
    k : int, optional
        Number of singular values. The product of Jacobians is kept in float64, so that those more
        than some 14 orders below the first are lost, and -inf.
    inputs : array (T, ..., m), optional
    t0 : float, optional
        Time at the start, where the system depends on it.
    progress : bool, optional

    Returns
    -------
    FTLEField

    References
    ----------
    G. Haller, Physica D 149, 248 (2001); S. C. Shadden, F. Lekien and J. E. Marsden, Physica D
    212, 271 (2005).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cat = ln.catalog.cat()
    >>> found = ln.ftle_field(cat, 20, x0=[[0.1, 0.2], [0.3, 0.4]])
    >>> found.exponents[:, 0].round(6)  # log of the golden mean's square, symmetric matrix
    array([0.962424, 0.962424])
    """
    found = as_system(system)
    n_steps = validate.integer("n_steps", n_steps, low=1)
    k = validate.integer("k", k, low=1, high=found.dim)
    u = input_sequence(inputs)
    check_inputs(found, u, n_steps)
    if found.drive.noisy and u is None:
        raise ValueError(
            "`inputs` is needed: the increments of a noisy system, (n_steps, n_inputs), the same "
            "for all states"
        )
    t0 = start_time(found, t0)
    x = start_state(found, x0, np.random.default_rng(0))
    n, lead = found.dim, found.ensemble(x, None if u is None else u[0])
    product = np.broadcast_to(np.eye(n), (*lead, n, n)).copy()  # rows are images of unit vectors
    start = Start.spread(found, x, product, u, n_steps, t0, None)
    logs = np.zeros(lead)
    stretches = divided({"n_steps": n_steps}, stretch_length(found, lead, n))
    with progress_bar(n_steps, show=progress, unit="step") as bar, blas_threads(product.size):
        for _, _, orbit in run_stretches(found, start.x, start.inputs, stretches, bar=bar):
            for s in range(orbit.n_steps):
                out = np.empty_like(product)
                orbit.push(s, product, out)
                size = np.abs(out).max(axis=(-2, -1))
                size = np.where(size > 0, size, 1.0)
                product = out / size[..., None, None]
                logs += np.log(size)
            x = orbit.last
    left, sigma, _ = np.linalg.svd(product)
    duration = n_steps * found.dt
    lost = sigma <= n * np.finfo(float).eps * sigma[..., :1]
    with np.errstate(divide="ignore"):
        lam = (np.log(np.where(lost, 0.0, sigma)) + logs[..., None]) / duration
    settings = {"n_steps": n_steps, "t0": t0, "dt": found.dt, "system": repr(found)}
    return FTLEField(lam[..., :k], left[..., :k], start.x, x, duration, settings)
