"""Exponents of coupled systems: transversal ones, and those of a driven part."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed
from ..numerics.autodiff import leaves, rebuild
from ..results.result import Result
from ..results.storage import register
from ..systems import DelayFlow, Flow, Map, NoisyFlow, SystemLike
from ..systems.known_jumps import Seen
from ..systems.variation import Driven, Transversal, Variation
from ..tangent.start import start_state
from .measure import lyapunov_spectrum
from .plot import plot_master_stability
from .result import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class MasterStability(Result):
    r"""The master stability function.

    Attributes
    ----------
    strengths : array (a,)
        :math:`\alpha`.
    exponents, stderr : array (a, k)
        Of perturbations transversal to the synchronous state.
    low, high : array (a,)
        95 % interval of the largest one.
    stable : array (a,) of bool
        Whether it lies below zero.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "exponents": ("strength", "exponent"),
        "stderr": ("strength", "exponent"),
        "strengths": ("strength",),
        "low": ("strength",),
        "high": ("strength",),
        "stable": ("strength",),
    }

    strengths: Array
    exponents: Array
    stderr: Array = field(repr=False)
    low: Array = field(repr=False)
    high: Array = field(repr=False)
    stable: Array
    settings: dict[str, Any] = field(repr=False)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the largest transversal exponent over the strength; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_master_stability(self, ax)


def master_stability(
    system: SystemLike,
    strengths: ArrayLike,
    n_steps: int,
    *,
    coupling: ArrayLike | None = None,
    k: int = 1,
    x0: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> MasterStability:
    r"""Measure the transversal exponents of identical coupled systems.

    Of a network :math:`\dot x_i = f(x_i) - \sigma \sum_j L_{ij} H x_j` the synchronous state, where
    all follow :math:`\dot s = f(s)`, is stable if the largest exponent of

    .. math:: \dot\eta = \bigl(Df(s) - \alpha H\bigr)\,\eta

    is negative at :math:`\alpha = \sigma \gamma_i` for all eigenvalues :math:`\gamma_i` of the
    Laplacian L but the zero one. Of maps, coupled through what they yield,
    :math:`x_i' = f(x_i) - \sigma \sum_j L_{ij} H f(x_j)`, it is
    :math:`\eta' = (1 - \alpha H)\,Df(s)\,\eta`.

    Parameters
    ----------
    system : Flow or Map
        One of the systems, autonomous or forced in time.
    strengths : array (a,)
        :math:`\alpha`, real: the Laplacian is symmetric.
    n_steps : int
    coupling : array (n, n), optional
        H; default the identity, for which the exponents of a flow are those of f, less alpha.
    k : int, optional
        Number of exponents.
    x0, transient, basis_transient, t0, rng, progress
        As for `lyapunov_spectrum`; `x0` is one state (n,).

    Returns
    -------
    MasterStability

    References
    ----------
    L. M. Pecora and T. L. Carroll, Phys. Rev. Lett. 80, 2109 (1998).

    Examples
    --------
    >>> import lyapnet as ln
    >>> logistic = ln.catalog.logistic()
    >>> found = ln.master_stability(logistic, [0.3, 0.7], 2000, rng=0)  # log(2 |1 - alpha|)
    >>> found.exponents[:, 0].round(2), found.stable
    (array([ 0.34, -0.51]), array([False,  True]))
    """
    flow = _plain(system, "system")
    alpha = validate.array("strengths", strengths, ndim=1)
    if not alpha.size:
        raise ValueError("`strengths` is empty: give one strength of coupling at least")
    n = flow.dim
    H = np.eye(n) if coupling is None else validate.array("coupling", coupling, ndim=2)
    if H.shape != (n, n):
        raise ValueError(f"`coupling` must have shape ({n}, {n}), got {H.shape}")
    rng = validate.generator(rng)
    x = start_state(flow, x0, rng)
    if x.ndim != 1:
        raise ValueError(f"`x0` must be one state ({n},), got shape {x.shape}")
    varied = _varied(_for_each(flow, len(alpha)), Transversal(alpha, H, isinstance(flow, Flow)))
    s = lyapunov_spectrum(
        varied, n_steps, k=k, x0=np.broadcast_to(x, (len(alpha), n)), transient=transient,
        basis_transient=basis_transient, t0=t0, rng=rng, progress=progress,
    )  # fmt: skip
    low, high = (end[..., 0] for end in s.confidence_interval())
    settings = {
        "n_steps": n_steps, "dt": flow.dt, "coupling": H, "system": repr(flow),
        "engine": s.settings["engine"],
    }  # fmt: skip
    return MasterStability(alpha, s.exponents, s.stderr, low, high, high < 0, settings)


def conditional_exponents(
    system: SystemLike,
    driven: Iterable[int],
    n_steps: int,
    *,
    k: int | None = None,
    x0: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> Spectrum:
    r"""Measure the exponents of a part of a system that the rest drives.

    Copies of the driven components under the same drive follow

    .. math:: \dot\eta = \partial_y g(x, y)\,\eta, \qquad \dot x = f(x, y), \; \dot y = g(x, y)

    and come together if the largest of these exponents is negative: they synchronise with the
    system (Pecora and Carroll), and y is a function of the drive.

    Parameters
    ----------
    system : Flow or Map
        The whole, driving and driven.
    driven : sequence of int
        The components y, counted from 0.
    n_steps : int
    k : int, optional
        Number of exponents; default all of the part.
    x0, transient, basis_transient, t0, rng, progress
        As for `lyapunov_spectrum`.

    Returns
    -------
    Spectrum
        Of the part; its basis spans the driven components.

    References
    ----------
    L. M. Pecora and T. L. Carroll, Phys. Rev. Lett. 64, 821 (1990).

    Examples
    --------
    >>> import lyapnet as ln
    >>> lorenz = ln.catalog.lorenz63()
    >>> s = ln.conditional_exponents(lorenz, [1, 2], 20_000, rng=0)  # driven by x
    >>> low, high = s.confidence_interval()
    >>> bool(high[0] < 0), round(float(s.exponents.sum()), 4)  # -1 - 8/3
    (True, -3.6667)
    """
    flow = _plain(system, "system")
    n = flow.dim
    if not isinstance(driven, Iterable):
        raise TypeError(
            f"`driven` must be a sequence of components, such as [1, 2], got {driven!r}"
        )
    driven = list(driven)
    part = np.unique([validate.integer("driven", i, low=0, high=n - 1) for i in driven])
    if not 0 < len(part) < n:
        raise ValueError(
            f"`driven` must name some of the {n} components and leave others to drive them, got "
            f"{driven}"
        )
    k = len(part) if k is None else validate.integer("k", k, low=1, high=len(part))
    rng = validate.generator(rng)
    basis = np.zeros((n, k))
    basis[part] = np.linalg.qr(rng.standard_normal((len(part), k)))[0]
    varied = _varied(flow, Driven(np.isin(np.arange(n), part)))
    return lyapunov_spectrum(
        varied, n_steps, basis=basis, x0=x0, transient=transient,
        basis_transient=basis_transient, t0=t0, rng=rng, progress=progress,
    )  # fmt: skip


def _plain(system: Any, name: str) -> Map:
    """Refuse systems whose tangent step is not made of the function's derivative alone."""
    if not isinstance(system, Map) or isinstance(system, DelayFlow | NoisyFlow) or system.n_inputs:
        raise TypeError(
            f"`{name}` must be a Map or a Flow without inputs, delays and noise, got {system!r}"
        )
    if getattr(system, "method", "") in ("implicit", "leapfrog"):
        raise ValueError(
            f"`{name}` is integrated by {system.method!r}, which needs the true "  # type: ignore[attr-defined]  # only flows have such a method
            'derivative: take "rk4", "dop853" or "adaptive"'
        )
    return system


def _for_each(system: Map, members: int) -> Map:
    """Return the system with parameters that each member of an ensemble has as its own.

    Otherwise an array of them that is as long would be taken for one of numbers per member.
    Functions of many states take parameters as they are.
    """
    if system.vectorized:
        return system
    own = [np.broadcast_to(x, (members, *np.shape(x))) for x in leaves(system.params)]
    found = system.with_params(rebuild(system.params, own))
    assert isinstance(found, Map)
    return found


def _varied(system: Map, variation: Variation) -> Map:
    """Return the system with tangent vectors that something else carries."""
    other = copy.copy(system)
    other._variation, other.tangent_apart = variation, True
    if isinstance(other, Flow):
        other.seen = Seen(decides=False)  # steps do not end at surfaces, which would need D itself
    return other
