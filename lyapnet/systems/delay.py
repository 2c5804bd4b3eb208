"""Delay differential equations: the state is the recent past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.operations import Untraceable
from ..compiled.trace import jumps_of
from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, jacobian_of
from .bends import jump_between
from .delay_orbit import CompiledDelayOrbit, DelayOrbit
from .flow import Flow
from .integrators import TABLEAUS
from .known_jumps import SMOOTH_THEM, Seen
from .orbit import Orbit
from .steepness import look_for_jumps


class DelayFlow(Flow):
    r"""A flow with delays, integrated by the method of steps.

    .. math:: \dot x(t) = f(x(t), x(t - \tau_1), x(t - \tau_2), \dots)

    The state is the past on a grid, :math:`(x(t), x(t - \Delta t), \dots, x(t - m \Delta t))`, and
    a step is one of an explicit Runge-Kutta method, for which the past between grid points is
    interpolated by polynomials of the method's order. Of the n (m + 1) exponents the leading ones
    are those of the delay equation: ask for a few, `k`.

    Parameters
    ----------
    field : callable
        ``field(x, x_delayed)``, with one array for each delay, and t, u and p behind them where
        there are such; written for autograd, like the step of a `Map`.
    dim : int
        Dimension n of x. That of the state, which is the system's `dim`, is n (m + 1).
    delays : float or sequence of float
        :math:`\tau_1, \dots`, each at least dt.
    dt : float
        Time step; a fraction of the delay keeps grid points at the delayed times.
    n_inputs, params, vectorized, time, interpolation
        As for `Flow`.
    method : {"rk4", "dop853", "heun", "euler"}, optional
        Of order 4, 8, 2 and 1. Where the past is not smooth, as when a run starts, the order is
        lower until it is.

    Attributes
    ----------
    delays : tuple of float
    nodes : int
        Number m + 1 of grid points.

    References
    ----------
    J. D. Farmer, "Chaotic attractors of an infinite-dimensional dynamical system", Physica D 4,
    366 (1982); A. Bellen and M. Zennaro, Numerical Methods for Delay Differential Equations
    (Oxford, 2003).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> flow = ln.DelayFlow(lambda x, late: -late, 1, delays=1.0, dt=0.05)
    >>> s = ln.lyapunov_spectrum(flow, 2000, k=2, x0=flow.history([1.0]), rng=0)
    >>> print(f"{s.exponents.mean():.3f}")  # real part of W(-1): the leading pair of roots
    -0.318
    """

    _stiff_remedy = ""
    state_is = "the past on the grid: make it by the system's `history` of a constant or a function"

    def __init__(
        self,
        field: Callable[..., Any],
        dim: int,
        *,
        delays: Any,
        dt: float,
        n_inputs: int = 0,
        params: Tree = None,
        method: str = "rk4",
        vectorized: bool = False,
        time: bool = False,
        interpolation: str = "hold",
    ) -> None:
        validate.option("method", method, TABLEAUS)
        dt = validate.real("dt", dt, positive=True)
        self.delays = tuple(np.atleast_1d(validate.array("delays", delays)).ravel().tolist())
        if not self.delays or min(self.delays) < dt * (1 - 1e-9):
            raise ValueError(
                f"`delays` must each be at least dt={dt:g}, got {delays}: take a smaller dt"
            )
        super().__init__(
            field, dim, dt=dt, n_inputs=n_inputs, params=params, method=method,
            vectorized=vectorized, time=time, interpolation=interpolation,
        )  # fmt: skip
        self.seen = Seen(remedy=SMOOTH_THEM)
        self.components = self.dim
        self._grid()

    def _grid(self, least: int = 0) -> None:
        """Lay the grid, and find out which of its points a step looks at, with which weights.

        It has so many points at least.
        """
        tableau = TABLEAUS[self.method]()
        points = max(2, tableau.order)
        found = {
            c: [_stencil(delay / self.dt - c, points) for delay in self.delays]
            for c in tableau.nodes
        }
        seen = {0} | {i for many in found.values() for nodes, _ in many for i in nodes}
        at = sorted(seen)
        self.nodes = max(at[-1] + 1, least)
        self.dim = self.components * self.nodes
        n = self.components
        self._columns = (np.array(at)[:, None] * n + np.arange(n)).ravel()
        self._weights = {}
        for c, many in found.items():
            weights = np.zeros((len(many), len(at)))
            for d, (nodes, w) in enumerate(many):
                weights[d, [at.index(i) for i in nodes]] = w
            self._weights[c] = weights

    @property
    def _arguments_of(self) -> tuple[str, ...]:
        x, *rest = super()._arguments_of
        return (x, *(f"x_delayed_{i + 1}" for i in range(len(self.delays))), *rest)

    @property
    def _size(self) -> int:
        return self.components if hasattr(self, "components") else self.dim

    def _split(self, x: Any) -> list[Any]:
        """Return x and the delayed ones out of what the user's function is given."""
        n = self._size
        cuts = [slice(i * n, (i + 1) * n) for i in range(len(self.delays) + 1)]
        return [x[..., cut] if self.vectorized else x[cut] for cut in cuts]

    @property
    def visible(self) -> slice:
        """Components of the state that are x(t)."""
        return slice(0, self.components)

    def with_dt(self, dt: float) -> DelayFlow:
        """Return the same flow with another step; its states are other ones."""
        other = super().with_dt(dt)
        assert isinstance(other, DelayFlow)
        other._grid()
        return other

    def finer(self) -> tuple[DelayFlow, int]:
        """Return the flow with half the step, and a grid that reaches as far into the past."""
        other, m = super().finer()
        assert isinstance(other, DelayFlow)
        other._grid(m * (self.nodes - 1) + 1)
        return other, m

    def resampled(self, x: Array, other: DelayFlow) -> Array:
        """Return states ``(..., dim)`` as they are on the grid of the same flow in other steps.

        Between points of the grid by cubics, beyond its end constant.
        """
        weights = np.zeros((other.nodes, self.nodes))
        points = min(4, self.nodes)
        for row, back in zip(weights, np.arange(other.nodes) * other.dt / self.dt, strict=True):
            nodes, w = _stencil(min(back, self.nodes - 1.0), points, self.nodes)
            row[nodes] = w
        past = x.reshape(*x.shape[:-1], self.nodes, self.components)
        return np.matmul(weights, past).reshape(*x.shape[:-1], other.dim)

    def history(self, past: Any, t: float = 0.0) -> Array:
        """Return the state that a past means.

        Parameters
        ----------
        past : array (..., n) or callable
            Constant, or a function of time that returns (..., n); where n is 1, also a number.
        t : float, optional
            The present.

        Returns
        -------
        array (..., dim)
        """
        times = t - self.dt * np.arange(self.nodes)
        values = [past(now) for now in times] if callable(past) else [past] * self.nodes
        values = [np.atleast_1d(v) for v in values] if self.components == 1 else values
        x = validate.array("past", np.stack(values, axis=-2), least=2)
        validate.trailing("past", x, self.components, "the dimension of x")
        return x.reshape(*x.shape[:-2], self.dim)

    def _compact(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return x after a step, and its Jacobian, as functions of the points it looks at."""
        field = self._over_states(mode, lead)[0]
        drive, method, h, n = self.drive, self._method, self.dt, self.components

        def step(z: Any, u: Any, p: Tree) -> Any:
            past = anp.reshape(z, (*z.shape[:-1], -1, n))

            def f(y: Any, c: float) -> Any:
                late = anp.matmul(self._weights[c], past)
                late = anp.reshape(late, (*z.shape[:-1], n * len(self.delays)))
                if y.ndim > late.ndim:  # parameters have more axes than the states
                    late = late + np.zeros((*y.shape[:-1], 1))
                return field(anp.concatenate([y, late], axis=-1), drive.now(u, c), p)

            return method.step(f, None, z[..., :n], h)

        return step, jacobian_of(step, n, "field")

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        compact, derivative = self._compact(mode, lead)
        columns, n = self._columns, self.components
        shift = np.eye(self.dim, k=-n)
        spread = np.eye(self.dim)[columns]

        def step(x: Any, u: Any, p: Tree) -> Any:
            return anp.concatenate([compact(x[..., columns], u, p), x[..., :-n]], axis=-1)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            first = anp.matmul(derivative(x[..., columns], u, p), spread)
            rest = np.zeros((*np.shape(first)[:-2], self.dim - n, self.dim)) + shift[n:]
            return anp.concatenate([first, rest], axis=-2)

        return step, jacobian

    def _largest_change(
        self, velocity: Callable[[int, Array], Array], states: Array, halvings: int
    ) -> float:
        """Return how much the field changes along states ``(T + 1, dim)``: in x and the past."""
        n = self.components
        past = np.matmul(self._weights[0.0], states[:, self._columns].reshape(len(states), -1, n))
        given = np.concatenate([states[:, :n], past.reshape(len(states), -1)], axis=-1)
        return jump_between(velocity, given, halvings)

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, inputs and parameters span."""
        if not self.vectorized:
            return super().ensemble(x, u)
        z, row = x[..., self._columns], self.drive.row(None if u is None else u, 0.0)
        y = np.shape(self._compact("vectorized", ())[0](z, row, self.params))
        return np.broadcast_shapes(x.shape[:-1], () if u is None else u.shape[:-1], y[:-1])

    @property
    def fresh(self) -> int:
        """Number of components of the next state that are `written`; the others move on."""
        return self.components

    def written(self, x: Any, row: Any, p: Tree, dt: Any) -> Any:
        """Return the next x, of arrays of symbols; see `Map.written`."""
        field, drive = self._on_symbols(), replace(self.drive, dt=dt)
        past = x[self._columns].reshape(-1, self.components)

        def bound(y: Any, c: float) -> Any:
            late = [sum(past[i] * w[i] for i in np.flatnonzero(w)) for w in self._weights[c]]
            return field(np.concatenate([y, *late]), drive.now(row, c), p)

        y = self._method.step(bound, None, x[: self.components], dt)
        if jumps := jumps_of(x):
            raise Untraceable(f"the field may jump ({jumps}), which is looked for by NumPy alone")
        return y

    def written_by(self) -> Any:
        """Return what tells what is `written` from all else; see `Map.written_by`."""
        how = self.method, self.interpolation, self.delays, self.dt, self.components
        return self._written_by(DelayFlow, *how)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        lead, n, m = x.shape[:-1], self.components, self.nodes
        if self._loop is not None and self._loop.lead == lead:
            given = self._loop, x, inputs, n_steps, self.params, *self._compact(self._mode, lead)
            return CompiledDelayOrbit(self._columns, n, *given)
        points = self._columns[::n] // n
        run = self._compact(self.forward_mode(x, inputs), lead)[0]
        series = np.empty((m + n_steps, *lead, n))  # from the past to the future
        series[:m] = np.moveaxis(x.reshape(*lead, m, n), -2, 0)[::-1]
        with np.errstate(over="ignore", invalid="ignore"):
            for s in range(n_steps):
                z = np.moveaxis(series[m - 1 + s - points], 0, -2).reshape(*lead, -1)
                u = None if inputs is None else inputs[s]
                y = run(z, u, self.params)
                if np.shape(y) != series.shape[1:]:
                    raise ValueError(
                        f"`field` must return an array of the shape of x {series.shape[1:]}, got "
                        f"{np.shape(y)}; for an ensemble give `x0` its axes in front"
                    )
                series[m + s] = y
        windows = np.lib.stride_tricks.sliding_window_view(series, m, axis=0)[..., ::-1]
        states = np.ascontiguousarray(windows.swapaxes(-1, -2)).reshape(n_steps + 1, *x.shape)
        look_for_jumps(self, states, inputs)
        return self._through(states, states, inputs)

    def along(self, states: Array, inputs: Array | None) -> DelayOrbit:
        """Return tangent steps along states ``(T + 1, ..., dim)`` that another step has led to."""
        now = None if inputs is None else inputs[0]
        after = self._at(self._mode, states.shape[1:-1])[0](states[0], now, self.params)
        return self._through(states, np.stack([states[0], after]), inputs)

    def _through(self, states: Array, own: Array, inputs: Array | None) -> DelayOrbit:
        """Return the orbit of states; how all are given to the field at once, `own` tell."""
        lead, given = states.shape[1:-1], None if inputs is None else inputs[: len(own) - 1]
        mode = self.tangent_mode(own, given, lambda mode, lead: self._at(mode, lead)[0])
        compact = self._compact(mode, lead)
        return DelayOrbit(states, inputs, self.params, *compact, self._columns, self.components)


def _stencil(back: float, points: int, nodes: float = np.inf) -> tuple[list[int], Array]:
    """Return grid points, of so many, around a time so many steps back, and Lagrange's weights."""
    nearest = round(back)
    if abs(back - nearest) < 1e-9:
        return [nearest], np.ones(1)
    first = max(0, int(np.floor(back)) - (points // 2 - 1))
    at = int(min(first, nodes - points)) + np.arange(points)
    away = back - at
    weights = [
        np.prod(np.delete(away, i)) / np.prod(np.delete(at[i] - at, i).astype(float))
        for i in range(points)
    ]
    return at.tolist(), np.array(weights)
