"""Driven and autonomous networks: output fed back as input, and the echo-state verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from scipy.special import stdtr

from . import validate
from .autodiff import Tree, is_traced, leaves, rebuild, value
from .exponents import Spectrum
from .linalg import Array
from .orbit import JacobianOrbit, Orbit
from .results import Result
from .storage import register
from .systems import System, as_system


@register
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
        `Flow` the output is held constant over each step.
    readout : array (..., m, n)
        C: from the state to the m inputs of the cell. For an LSTM the last axis may have the
        length of h alone. What a vanilla network gives to its readout are pre-activations; a
        readout of the rates :math:`\phi(h)` makes a `VanillaRNN` with weights :math:`W + V C`.
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
        self.cell = as_system(cell)
        n, m = self.cell.dim, self.cell.n_inputs
        if not m:
            raise ValueError("`cell` has n_inputs=0: nothing can be fed back into it")
        C = readout if is_traced(readout) else validate.array("readout", readout, least=2)
        shape = np.shape(value(C))
        units = getattr(self.cell, "units", n)
        if shape[-2] != m or shape[-1] not in (n, units):
            raise ValueError(f"`readout` must have shape (..., {m}, {units}), got {shape}")
        if shape[-1] < n:
            C = anp.concatenate([C, np.zeros((*shape[:-1], n - shape[-1]))], axis=-1)
        c = np.zeros(m) if bias is None else bias
        c = c if is_traced(c) else validate.array("bias", c, least=1)
        validate.trailing("bias", value(c), m, "the cell's n_inputs")
        self.dim, self.dt = n, self.cell.dt
        self.params = {"cell": self.cell.params, "readout": C, "bias": c}

    def __repr__(self) -> str:
        return f"ClosedLoop({self.cell!r})"

    def _to_state(self) -> dict[str, Any] | None:
        return None if self.cell._to_state() is None else {"cell": self.cell, **self._readout}

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

    def output(self, x: Any) -> Any:
        """Return what is fed back from states ``(..., n)``: the inputs ``(..., m)``."""
        C, c = self.params["readout"], self.params["bias"]
        if np.ndim(value(C)) == 2:
            return anp.dot(x, C.T) + c
        return anp.matmul(C, x[..., None])[..., 0] + c

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``."""
        return self.cell.step(x, self.output(x))

    def jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of the step around the loop, ``(..., n, n)``."""
        return self._around(x, self.cell.jacobian, self.params["readout"])

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        fed_back = anp.matmul(self.params["readout"], Q)
        return self._around(x, lambda x, u: self.cell.pushforward(x, Q, u), fed_back)

    def _around(self, x: Any, within: Any, fed_back: Any) -> Any:
        """Add the way through the readout to the way within the cell."""
        plain = value(x)
        lead = self.ensemble(plain, None)
        if plain.shape[:-1] != lead:  # each network needs an input of its own
            x = x + np.zeros((*lead, self.dim))
        u = self.output(x)
        return within(x, u) + anp.matmul(self._input_jacobian(x, u), fed_back)

    def _input_jacobian(self, x: Any, u: Any) -> Any:
        r"""Return :math:`\partial f / \partial u`, ``(..., n, m)``, by autograd.

        Reverse mode twice: :math:`w \mapsto (\partial f / \partial u)^T w` is linear in w, and its
        own reverse sweep is the forward derivative, one for each of the few inputs.
        """
        back, y = make_vjp(lambda u: self.cell.step(x, u))(u)
        forward = make_vjp(back)(np.zeros(np.shape(value(y))))[0]
        unit = np.eye(self.cell.n_inputs)
        shape = np.shape(value(u))
        columns = [forward(np.broadcast_to(e, shape)) for e in unit]
        return anp.stack(columns, axis=-1)

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

        def step(x: Any, u: Any, p: Tree) -> Any:
            return self.with_params(p).step(x)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            return self.with_params(p).jacobian(x)

        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        with np.errstate(over="ignore", invalid="ignore"):
            for s in range(n_steps):
                states[s + 1] = self.step(states[s])
        return JacobianOrbit(states, None, self.params, step, jacobian)


@register
@dataclass(frozen=True, repr=False, eq=False)
class EchoState(Result):
    """Whether a driven system forgets where it started, and how sure that is.

    Attributes
    ----------
    exponent, low, high : array (...)
        Largest conditional exponent with its interval, nats per unit time.
    probability : array (...)
        That the exponent is negative: from Student's t about the estimate.
    verdict : str
        "holds", "fails" or "undecided"; of an ensemble "holds" if it holds for every member,
        "fails" if it fails for any.
    explanation : str
        One sentence.
    level : float
        Of the interval.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        name: () for name in ("exponent", "low", "high", "probability")
    }

    exponent: Array
    low: Array
    high: Array
    probability: Array
    verdict: str
    explanation: str
    level: float

    def _summary(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "explanation": self.explanation}

    def plot(self, ax: Any = None) -> Any:
        """Draw the interval of each member beside zero; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        from . import plotting

        ax = plotting.new_axes(ax, figsize=(5, 2.4))
        lam, low, high = (np.ravel(x) for x in (self.exponent, self.low, self.high))
        member = np.arange(1, len(lam) + 1)
        ax.vlines(member, low, high, color=plotting.BLUE, lw=2)
        ax.plot(member, lam, "o", color=plotting.BLUE)
        ax.axhline(0, color="0.6", lw=0.8, zorder=0)
        ax.set_xlim(0.5, len(lam) + 0.5)
        ax.set_xticks(member if len(lam) <= 10 else [1, len(lam)])
        ax.set_xlabel("member")
        ax.set_ylabel("largest conditional exponent")
        ax.set_title(self.verdict)
        return ax


def echo_state(spectrum: Spectrum, *, level: float = 0.95) -> EchoState:
    r"""Say whether the echo-state property holds along a driven run, with its confidence.

    Two copies of the system under the same input that are close to each other approach, as
    :math:`|\delta h_s| \sim e^{\lambda_1 s}`, if the largest conditional exponent is negative: the
    state then is an echo of the input alone, as far as small perturbations tell. In this sense
    the property holds if the whole interval of :math:`\lambda_1` lies below zero, fails if it lies
    above, and is undecided otherwise.

    Parameters
    ----------
    spectrum : Spectrum
        Of a run with `inputs`. One exponent is enough, ``k=1``.
    level : float, optional
        Level of the two-sided interval.

    Returns
    -------
    EchoState

    Notes
    -----
    This is about small perturbations under this input. Several attracting responses may exist
    beside each other, each with negative exponents: start an ensemble of states under one
    input, and see whether they end up in one.

    References
    ----------
    H. Jaeger, GMD Report 148 (2001); G. Manjunath and H. Jaeger, Neural Comput. 25, 671 (2013),
    for its dependence on the input.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(50, gain=1.5, rng=0)
    >>> inputs = np.random.default_rng(1).standard_normal((3000, 1))
    >>> weak = ln.lyapunov_spectrum(cell, inputs=0.01 * inputs, k=1, rng=0)
    >>> ln.echo_state(weak).verdict
    'fails'
    >>> strong = ln.lyapunov_spectrum(cell, inputs=inputs, k=1, rng=0)
    >>> ln.echo_state(strong).verdict
    'holds'
    """
    if not isinstance(spectrum, Spectrum):
        raise TypeError(f"`spectrum` must be a Spectrum, got a {type(spectrum).__name__}")
    if not spectrum.settings["driven"] and spectrum.system is not None:
        raise ValueError(
            "`spectrum` is of a run without inputs, and an echo needs a source: give `inputs` to "
            "lyapunov_spectrum (zeros, if that is meant)"
        )
    if not 0 < validate.real("level", level) < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}: 0.95 is usual")
    lam, stderr, dof = (x[..., 0] for x in (spectrum.exponents, spectrum.stderr, spectrum.dof))
    low, high = (x[..., 0] for x in spectrum.confidence_interval(level))
    gone = np.isneginf(lam)
    t = np.divide(-lam, stderr, out=np.zeros_like(lam), where=~gone & (stderr > 0))
    probability = np.where(gone, 1.0, stdtr(np.where(gone, 1.0, dof), t))
    if np.all(high < 0):
        verdict = "holds"
    else:
        verdict = "fails" if np.any(low > 0) else "undecided"
    at = np.unravel_index(int(np.argmax(np.nan_to_num(lam, neginf=-1e300))), lam.shape)
    side = {"holds": "below zero", "fails": "above zero", "undecided": "on both sides of zero"}
    explanation = (
        f"the largest conditional exponent{', of all members,' if lam.ndim else ''} is "
        f"{lam[at]:.3g}, its {100 * level:g} % interval [{low[at]:.3g}, {high[at]:.3g}] lies "
        f"{side[verdict]}; it is negative with probability {probability[at]:.3g}"
    )
    if verdict == "undecided":
        explanation += "; run longer"
    if verdict == "holds":
        explanation += "; that is about small perturbations: start several states, too"
    return EchoState(lam, low, high, probability, verdict, explanation, float(level))
