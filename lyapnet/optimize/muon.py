"""Adam with orthogonal steps of recurrent weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array, Params
from ..results.storage import register
from .adam import Adam, split

#: Root mean square of the entries of a step, in units of the learning rate: about that of Adam's.
SIZE = 0.2


@register
class Muon(Adam):
    r"""Adam with orthogonal steps of recurrent weights, which leave long-term gradients alive.

    A step of `Adam` moves each weight by up to the learning rate :math:`\eta`. Where the entries
    of a step agree in sign, as those of its first steps do, its largest singular value is
    :math:`\eta N`, and each step of a sequence may gain or lose as much. Here the running mean m
    of the gradient in recurrent weights W gives directions alone, and W goes equally far in all
    of them:

    .. math:: W \leftarrow W - 0.2 \, \sqrt{N} \, \eta \, U V^\top, \qquad m = U S V^\top

    The entries are about as large as those of Adam's later steps, so that the same learning rates
    will do. Other parameters are moved as by `Adam`.

    Parameters
    ----------
    learning_rate, b1, b2, eps, weight_decay
        As for `Adam`.
    matrices : sequence of str, optional
        Names of the parameters that take orthogonal steps. If left out, all matrices named W:
        those of lyapnet's cells and of the layers of a `Stack`.

    Notes
    -----
    Weights of several gates, ``(4 * n, n)`` in an LSTM, take orthogonal steps gate by gate. The
    singular value decomposition adds a tenth to a training epoch of the paper's network (80
    units, batch 16, 300 steps).

    References
    ----------
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024, where
    :math:`U V^\top` is approximated; J. Liu et al., arXiv:2502.16982, for the size of the steps.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> W, gradient = np.zeros((100, 100)), np.ones((100, 100))
    >>> for optimizer in ln.Adam(0.01), ln.Muon(0.01):
    ...     step = optimizer.update({"W": W}, {"W": gradient})["W"]
    ...     print(f"{np.linalg.norm(step, 2):.2f}")
    1.00
    0.02
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        b1: float = 0.9,
        b2: float = 0.999,
        *,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        matrices: Iterable[str] | None = None,
    ) -> None:
        super().__init__(learning_rate, b1, b2, eps=eps, weight_decay=weight_decay)
        self.matrices = None if matrices is None else validate.names("matrices", matrices)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make an optimiser like this one."""
        return {**super().settings, "matrices": self.matrices}

    def update(self, params: Params, grads: Params) -> Params:
        """Return new parameters after one step against the gradient, see `Adam.update`.

        Raises
        ------
        ValueError
            If there is no matrix that may take an orthogonal step; nothing is changed then.
        """
        self._chosen(params)
        return super().update(params, grads)

    def _turn(self, step: Array) -> None:
        mean, parts = split(self._m, self._shapes), split(step, self._shapes)
        for name in self._chosen(mean):
            each = orthogonal(blocks(mean[name]))
            size = SIZE * math.sqrt(max(each.shape[1:])) * self.learning_rate
            np.multiply(each.reshape(mean[name].shape), size, out=parts[name])

    def _chosen(self, params: Params) -> list[str]:
        """Return the names of the matrices that take orthogonal steps."""
        names = recurrent_names(params) if self.matrices is None else self.matrices
        for name in names:
            if name not in params or np.ndim(params[name]) != 2:
                raise ValueError(
                    f"`matrices` must name matrices among {list(params)}, not {name!r}"
                )
        if not names:
            raise ValueError(
                f"Muon found no matrix named W among {list(params)}: name those that take "
                "orthogonal steps by `matrices`, or use Adam"
            )
        return list(names)


def recurrent_names(params: Mapping[str, Any]) -> list[str]:
    """Return the names of the recurrent weights, those of a stack's layers among them."""
    own = [name for name in params if not name.startswith("readout.")]
    return [name for name in own if name.split(".")[-1] == "W" and params[name].ndim == 2]


def blocks(W: Array) -> Array:
    """Return the square matrices that recurrent weights are made of, or the one that is not."""
    rows, n = W.shape
    return W.reshape(-1, n, n) if rows % n == 0 else W[None]


def orthogonal(m: Array) -> Array:
    """Return matrices with the singular vectors of others, and all singular values 1.

    Directions that the others have not, within rounding, are left out.
    """
    u, s, vt = np.linalg.svd(m, full_matrices=False)
    least = max(m.shape[1:]) * np.finfo(float).eps * s.max(axis=-1, keepdims=True)
    product: Array = (u * (s > least)[:, None]) @ vt
    return product
