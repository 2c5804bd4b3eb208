"""The flossing loss: the exponents of a window held against their targets, and its descent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np

from . import validate
from .adjoint import exponents, gradient
from .autodiff import Tree, leaves, rebuild, value
from .errors import DivergedError
from .linalg import Array
from .optimize import Adam, Params, clipped
from .qr import orthonormalise
from .start import interval_of
from .systems import System
from .trajectory import Plan


def flossing_loss(
    lam: Any, target: Any = 0.0, *, weights: Any = None, reduction: str = "sum"
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
        Differentiable by autograd.

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
    shape = np.shape(value(lam))
    if not shape:
        raise ValueError(f"`lam` must have shape (..., k), got the scalar {lam}")
    if np.isnan(value(lam)).any():
        raise ValueError("`lam` must not hold NaN")
    goal, each = per_exponent(target, weights, reduction, shape[-1])
    return anp.sum(each * (lam - goal) ** 2) / max(1, int(np.prod(shape[:-1])))


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


#: The automatic interval aims at this sine between the vectors of a basis before they are
#: orthonormalised: ten times what `trajectory.SMALLEST_SINE` would refuse.
_AIM = 1e-5


@dataclass
class Interval:
    """Steps between factorisations, adapted from epoch to epoch.

    Without a factorisation the sine between the tangent vectors shrinks; the last window
    tells how far. Exponents and gradients depend on the interval by rounding only.
    """

    steps: int
    automatic: bool

    @classmethod
    def of(cls, qr_interval: Any) -> Interval:
        """Return the interval that an argument means."""
        steps = interval_of(qr_interval)
        return cls(1, True) if steps is None else cls(steps, False)

    def adapt(self, smallest_sine: float, most: int) -> None:
        """Choose the next interval by the smallest sine seen in the last window.

        The sine does not shrink by the same factor in each step: a single step may bring two
        vectors close, and the next ones leave them so. Hence the next interval is tried rather
        than extrapolated to.
        """
        if not self.automatic:
            return
        if smallest_sine > 100 * _AIM:
            self.steps = min(2 * self.steps, most)
        elif smallest_sine > 5 * _AIM:
            self.steps = min(self.steps + 1, most)
        elif smallest_sine < _AIM / 100:
            self.steps = max(1, self.steps // 2)
        elif smallest_sine < _AIM:
            self.steps = max(1, self.steps - 1)


@dataclass(frozen=True)
class Window:
    """What flossing looks at, epoch by epoch.

    Attributes
    ----------
    k : int
        Number of exponents.
    plan : Plan
        Transients and averaged steps.
    goal, each : array (k,)
        Target of each exponent, and the factor of its squared distance.
    only : tuple of str or None
        Names of the parameters that are changed, None for all.
    """

    k: int
    plan: Plan
    goal: Array
    each: Array
    only: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        system: System,
        *,
        k: Any,
        n_steps: Any,
        target: Any = 0.0,
        weights: Any = None,
        reduction: str = "sum",
        transient: Any = 0,
        basis_transient: Any = 0,
        only: Any = None,
    ) -> Window:
        """Check the settings of a window."""
        k = validate.integer("k", k, low=1, high=system.dim)
        plan = Plan(
            validate.integer("transient", transient, low=0),
            validate.integer("basis_transient", basis_transient, low=0),
            validate.integer("n_steps", n_steps, low=1),
        )
        return cls(k, plan, *per_exponent(target, weights, reduction, k), _chosen(only, system))


def _chosen(only: Any, system: System) -> tuple[str, ...] | None:
    """Return the names of the parameters to change."""
    if only is None:
        return None
    known = list(named_params(system.params, system.params)[0])
    if isinstance(only, str) or not isinstance(only, Iterable):
        raise TypeError(f"`only` must be a sequence of names among {known}, got {only!r}")
    chosen = tuple(only)
    if not chosen or not set(chosen) <= set(known):
        raise ValueError(f"`only` must be a sequence of names among {known}, got {chosen}")
    return chosen


class Flosser:
    """Flossing in progress: a window, and the optimiser and QR interval that go with it."""

    def __init__(
        self, window: Window, optimizer: Adam, interval: Interval, clip_norm: Any = None
    ) -> None:
        self.window = window
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.interval = interval

    def epoch(
        self, system: System, x: Array, inputs: Array | None, rng: np.random.Generator
    ) -> tuple[System, Array, Array]:
        """Take one step down the flossing loss, from a random orthonormal basis.

        Parameters
        ----------
        system : System
        x : array (..., n)
            First states, with all axes of the ensemble: members, then networks.
        inputs : array (T, ..., m) or None
        rng : Generator

        Returns
        -------
        system : System
            With new parameters.
        lam : array (networks..., k)
            Exponents before the step, in QR order, mean over the members.
        loss : array (networks...)
            The loss before the step.
        """
        window = self.window
        plan = Plan(
            window.plan.transient,
            window.plan.basis_transient,
            window.plan.n_steps,
            self.interval.steps,
            forgiving=self.interval.automatic,
        )
        rows = rng.standard_normal((*x.shape[:-1], window.k, system.dim))
        orthonormalise(rows)
        lam, record = exponents(system, x, rows, inputs, plan, keep=True)
        networks = getattr(system, "networks", ())
        members = tuple(range(lam.ndim - 1 - len(networks)))
        count = int(np.prod(lam.shape[: len(members)]))
        with np.errstate(invalid="ignore"):  # an exponent of -inf is refused by the gradient
            slope = 2 * window.each * (lam - window.goal) / count
        params_bar = gradient(record, slope)[3]
        loss = np.sum(window.each * (lam - window.goal) ** 2, axis=(*members, -1)) / count
        params, grads = named_params(system.params, params_bar)
        names = params if window.only is None else window.only
        free, bars = ({name: x[name] for name in names} for x in (params, grads))
        params = {**params, **self.optimizer.update(free, clipped(bars, self.clip_norm))}
        self.interval.adapt(record.smallest_sine, plan.n_steps)
        return with_named_params(system, params), lam.mean(axis=members), loss

    @property
    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on, beside the system and the generator."""
        return {"optimizer": adam_state(self.optimizer), "interval": self.interval.steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.optimizer = restored(self.optimizer, state["optimizer"])
        self.interval.steps = state["interval"]


def adam_state(optimizer: Adam) -> dict[str, Any]:
    """Return an optimiser's state as a checkpoint holds it."""
    return optimizer.state._asdict()


def restored(optimizer: Adam, state: dict[str, Any]) -> Adam:
    """Return an optimiser that goes on from what `adam_state` gave."""
    return optimizer.with_state(type(optimizer.state)(**state))


def named_params(params: Tree, grads: Tree) -> tuple[Params, Params]:
    """Return a system's parameters and their gradients as dictionaries of arrays of equal shapes.

    Raises
    ------
    DivergedError
        If a gradient is not finite.
    """
    flat = _is_flat(params)
    names = sorted(params) if flat else [f"params[{i}]" for i in range(len(leaves(params)))]
    theta, bars = {}, {}
    for name, x, bar in zip(names, leaves(params), leaves(grads), strict=True):
        theta[name] = np.asarray(x, dtype=float)
        bars[name] = np.broadcast_to(np.asarray(bar, dtype=float), theta[name].shape)
        if not np.isfinite(bars[name]).all():
            raise DivergedError(
                f"the gradient in `{name}` is not finite; use fewer steps, a smaller learning "
                "rate or a smaller gain"
            )
    return theta, bars


def with_named_params(system: System, params: Params) -> System:
    """Return a system with the parameters that `named_params` has named."""
    if _is_flat(system.params):
        return system.with_params(params)
    return system.with_params(rebuild(system.params, list(params.values())))


def _is_flat(params: Tree) -> bool:
    """Say whether parameters are a dictionary of arrays already."""
    return isinstance(params, dict) and len(leaves(params)) == len(params)
