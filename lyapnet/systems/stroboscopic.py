"""Maps from one period of a flow to the next."""

from __future__ import annotations

import copy
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import Tree
from .composed import ComposedOrbit
from .flow import Flow
from .jacobian_orbit import JacobianOrbit
from .orbit import Orbit
from .protocol import System


class Stroboscopic(System):
    """A flow seen once in a period; see `stroboscopic`.

    Attributes
    ----------
    flow : Flow
        With a step that divides the period.
    steps : int
        Number of its steps in a period.
    """

    def __init__(self, flow: Flow, period: float) -> None:
        self.steps = max(1, int(np.ceil(period / flow.dt - 1e-9)))
        self.flow = flow.with_dt(period / self.steps)
        self.substeps = self.steps
        self.dim, self.time, self.dt, self.params = flow.dim, flow.time, period, flow.params

    def __repr__(self) -> str:
        return f"Stroboscopic({self.flow!r}, period={self.dt:g})"

    def with_params(self, params: Tree) -> Stroboscopic:
        """Return the same map with other parameters."""
        flow = self.flow.with_params(params)
        assert isinstance(flow, Flow)
        return Stroboscopic(flow, self.dt)

    def of_member(self, lead: tuple[int, ...], at: Any) -> Stroboscopic:
        """Return the map of one member of an ensemble of flows."""
        flow = self.flow.of_member(lead, at)
        assert isinstance(flow, Flow)
        return Stroboscopic(flow, self.dt)

    def step(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the state ``(..., n)`` a period later."""
        for i in range(self.steps):
            x = self.flow.step(x, t=t + i * self.flow.dt)
        return x

    def jacobian(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the Jacobian over a period, ``(..., n, n)``: the monodromy matrix on a cycle."""
        found = np.eye(self.dim)
        for i in range(self.steps):
            now = t + i * self.flow.dt
            found = anp.matmul(self.flow.jacobian(x, t=now), found)
            x = self.flow.step(x, t=now)
        return found

    def finer(self) -> tuple[Stroboscopic, int]:
        """Return the map of the flow with a finer step; see `System.finer`."""
        return Stroboscopic(self.flow.finer()[0], self.dt), 1

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of the flow's runs so far."""
        return self.flow.reservation

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states of the flow that are not finite."""
        return self.flow.if_it_diverges

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return the state that the flow starts from."""
        return self.flow.default_state(rng)

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states and parameters span."""
        return self.flow.ensemble(x, u)

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the map with the flow as it is best run; see `System.prepared`."""
        other = copy.copy(self)
        other.flow = copy.copy(self.flow)
        if self.engine != "auto":
            other.flow.engine = self.engine
        times = self.within(inputs, 1)
        prepared = other.flow.prepared(x, times, k, n_steps * self.steps)
        assert isinstance(prepared, Flow)
        other.flow = prepared
        other.engine_used = other.flow.engine_used
        return other

    def cannot_compile(self) -> str:
        """Return why the flow cannot be run by compiled loops, nothing if it can."""
        return self.flow.cannot_compile()

    def within(self, inputs: Array | None, n_steps: int) -> Array | None:
        """Return the times of all steps of the flow, of some periods."""
        if inputs is None:
            return None
        after = (self.flow.dt * np.arange(self.steps)).reshape(-1, *(1,) * (inputs.ndim - 1))
        return np.asarray((inputs[:n_steps, None] + after).reshape(-1, *inputs.shape[1:]))

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` periods; see `System.orbit`."""
        m, given = self.steps, inputs
        inner = self.flow.orbit(x, self.within(inputs, n_steps), n_steps * m)
        if isinstance(inner, ComposedOrbit):
            return inner.coarser(m)
        assert isinstance(inner, JacobianOrbit)
        return ComposedOrbit(inner, m * np.arange(n_steps + 1), given)


def stroboscopic(flow: Flow, period: float) -> Stroboscopic:
    r"""Return the map that a flow makes in one period.

    .. math:: x(t) \mapsto x(t + T)

    Of a flow forced with period T it is the same map every time; its exponents, per unit time,
    are those of the flow, and at a fixed point, which is a cycle, the Floquet exponents.

    Parameters
    ----------
    flow : Flow
        Without inputs; its dt is shortened a little, so that whole steps make a period.
    period : float
        T.

    Returns
    -------
    Stroboscopic
        A system like others: `dt` is the period, `jacobian` the derivative over a period.

    References
    ----------
    G. Floquet, Ann. Sci. Ecole Norm. Sup. 12, 47 (1883).

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> flow = ln.Flow(
    ...     lambda x, t: np.array([x[1], -(1.0 + 0.3 * np.cos(2 * t)) * x[0] - 0.2 * x[1]]),
    ...     2, dt=0.05, time=True)
    >>> monodromy = ln.stroboscopic(flow, np.pi).jacobian(np.zeros(2))
    >>> round(float(np.linalg.det(monodromy)), 5)  # exp(-0.2 pi)
    0.53349
    """
    if not isinstance(flow, Flow):
        raise TypeError(f"`flow` must be a Flow, got {type(flow).__name__}")
    if flow.n_inputs:
        raise ValueError(
            f"`flow` has n_inputs={flow.n_inputs}, and inputs need not repeat: write them into the "
            "field as a function of time (time=True)"
        )
    return Stroboscopic(flow, validate.real("period", period, positive=True))
