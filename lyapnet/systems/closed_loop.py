"""A cell that is fed its own output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp

from .. import validate
from ..numerics.arrays import Array, PathLike
from ..numerics.autodiff import Tree, is_traced, leaves, rebuild, value
from ..results import storage
from . import System, as_system
from .foreign import ForeignSystem
from .jacobian_orbit import JacobianOrbit
from .orbit import Orbit


@storage.register
class ClosedLoop(System):
    r"""A driven system whose own output is its input: an autonomous system.

    .. math:: h_{s+1} = f(h_s, u_{s+1}), \qquad u_{s+1} = C h_s + c

    Its Jacobian has a second way from state to state, around the loop,

    .. math:: D_s = \frac{\partial f}{\partial h} + \frac{\partial f}{\partial u}\, C ,

    so that its exponents are not the conditional ones that the same cell has under the
    same sequence as a given input.

    Parameters
    ----------
    cell : System
        A cell, or a `Map` or `Flow` with inputs, written so that autograd can trace it. Under a
        `Flow` the output is held constant over each step. If it depends on time, so does the loop.
    readout : array (..., m, n)
        C: from the state to the m inputs of the cell. Of an LSTM the last axis may have the
        length of h alone, of a `Stack` that of the highest layer's. What a vanilla network gives to
        its readout are pre-activations; a readout of the rates :math:`\phi(h)` makes a
        `VanillaRNN` with weights :math:`W + V C`.
    bias : array (..., m), optional
        c; default zero.

    Attributes
    ----------
    cell : System
    params : dict
        "cell", "readout" and "bias"; exponents are differentiable in all of them.

    References
    ----------
    H. Jaeger and H. Haas, Science 304, 78 (2004); J. Pathak et al., Chaos 27, 121102 (2017), for
    the exponents of a trained closed loop as those of the system that it has learned.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN(np.array([[0.5]]), [[1.0]], activation="linear")
    >>> loop = ln.ClosedLoop(cell, [[0.3]])  # h' = 0.5 h + 0.3 h
    >>> s = ln.lyapunov_spectrum(loop, 100, rng=0)
    >>> float(np.exp(s.exponents[0]).round(6))
    0.8
    """

    def __init__(self, cell: Any, readout: Any, bias: Any = None) -> None:
        self.cell = as_system(cell, "cell")
        if isinstance(self.cell, ForeignSystem):
            framework = self.cell.framework
            raise TypeError(
                f"`cell` is a system of {framework}, which autograd cannot trace: write the whole "
                f"loop in {framework}"
            )
        n, m = self.cell.dim, self.cell.n_inputs
        if not m:
            raise ValueError("`cell` has n_inputs=0: nothing can be fed back into it")
        C = readout if is_traced(readout) else validate.array("readout", readout, least=2)
        shape = np.shape(value(C))
        first, end, _ = self.cell.visible.indices(n)
        if shape[-2] != m or shape[-1] not in (n, end - first):
            raise ValueError(f"`readout` must have shape (..., {m}, {end - first}), got {shape}")
        if shape[-1] < n:
            before, after = (np.zeros((*shape[:-1], hidden)) for hidden in (first, n - end))
            C = anp.concatenate([before, C, after], axis=-1)
        c = np.zeros(m) if bias is None else bias
        c = c if is_traced(c) else validate.array("bias", c, least=1)
        validate.trailing("bias", value(c), m, "the cell's n_inputs")
        self.dim, self.dt = n, self.cell.dt
        if self.cell.time:  # else not there: the checkpoint of an older version goes on
            self.time = True
        self.params = {"cell": self.cell.params, "readout": C, "bias": c}

    def __repr__(self) -> str:
        return f"ClosedLoop({self.cell!r})"

    def _to_state(self) -> dict[str, Any] | None:
        return None if self.cell._to_state() is None else {"cell": self.cell, **self._readout}

    def save(self, path: PathLike) -> Path:
        """Save to a file that `lyapnet.load` reads, if the cell can be saved.

        Parameters
        ----------
        path : path
            By convention with the ending ``.npz``.

        Raises
        ------
        ValueError
            If the cell is a map or flow, whose functions no file can hold.
        """
        if self._to_state() is None:
            raise ValueError(
                f"no file can hold the functions of {self.cell!r}: save `params`, and give them to "
                "`with_params` of a loop that is made anew"
            )
        return storage.save(self, path)

    @property
    def _readout(self) -> dict[str, Any]:
        return {"readout": self.params["readout"], "bias": self.params["bias"]}

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> ClosedLoop:
        return cls(**state)

    def with_params(self, params: Tree) -> ClosedLoop:
        """Return the same loop with other parameters.

        Parameters
        ----------
        params : dict
            With "cell", "readout" and "bias", traced by autograd or not.
        """
        same = rebuild(self.params, leaves(params))
        cell = self.cell if same["cell"] is None else self.cell.with_params(same["cell"])
        return ClosedLoop(cell, same["readout"], same["bias"])

    def of_member(self, lead: tuple[int, ...], at: Any) -> ClosedLoop:
        """Return the loop of one member of an ensemble, with its own readout if it has one."""
        C, c = self.params["readout"], self.params["bias"]
        own = C[at] if np.ndim(C) > 2 else C, c[at] if np.ndim(c) > 1 else c
        return ClosedLoop(self.cell.of_member(lead, at), *own)

    def output(self, x: Array) -> Array:
        """Return what is fed back from states ``(..., n)``: the inputs ``(..., m)``."""
        C, c = self.params["readout"], self.params["bias"]
        if np.ndim(value(C)) == 2:
            return anp.dot(x, C.T) + c
        return anp.matmul(C, x[..., None])[..., 0] + c

    def step(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the next state ``(..., n)``; t is the time of a cell that depends on it."""
        return self.cell.step(x, self.output(x), *self._at(t))

    def jacobian(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the Jacobian of the step around the loop, ``(..., n, n)``."""
        return self._around(x, t, self.cell.jacobian, self.params["readout"])

    def pushforward(self, x: Array, Q: Array, u: Array | None = None, t: Any = 0.0) -> Array:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        fed_back = anp.matmul(self.params["readout"], Q)
        return self._around(x, t, lambda x, u, *now: self.cell.pushforward(x, Q, u, *now), fed_back)

    def _at(self, t: Any) -> tuple[Any, ...]:
        """Return what a cell is given behind its input."""
        return (t,) if self.time else ()

    def _around(self, x: Any, t: Any, within: Any, fed_back: Any) -> Any:
        """Add the way through the readout to the way within the cell."""
        plain = value(x)
        lead = self.ensemble(plain, None)
        if plain.shape[:-1] != lead:  # each network needs an input of its own
            x = x + np.zeros((*lead, self.dim))
        u = self.output(x)
        through = anp.matmul(self._input_jacobian(x, u, t), fed_back)
        return within(x, u, *self._at(t)) + through

    def _input_jacobian(self, x: Any, u: Any, t: Any) -> Any:
        r"""Return :math:`\partial f / \partial u`, ``(..., n, m)``, by autograd.

        Reverse mode twice: :math:`w \mapsto (\partial f / \partial u)^T w` is linear in w, and its
        own reverse sweep is the forward derivative, one for each of the few inputs.
        """
        back, y = make_vjp(lambda u: self.cell.step(x, u, *self._at(t)))(u)
        forward = make_vjp(back)(np.zeros(np.shape(value(y))))[0]
        unit = np.eye(self.cell.n_inputs)
        shape = np.shape(value(u))
        columns = [forward(np.broadcast_to(e, shape)) for e in unit]
        return anp.stack(columns, axis=-1)

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of the cell's runs so far."""
        return self.cell.reservation

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states that are not finite."""
        return f"use a smaller `readout`; or, within the loop, {self.cell.if_it_diverges}"

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return the state that the cell itself starts from."""
        return self.cell.default_state(rng)

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, readouts and networks span."""
        C, c = (np.shape(value(self.params[name])) for name in ("readout", "bias"))
        lead = np.broadcast_shapes(x.shape[:-1], C[:-2], c[:-1])
        return np.broadcast_shapes(lead, self.cell.ensemble(x, None))

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""

        def step(x: Any, now: Any, p: Tree) -> Any:
            return self.with_params(p).step(x, t=time_of(now))

        def jacobian(x: Any, now: Any, p: Tree) -> Any:
            return self.with_params(p).jacobian(x, t=time_of(now))

        def time_of(now: Any) -> Any:
            return now[..., 0] if self.time else 0.0

        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        with np.errstate(over="ignore", invalid="ignore"):
            for s in range(n_steps):
                now = inputs[s] if self.time else None  # type: ignore[index]  # there are inputs wherever there is time
                states[s + 1] = self.step(states[s], t=time_of(now))
        return JacobianOrbit(states, inputs, self.params, step, jacobian)
