"""Adam along the principal directions of the gradients in recurrent weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from .. import validate
from ..numerics.arrays import Array, Params
from ..results.storage import register
from .adam import Adam, AdamState, split

#: Steps along the principal directions, in units of the learning rate of other parameters.
SIZE = 0.2

#: Updates between two decompositions. The first ones have one each.
EVERY = 10

#: Along directions in which a gradient has no part, what rounding leaves of it, times n.
_ROUNDING = float(np.finfo(float).eps)


@register
class SOAPState(NamedTuple):
    """All that `SOAP` remembers: put it back with `SOAP.with_state`."""

    #: Number of updates done.
    t: int
    #: Running mean of each parameter's gradient.
    m: Params
    #: Running mean of its square, of recurrent weights along their principal directions.
    v: Params
    #: Running means of :math:`G G^T` and :math:`G^T G`, arrays ``(2, gates, n, n)``.
    covariances: Params
    #: Their eigenvectors, in columns, as of the last decomposition.
    directions: Params


@register
class SOAP(Adam):
    r"""Adam along the principal directions of recurrent weights' gradients.

    A step of `Adam` moves each weight by up to the learning rate :math:`\eta`. Where the entries
    of a step agree in sign, as those of its first steps do, its largest singular value is
    :math:`\eta N`, and each step of a sequence may gain or lose as much. Here the gradient G in
    recurrent weights W is seen along the eigenvectors :math:`Q_L` of the running mean of
    :math:`G G^\top` and :math:`Q_R` of that of :math:`G^\top G`, where few entries stand for many
    that agree:

    .. math::
        W \leftarrow W - 0.2 \, \eta \, Q_L \,
        \frac{m'}{\sqrt{v'} + \epsilon} \, Q_R^\top, \qquad m' = Q_L^\top m \, Q_R

    with v' the running mean of the squares of :math:`Q_L^\top G \, Q_R`, both means without bias
    as in `Adam`, and no entry of the quotient larger than 1. Entries that are rounding, of fewer
    than n epsilon times the largest, count as zero. Other parameters are moved as by
    `Adam`, at five times the rate.

    Parameters
    ----------
    learning_rate, b1, b2, eps, weight_decay
        As for `Adam`; b2 is that of the two matrices, too.
    matrices : sequence of str, optional
        Names of the parameters that are moved along principal directions. If left out, all
        matrices named W: those of lyapnet's cells and of the layers of a `Stack`.

    Notes
    -----
    Weights of several gates, ``(4 * n, n)`` in an LSTM, have directions gate by gate. They are
    found anew every tenth update, and in each of the first ten, which adds a tenth to a training
    epoch of the paper's network (80 units, batch 16, 300 steps).

    References
    ----------
    N. Vyas et al., "SOAP: Improving and stabilizing Shampoo using Adam", arXiv:2409.11321.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> W, gradient = np.zeros((100, 100)), np.ones((100, 100))
    >>> for optimizer in ln.Adam(0.01), ln.SOAP(0.01):
    ...     step = optimizer.update({"W": W}, {"W": gradient})["W"]
    ...     print(f"{np.linalg.norm(step, 2):.3f}")
    1.000
    0.002
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        b1: float = 0.9,
        b2: float = 0.95,
        *,
        eps: float = 1e-12,
        weight_decay: float = 0.0,
        matrices: Iterable[str] | None = None,
    ) -> None:
        super().__init__(learning_rate, b1, b2, eps=eps, weight_decay=weight_decay)
        self.matrices = None if matrices is None else validate.names("matrices", matrices)
        self._covariances: Params = {}
        self._directions: Params = {}

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make an optimiser like this one."""
        return {**super().settings, "matrices": self.matrices}

    @property
    def state(self) -> SOAPState:  # type: ignore[override]
        """A copy of all that the optimiser remembers."""
        return SOAPState(*super().state, _copied(self._covariances), _copied(self._directions))

    def with_state(self, state: SOAPState) -> Self:  # type: ignore[override]
        """Return an optimiser with the same settings that goes on from a state."""
        other = super().with_state(AdamState(state.t, state.m, state.v))
        other._covariances = _copied(state.covariances)
        other._directions = _copied(state.directions)
        return other

    def update(self, params: Params, grads: Params) -> Params:
        """Return new parameters after one step against the gradient, see `Adam.update`.

        Raises
        ------
        ValueError
            If there is no matrix that has principal directions; nothing is changed then.
        """
        self._chosen(params)
        return super().update(params, grads)

    def _take_note(self, g: Array) -> None:
        grads = split(g, self._shapes)
        for name in self._chosen(grads):
            G = blocks(grads[name])
            mean = self._covariances.setdefault(name, np.zeros((2, *G.shape)))
            mean *= self.b2
            mean += (1 - self.b2) * np.stack([G @ G.mT, G.mT @ G])
            if self._t <= EVERY or self._t % EVERY == 0:
                self._directions[name] = np.linalg.eigh(mean)[1]

    def _turned(self, x: Array) -> Array:
        x = x.copy()
        parts = split(x, self._shapes)
        for name, (left, right) in self._directions.items():
            G = blocks(parts[name])
            G[:] = left.mT @ G @ right
            size = np.abs(G)
            G[size <= _ROUNDING * G.shape[-1] * size.max(axis=(1, 2), keepdims=True)] = 0.0
        return x

    def _turn_back(self, step: Array) -> None:
        parts, largest = split(step, self._shapes), self.learning_rate
        for name, (left, right) in self._directions.items():
            G = blocks(parts[name])
            G[:] = SIZE * (left @ G.clip(-largest, largest) @ right.mT)

    def _chosen(self, params: Params) -> list[str]:
        """Return the names of the matrices that have principal directions."""
        names = recurrent_names(params) if self.matrices is None else self.matrices
        for name in names:
            rows, n = np.shape(params[name]) if np.ndim(params.get(name, 0)) == 2 else (0, 0)
            if n == 0 or rows % n:
                raise ValueError(
                    "`matrices` must name square matrices, or such of gates, among "
                    f"{list(params)}, not {name!r}"
                )
        if not names:
            raise ValueError(
                f"SOAP found no matrix named W among {list(params)}: name those that it is for "
                "by `matrices`, or use Adam"
            )
        return list(names)


def recurrent_names(params: Mapping[str, Any]) -> list[str]:
    """Return the names of the recurrent weights, those of a stack's layers among them."""
    own = [name for name in params if not name.startswith("readout.")]
    return [name for name in own if name.split(".")[-1] == "W" and params[name].ndim == 2]


def blocks(W: Array) -> Array:
    """Return the square matrices that recurrent weights are made of."""
    return W.reshape(-1, W.shape[1], W.shape[1])


def _copied(arrays: Mapping[str, Any]) -> Params:
    return {name: np.array(x, dtype=float) for name, x in arrays.items()}
