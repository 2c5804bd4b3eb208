"""The flossing loss as a function of PyTorch."""

from __future__ import annotations

from typing import Any

import torch

from .. import validate
from ..flossing.loss import per_exponent
from ..numerics.arrays import Array
from .device import tensor_of
from .exponents import finite_time_exponents


def flossing_loss(
    module: Any,
    inputs: Any,
    h0: Any = None,
    *,
    k: int,
    target: Any = 0.0,
    weights: Any = None,
    reduction: str = "sum",
    n_steps: int | None = None,
    transient: int = 0,
    basis_transient: int = 0,
    qr_interval: Any = "auto",
    rng: Any = None,
) -> Any:
    r"""Return the flossing loss of a module, with a gradient in its parameters, h0 and inputs.

    .. math:: L = \sum_{i \le k} w_i (\lambda_i - \lambda_i^\mathrm{target})^2

    To be added to the loss of a task, or minimised by itself. The exponents are those of
    `finite_time_exponents` with the same arguments; of a batch the loss is the mean.

    Parameters
    ----------
    module, inputs, h0, k, n_steps, transient, basis_transient, qr_interval, rng
        As for `finite_time_exponents`.
    target : float or array (k,), optional
    weights : float or array (k,), optional
        :math:`w_i`, one each if left out.
    reduction : {"sum", "mean"}, optional
        Over the k exponents.

    Returns
    -------
    tensor
        A scalar, in the precision and on the device of the module.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eq. 4.

    Examples
    --------
    >>> import torch
    >>> import lyapnet.torch as lt
    >>> _ = torch.manual_seed(0)
    >>> rnn = torch.nn.RNN(1, 32)
    >>> adam = torch.optim.Adam(rnn.parameters(), lr=1e-3)
    >>> losses = []
    >>> for _ in range(100):
    ...     loss = lt.flossing_loss(rnn, torch.randn(40, 1), k=8)
    ...     adam.zero_grad()
    ...     loss.backward()
    ...     adam.step()
    ...     losses.append(loss.item())
    >>> losses[-1] < 0.5 * losses[0]
    True
    """
    k = validate.integer("k", k, low=1)
    goal_and_weights = per_exponent(target, weights, reduction, k)  # refused before the work
    lam = finite_time_exponents(
        module, inputs, h0, k=k, n_steps=n_steps, transient=transient,
        basis_transient=basis_transient, qr_interval=qr_interval, rng=rng,
    )  # fmt: skip
    return loss_of(lam, *goal_and_weights).to(tensor_of(module))


def loss_of(lam: Any, goal: Array, each: Array) -> Any:
    """Return the loss of exponents ``(..., k)``, given what `per_exponent` returns."""
    goal, each = (torch.from_numpy(x).to(lam) for x in (goal, each))
    return (each * (lam - goal) ** 2).sum(dim=-1).mean()
