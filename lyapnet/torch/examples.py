"""Cells of the literature that keep gradients alive, each a module ``cell(h, u)`` for `System`.

They are short, to be read and changed: a network of one's own looks like one of these.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from .system import System


class _Example(nn.Module):
    """A module that says how large its state and inputs are."""

    dim: int
    n_inputs: int
    dt = 1.0

    def system(self) -> System:
        """Return the cell as a system with exponents."""
        return System(self, self.dim, n_inputs=self.n_inputs, dt=self.dt)


class _Cell(_Example):
    r"""A cell of n units and m inputs.

    Parameters
    ----------
    n : int
        Number of units.
    m : int, optional
        Number of inputs.
    gain : float, optional
        Recurrent weights are drawn from :math:`N(0, \mathrm{gain}^2 / n)`.
    """

    def __init__(self, n: int, m: int = 1, *, gain: float = 1.0) -> None:
        super().__init__()
        self.dim, self.n_inputs = n, m
        self.W = nn.Parameter(gain * torch.randn(n, n) / math.sqrt(n))
        self.V = nn.Parameter(torch.randn(n, m))
        self.b = nn.Parameter(torch.zeros(n))


class LayerNormRNN(_Cell):
    r""":math:`h' = \tanh(\mathrm{LN}(W h + V u + b))`: J. L. Ba et al., arXiv:1607.06450 (2016)."""

    def __init__(self, n: int, m: int = 1, *, gain: float = 1.0) -> None:
        super().__init__(n, m, gain=gain)
        self.norm = nn.LayerNorm(n)

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        return torch.tanh(self.norm(self.W @ h + self.V @ u + self.b))


class CoRNN(_Cell):
    r"""Coupled damped oscillators, state (y, z): T. K. Rusch and S. Mishra, ICLR 2021.

    .. math::
        z' = z + \Delta t\,(\tanh(W y + W_z z + V u + b) - \gamma y - \epsilon z), \qquad
        y' = y + \Delta t\,z'
    """

    def __init__(
        self, n: int, m: int = 1, *, gain: float = 1.0, interval: float = 0.1, gamma: float = 1.0,
        epsilon: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__(n, m, gain=gain)
        self.W_z = nn.Parameter(gain * torch.randn(n, n) / math.sqrt(n))
        self.dim, self.interval, self.gamma, self.epsilon = 2 * n, interval, gamma, epsilon

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        y, z = h.chunk(2)
        force = torch.tanh(self.W @ y + self.W_z @ z + self.V @ u + self.b)
        z = z + self.interval * (force - self.gamma * y - self.epsilon * z)
        return torch.cat([y + self.interval * z, z])


class AntisymmetricRNN(_Cell):
    r"""Of imaginary eigenvalues, but for the damping: B. Chang et al., ICLR 2019.

    .. math:: h' = h + \epsilon \tanh((W - W^T - \gamma I) h + V u + b)
    """

    def __init__(
        self, n: int, m: int = 1, *, gain: float = 1.0, step: float = 0.1, damping: float = 0.01
    ) -> None:
        super().__init__(n, m, gain=gain)
        self.step, self.damping = step, damping

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        field = (self.W - self.W.T) @ h - self.damping * h + self.V @ u + self.b
        return h + self.step * torch.tanh(field)


class LipschitzRNN(_Cell):
    r"""A linear and a bounded part: N. B. Erichson et al., ICLR 2021.

    .. math:: h' = h + \epsilon\,(A h + \tanh(W h + V u + b)), \qquad
        A = (1 - \beta)(M + M^T) + \beta (M - M^T) - \gamma I

    and W likewise of a matrix of its own.
    """

    def __init__(
        self, n: int, m: int = 1, *, gain: float = 1.0, step: float = 0.1, beta: float = 0.75,
        gamma: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__(n, m, gain=gain)
        self.M = nn.Parameter(gain * torch.randn(n, n) / math.sqrt(n))
        self.step, self.beta, self.gamma = step, beta, gamma

    def _composed(self, M: Any, h: Any) -> Any:
        even, odd = M + M.T, M - M.T
        return ((1 - self.beta) * even + self.beta * odd) @ h - self.gamma * h

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        inner = torch.tanh(self._composed(self.W, h) + self.V @ u + self.b)
        return h + self.step * (self._composed(self.M, h) + inner)


class LRU(_Example):
    r"""The linear recurrent unit, a diagonal complex map: A. Orvieto et al., ICML 2023.

    .. math:: x' = \lambda x + \sqrt{1 - |\lambda|^2}\,B u, \qquad
        \lambda = e^{-e^\nu + i e^\theta}

    The state is the real part and the imaginary part side by side; the exponents are
    :math:`-e^\nu`, each twice.
    """

    def __init__(self, n: int, m: int = 1, *, radii: tuple[float, float] = (0.9, 0.999)) -> None:
        super().__init__()
        self.dim, self.n_inputs = 2 * n, m
        low, high = (r**2 for r in radii)  # uniform on the ring, as there
        radius = torch.sqrt(low + (high - low) * torch.rand(n))
        self.nu = nn.Parameter(torch.log(-torch.log(radius)))
        self.theta = nn.Parameter(torch.log(2 * math.pi * torch.rand(n)))
        self.B = nn.Parameter(torch.randn(2, n, m) / math.sqrt(2 * m))

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        real, imaginary = h.chunk(2)
        radius, angle = torch.exp(-torch.exp(self.nu)), torch.exp(self.theta)
        a, b = radius * torch.cos(angle), radius * torch.sin(angle)
        scale = torch.sqrt(1 - radius**2)
        new = a * real - b * imaginary, b * real + a * imaginary
        driven = [x + scale * (B @ u) for x, B in zip(new, self.B, strict=True)]
        return torch.cat(driven)


class MinGRU(_Example):
    r"""A GRU whose gates see the input alone: L. Feng et al., arXiv:2410.01201 (2024).

    .. math:: h' = (1 - z)\,h + z\,(V_h u + b_h), \qquad z = \sigma(V_z u + b_z)

    The exponents are the means of :math:`\log(1 - z)`.
    """

    def __init__(self, n: int, m: int = 1) -> None:
        super().__init__()
        self.dim, self.n_inputs = n, m
        self.gate, self.new = nn.Linear(m, n), nn.Linear(m, n)

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        z = torch.sigmoid(self.gate(u))
        return (1 - z) * h + z * self.new(u)


class NeuralODE(_Cell):
    r"""A step of Runge and Kutta's fourth order of :math:`\dot h = -h + W \tanh h + V u + b`.

    R. T. Q. Chen et al., NeurIPS 2018; as a system its `dt` is that of the step, so that exponents
    are per unit time.
    """

    def __init__(self, n: int, m: int = 1, *, gain: float = 1.5, dt: float = 0.1) -> None:
        super().__init__(n, m, gain=gain)
        self.dt = dt

    def field(self, h: Any, u: Any) -> Any:
        """Return the derivative in time."""
        return -h + self.W @ torch.tanh(h) + self.V @ u + self.b

    def forward(self, h: Any, u: Any) -> Any:
        """Return the next state."""
        dt = self.dt
        a = self.field(h, u)
        b = self.field(h + dt / 2 * a, u)
        c = self.field(h + dt / 2 * b, u)
        d = self.field(h + dt * c, u)
        return h + dt / 6 * (a + 2 * b + 2 * c + d)


class DeepStack(_Example):
    r"""A feed-forward network whose depth is time: :math:`h_{s+1} = \phi(W_s h_s + b_s)`.

    Its input is the number of the layer, so that ``inputs=stack.depths()`` runs through it once.
    """

    def __init__(
        self, n: int, depth: int, *, gain: float = 1.0, init: str = "gaussian", bias: float = 0.0
    ) -> None:
        super().__init__()
        self.dim, self.n_inputs, self.depth = n, 1, depth
        W = torch.empty(depth, n, n)
        for one in W:
            if init == "orthogonal":
                nn.init.orthogonal_(one, gain)
            else:
                nn.init.normal_(one, std=gain / math.sqrt(n))
        self.W = nn.Parameter(W)
        self.b = nn.Parameter(bias * torch.randn(depth, n))

    def depths(self) -> Any:
        """Return the numbers of the layers ``(depth, 1)``."""
        return torch.arange(self.depth, dtype=torch.float64)[:, None].numpy()

    def forward(self, h: Any, u: Any) -> Any:
        """Return what the layer of number u makes of h."""
        at = u.long()
        W, b = (torch.index_select(x, 0, at)[0] for x in (self.W, self.b))
        return torch.tanh(W @ h + b)
