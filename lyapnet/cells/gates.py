"""What gated cells share: parameters stacked over gates, and the frame of their orbits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive
from scipy.special import expit

from .. import validate
from ..autodiff import value
from ..linalg import Array
from ..orbit import Cotangent, Orbit
from .base import Cell, contract, parameter, through_drive, times, transposed
from .biases import draw_biases

#: Closer to saturation than this the derivatives of all gates are taken from their arguments:
#: in 1 - sigma and 1 - tanh**2 digits cancel.
_SATURATED = 1e-5

#: The logistic function: traceable, exact in relative terms, and it cannot overflow. (autograd
#: has its own, in a module that loads all of SciPy's statistics.)
sigmoid = primitive(expit)
defvjp(sigmoid, lambda ans, x: lambda g: g * ans * (1 - ans))

#: A step's matrices may have this many numbers, and so many times those of the tangent vectors.
_FEW, _DENSE = 2**14, 8


class GatedCell(Cell):
    """A cell whose weights are stacked over its gates.

    Attributes
    ----------
    units : int
        Number of units N.
    params : dict
        ``W (..., gates N, N)`` recurrent, ``V (..., gates N, m)`` input weights and
        ``b (..., gates N)`` biases.
    """

    _axes: ClassVar[dict[str, int]] = {"W": 2, "V": 2, "b": 1}
    #: The gates, in the order in which their rows are stacked.
    gates: ClassVar[str]
    #: Their names.
    gate_names: ClassVar[tuple[str, ...]]
    units: int

    @property
    def visible(self) -> slice:
        """Components of the state that a readout sees: h, not the cell state."""
        return slice(0, self.units)

    def _set(self, W: Any, V: Any, b: Any, **more: Any) -> None:
        """Check and keep the parameters; `more` are those of shape ``(..., N)``."""
        W = parameter("W", W, 2)
        n, G = np.shape(value(W))[-1], len(self.gates)
        V = np.zeros((G * n, 0)) if V is None else parameter("V", V, 2)
        b = np.zeros(G * n) if b is None else parameter("b", b, 1)
        more = {k: np.zeros(n) if x is None else parameter(k, x, 1) for k, x in more.items()}
        stacked = f"{G}N"
        shapes = {"W": (stacked, "N"), "V": (stacked, "m"), "b": (stacked,)}
        sizes = {"N": n, stacked: G * n}
        for name, x in {"W": W, "V": V, "b": b, **more}.items():
            names = shapes.get(name, ("N",))
            got = np.shape(value(x))
            fits = zip(names, got[-len(names) :], strict=True)
            if n == 0 or any(sizes.get(want, size) != size for want, size in fits):
                raise ValueError(
                    f"`{name}` must have shape (..., {', '.join(names)}) with gates "
                    f"{', '.join(self.gates)} stacked, here N = {n}; got {got}"
                )
        self.params = {"W": W, "V": V, "b": b, **more}
        self.units = n
        self.n_inputs = np.shape(value(V))[-1]
        self.networks  # noqa: B018 - refuses parameters whose ensembles do not match

    @classmethod
    def _draw(
        cls, n: int, gain: float, n_inputs: int, init: str, mean: float, bias: Any, t_max: Any,
        rng: Any,
    ) -> Self:  # fmt: skip
        """Draw a random cell; see the `random` of each."""
        n = validate.integer("n", n, low=1)
        n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        gain = validate.real("gain", gain, low=0.0)
        mean = validate.real("mean", mean)
        validate.option("init", init, ("gaussian", "orthogonal"))
        rng = validate.generator(rng)
        size = len(cls.gates) * n
        W = np.concatenate([random_weights(n, init, rng) for _ in cls.gates])
        V = rng.standard_normal((size, n_inputs))
        b = draw_biases(bias, t_max, n, cls.gate_names, rng)
        return cls(gain * W + mean, V, b)  # type: ignore[call-arg]  # of each of the two cells

    def gate_values(self, x: Any, u: Any = None) -> dict[str, Any]:
        """Return what each gate is at states ``(..., n)`` under inputs ``(..., m)``.

        Returns
        -------
        dict of str to array (..., N)
            By the names in `gate_names`; the candidate, "cell" of an LSTM and "new" of a GRU,
            lies in (-1, 1), the others in (0, 1).
        """
        values = self._values(x, u)[0]
        return dict(zip(self.gate_names, values, strict=False))

    def _values(self, x: Any, u: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the gates and what they multiply, and 1 - sigma or 1 - tanh**2 of the gates."""
        raise NotImplementedError

    def _drive(self, u: Any) -> Any:
        """Return V u + b; without an input, b."""
        b = self.params["b"]
        return b if u is None else apply(self.params["V"], u) + b

    def _split(self, a: Any) -> list[Any]:
        """Return the parts ``(..., N)`` of ``(..., gates N)``."""
        n = self.units
        return [a[..., j * n : (j + 1) * n] for j in range(a.shape[-1] // n)]

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.units

    def output(self, x: Any) -> Any:
        """Return h, ``(..., N)``."""
        return x[..., : self.units]

    def output_pushforward(self, x: Any, Q: Any) -> Any:
        """Return the rows of h, ``(..., N, k)``."""
        return Q[..., : self.units, :]

    def _blocks(self, name: str = "W") -> list[Any]:
        """Return the weights ``(..., N, N)`` of each gate, or those of the inputs."""
        W, n = self.params[name], self.units
        return [W[..., j * n : (j + 1) * n, :] for j in range(len(self.gates))]


def random_weights(n: int, init: str, rng: np.random.Generator) -> Array:
    """Draw recurrent weights ``(n, n)``: Gaussian of variance 1/n, or orthogonal and uniform."""
    W = rng.standard_normal((n, n))
    if init == "gaussian":
        return W / np.sqrt(n)
    Q, R = np.linalg.qr(W)
    signed: Array = Q * np.sign(np.diag(R))  # makes it uniform: Mezzadri, Notices AMS 2007
    return signed


def apply(W: Any, x: Any) -> Any:
    """Multiply states ``(..., n)`` by weights that one or all networks have; traceable."""
    if np.ndim(value(W)) == 2:
        return anp.dot(x, W.T)
    return anp.matmul(W, x[..., None])[..., 0]


def rowwise(x: Array, W: Array, out: Array) -> None:
    """Multiply states ``(..., n)`` by matrices ``(..., n, m)`` that one or all networks have."""
    if W.ndim == 2:
        times(x, W, out=out)
    else:
        np.matmul(x[..., None, :], W, out=out[..., None, :])


class GatedOrbit(Orbit):
    """The frame of a gated cell's orbit: what does not depend on its gates.

    A subclass has `_run`, `push`, `pull` and `tangent_adjoint`, coefficients A of the gates if it
    uses `stacked`, and

    ``_driven(received)``
        given the cotangents ``(T, ..., dim)`` of the states that steps end in: those of the
        gates' recurrent parts and of their drives V u + b, ``(T, ..., gates N)`` each, and of
        parameters beyond W, V and b;
    """

    #: Coefficients ``(T, ..., N)`` of the gates in the tangent step.
    A: list[Array]

    def __init__(self, cell: GatedCell, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.cell = cell
        self.n = cell.units
        self.W, self.V, self.b = (cell.params[name] for name in "WVb")
        self.transposed = transposed(self.W)
        self.inputs = None if inputs is None else inputs[:n_steps]
        self.states = np.empty((n_steps + 1, *x.shape))
        self.states[0] = x
        self._scratch: dict[str, Array] = {}
        self._size = x.size * self.n  # numbers in the matrices of one step
        values = np.empty((n_steps, *x.shape[:-1], len(cell.gates) * self.n))
        with np.errstate(over="ignore", invalid="ignore"):
            self._run(values, self._drive(n_steps))
        gates = values.reshape(*values.shape[:-1], -1, self.n)
        self.values = np.ascontiguousarray(np.moveaxis(gates, -2, 0))

    def _resolved(self, *slopes: Array) -> tuple[Any, ...]:
        """Return 1 - sigma and 1 - tanh**2, of the arguments where digits would cancel in these."""
        if not any(x.size and x.min() < _SATURATED for x in slopes):
            return slopes
        exact: tuple[Any, ...] = self.cell._values(self.states[:-1], self._u)[1]
        return exact

    @property
    def _u(self) -> Array | None:
        """The inputs as the cell's functions take them."""
        return self.inputs if self.cell.n_inputs else None

    def _run(self, values: Array, drive: Array) -> None:
        """Run all steps; put the gates into `values`, ``(T, ..., gates N)``."""
        raise NotImplementedError

    def _dense(self, rows: Array) -> bool:
        """Say whether to multiply tangent vectors by a step's matrices, not by all weights.

        These are fewer numbers than the weights, unless members share them; but a single vector
        is multiplied sooner than they are made.
        """
        if rows.shape[-2] > 1 and self._size <= self.W.size:
            return True
        return self._size <= _FEW + _DENSE * rows.size

    @cached_property
    def stacked(self) -> list[Array]:
        """Coefficients of all gates ``(..., 1, gates N)`` for each step."""
        return list(np.concatenate(self.A, axis=-1)[..., None, :])

    def _into(self, vectors: Iterable[Array], at: int | slice, out: Array) -> None:
        """Put the coefficients times a vector for each gate into `out`, ``(..., k, gates N)``."""
        n = self.n
        for j, (A, x) in enumerate(zip(self.A, vectors, strict=True)):
            np.multiply(x, A[at][..., None, :], out=out[..., j * n : (j + 1) * n])

    def _drive(self, n_steps: int) -> Array:
        """Return V u + b for all steps in one matrix product."""
        if self.inputs is None or not self.cell.n_inputs:
            return np.broadcast_to(self.b, (n_steps, *self.b.shape))
        return times(self.inputs[..., None, :], transposed(self.V))[..., 0, :] + self.b

    def _room(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return scratch of a shape, the same one at every call."""
        if name not in self._scratch or self._scratch[name].shape != shape:
            self._scratch[name] = np.empty(shape)
        return self._scratch[name]

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        return np.asarray(self.cell.jacobian(self.states[:-1], self._u))

    def _driven(self, received: Array) -> tuple[Array, Array, dict[str, Array]]:
        raise NotImplementedError

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time: a state's cotangent is pulled like a tangent vector's."""
        bars = np.array(states_bar)
        rows = list(bars[..., None, :])
        back = np.empty(rows[0].shape)
        for s in reversed(range(self.n_steps)):
            self.pull(s, rows[s + 1], back)
            rows[s] += back
        recurrent, drive, more = self._driven(bars[1:])
        inputs_bar, params = self._into_gates(recurrent, drive)
        return Cotangent(bars[0], inputs_bar, {**params, **more})

    def _into_gates(self, recurrent: Array, drive: Array) -> tuple[Array | None, dict[str, Array]]:
        """Return the cotangents of inputs and of W, V, b, given those of the gates."""
        h = self.states[:-1, ..., : self.n]
        inputs, params = through_drive(drive, self.inputs, self.V, self.b)
        params["W"] = contract(recurrent[..., None, :], h[..., None, :], self.W.shape)
        return inputs, params
