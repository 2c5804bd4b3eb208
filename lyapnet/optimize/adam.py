"""Adam."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

import numpy as np

from .. import validate
from ..numerics.arrays import Array, Params, all_finite
from ..results.storage import register

#: Entries of gradients that are larger count as this large: their squares would be infinite.
_LARGEST = 1e150


@register
class AdamState(NamedTuple):
    """All that `Adam` remembers: put it back with `Adam.with_state`."""

    #: Number of updates done.
    t: int
    #: Running mean of each parameter's gradient.
    m: Params
    #: Running mean of its square.
    v: Params


@register
class Adam:
    r"""Adam, with its state in the open.

    .. math::
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
        v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
        \theta \leftarrow \theta - \eta
        \left( \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}
        + \mathrm{decay}\,\theta \right)

    Functions of lyapnet that take an optimiser work on a copy and return that with their
    results, so that a run can be continued.

    Parameters
    ----------
    learning_rate : float, optional
        :math:`\eta`; 0 changes nothing but the running means, as where a warm-up begins.
    b1, b2 : float, optional
        Decay of the running means, in [0, 1).
    eps : float, optional
    weight_decay : float, optional
        Decoupled from the gradient (AdamW); it acts on all parameters.

    References
    ----------
    D. P. Kingma and J. Ba, arXiv:1412.6980; I. Loshchilov and F. Hutter, arXiv:1711.05101.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> adam = ln.Adam(0.1)
    >>> params = {"x": np.array([1.0, -2.0])}
    >>> for _ in range(100):
    ...     params = adam.update(params, {"x": 2 * params["x"]})
    >>> bool(abs(params["x"]).max() < 0.02)
    True
    >>> adam
    Adam(learning_rate=0.1, b1=0.9, b2=0.999, eps=1e-08, weight_decay=0.0, t=100)
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        b1: float = 0.9,
        b2: float = 0.999,
        *,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.learning_rate = validate.real("learning_rate", learning_rate, low=0.0)
        self.b1 = _decay("b1", b1)
        self.b2 = _decay("b2", b2)
        self.eps = validate.real("eps", eps, positive=True)
        self.weight_decay = validate.real("weight_decay", weight_decay, low=0.0)
        self._t = 0
        self._shapes: dict[str, tuple[int, ...]] = {}
        # One vector for all parameters: a handful of calls, however many there are.
        self._m = self._v = np.zeros(0)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make an optimiser like this one."""
        names = ("learning_rate", "b1", "b2", "eps", "weight_decay")
        return {name: getattr(self, name) for name in names}

    @property
    def t(self) -> int:
        """Number of updates done."""
        return self._t

    @property
    def state(self) -> AdamState:
        """A copy of all that the optimiser remembers."""
        return AdamState(
            self._t, split(self._m.copy(), self._shapes), split(self._v.copy(), self._shapes)
        )

    def with_state(self, state: AdamState) -> Self:
        """Return an optimiser with the same settings that goes on from a state."""
        other = type(self)(**self.settings)
        other._t = validate.integer("state.t", state.t, low=0)
        other._shapes = {name: np.shape(x) for name, x in state.m.items()}
        if {name: np.shape(x) for name, x in state.v.items()} != other._shapes:
            raise ValueError("`state.m` and `state.v` must have the same names and shapes")
        other._m, other._v = _flat(state.m, other._shapes), _flat(state.v, other._shapes)
        return other

    def copy(self) -> Self:
        """Return an independent optimiser in the same state."""
        return self.with_state(self.state)

    def _to_state(self) -> dict[str, Any]:
        return {**self.settings, "state": self.state}

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        new = cls(**{name: state[name] for name in cls().settings})
        if "state" in state:
            return new.with_state(state["state"])
        # The first format had its vectors, and the shapes as lists.
        shapes = {name: tuple(shape) for name, shape in state["_shapes"].items()}
        m, v = (split(state[name], shapes) for name in ("_m", "_v"))
        return new.with_state(AdamState(state["_t"], m, v))

    def __repr__(self) -> str:
        settings = {**self.settings, "t": self._t}
        return f"{type(self).__name__}({', '.join(f'{name}={x}' for name, x in settings.items())})"

    def update(self, params: Params, grads: Params) -> Params:
        """Return new parameters after one step against the gradient.

        Parameters
        ----------
        params, grads : dict of str to array
            Of the same names and shapes, the same in each call.

        Returns
        -------
        dict of str to array
            Views of one new vector.

        Raises
        ------
        ValueError
            If a gradient is not finite; nothing is changed then.
        """
        if not self._shapes:
            self._shapes = {name: np.shape(x) for name, x in params.items()}
            self._m, self._v = (np.zeros(sum(np.size(x) for x in params.values())) for _ in "mv")
        theta, g = (_flat(x, self._shapes) for x in (params, grads))
        if not all_finite(g):
            bad = [name for name, x in grads.items() if not np.isfinite(x).all()]
            raise ValueError(f"`grads` must be finite, but those of {', '.join(bad)} are not")
        self._t += 1
        np.clip(g, -_LARGEST, _LARGEST, out=g)
        self._take_note(g)
        g2 = np.square(self._turned(g))
        self._m *= self.b1
        self._m += np.multiply(g, 1 - self.b1, out=g)
        self._v *= self.b2
        self._v += np.multiply(g2, 1 - self.b2, out=g2)
        root = np.sqrt(self._v, out=g2)
        correction = np.sqrt(1 - self.b2**self._t)
        root += self.eps * correction
        step = np.divide(self._turned(self._m), root, out=g)
        step *= self.learning_rate * correction / (1 - self.b1**self._t)
        self._turn_back(step)
        if self.weight_decay:
            theta *= 1 - self.learning_rate * self.weight_decay
        theta -= step
        return split(theta, self._shapes)

    def _take_note(self, g: Array) -> None:
        """Learn from a gradient, before it is used, which directions there are."""

    def _turned(self, x: Array) -> Array:
        """Return a gradient, or a mean of gradients, along the directions whose squares count."""
        return x

    def _turn_back(self, step: Array) -> None:
        """Turn a step from these directions to those of the parameters, in place."""


def as_adam(optimizer: Any) -> Adam:
    """Return a copy of an optimiser, or a new one with the default settings."""
    if optimizer is None:
        return Adam()
    if not isinstance(optimizer, Adam):
        raise TypeError(f"`optimizer` must be a lyapnet.Adam or SOAP, got {optimizer!r}")
    return optimizer.copy()


def _decay(name: str, value: Any) -> float:
    value = validate.real(name, value, low=0.0)
    if value >= 1:
        raise ValueError(f"`{name}` must lie in [0, 1), got {value}")
    return value


def _flat(tree: Params, shapes: dict[str, tuple[int, ...]]) -> Array:
    """Copy arrays of known names and shapes into one new vector."""
    if {name: np.shape(x) for name, x in tree.items()} != shapes:
        raise ValueError(
            f"an optimiser belongs to one set of parameters, here {shapes}; "
            f"got { ({name: np.shape(x) for name, x in tree.items()}) }: use a new Adam"
        )
    if not shapes:
        return np.zeros(0)
    return np.concatenate([tree[name] for name in shapes], axis=None, dtype=float)


def split(vector: Array, shapes: dict[str, tuple[int, ...]]) -> Params:
    """Cut a vector into views of the given names and shapes."""
    out, at = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        out[name] = vector[at : at + size].reshape(shape)
        at += size
    return out


def adam_state(optimizer: Adam) -> dict[str, Any]:
    """Return an optimiser's state as a checkpoint holds it."""
    return optimizer.state._asdict()


def restored(optimizer: Adam, state: dict[str, Any]) -> Adam:
    """Return an optimiser that goes on from what `adam_state` gave."""
    return optimizer.with_state(type(optimizer.state)(**state))
