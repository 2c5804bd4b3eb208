"""Averages of functions of a Gaussian variable, on whatever scale these vary."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..numerics.arrays import Array

#: Standard deviations that are integrated over.
_WIDE = 12.0
#: Nodes of Gauss and Legendre in a panel, between two without weight at its ends.
_GAUSS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES = np.concatenate([[-1 + 1e-12], _GAUSS, [1 - 1e-12]])
#: From values at the nodes to how far those at the ends are off the polynomial through the others.
_OFF = np.zeros((2, 18))
_OFF[:, 1:-1] = -np.polynomial.legendre.legvander(_NODES[[0, -1]], 15) @ np.linalg.inv(
    np.polynomial.legendre.legvander(_GAUSS, 15)
)
_OFF[0, 0] = _OFF[1, -1] = 1.0
#: Panels in an octave, and octaves below the scale of 1, in units of the function's argument.
_PANELS, _OCTAVES = 2, 8
#: Relative error of a panel at which it is not halved again, the same by what is off at its ends,
#: where a jump may hide from all nodes; how often panels are halved, and how many at most.
_TOL, _END, _HALVINGS, _MANY = 1e-14, 1e-11, 50, 1000


def average(function: Callable[[Any], Any], variance: float) -> float:
    """Average a function over a Gaussian variable of mean zero; see `rule`."""
    return _integrated(function, np.sqrt(variance))[1] / np.sqrt(2 * np.pi)


def rule(function: Callable[[Any], Any], variance: float) -> tuple[Array, Array]:
    """Return nodes and weights that average a function over a Gaussian variable.

    Panels become finer towards zero, by octaves, so that a function of scale 1 is resolved however
    wide the Gaussian is; and those are halved on which that changes the integral, where the
    function has a kink or jumps.

    Parameters
    ----------
    function : callable
        Of an array of any shape; vectorised.
    variance : float

    Returns
    -------
    h, weights : array (nodes,)
        The weights sum to one.
    """
    sigma = np.sqrt(variance)
    z, weights = _points(_integrated(function, sigma)[0])
    return sigma * z.ravel(), weights.ravel() / weights.sum()


def _integrated(function: Callable[[Any], Any], sigma: float) -> tuple[Array, float]:
    """Return panels ``(panels, 2)`` that resolve a function of sigma z, and its integral."""

    def integrals(points: tuple[Array, Array]) -> tuple[Array, Array]:
        z, weights = points
        values = np.asarray(function(sigma * z), dtype=float)
        off = np.abs(values @ _OFF.T) * weights[..., [1, -2]]
        return np.vecdot(weights, values), off.max(axis=-1)

    halves, *points = _first(_OCTAVES + int(np.ceil(np.log2(max(1.0, _WIDE * sigma)))))
    panels, integral, total = [], 0.0, 0.0
    for _ in range(_HALVINGS):
        (whole, _), (parts, off) = map(integrals, points)
        total = total or float(np.abs(parts).sum())
        coarse = np.abs(whole - parts.sum(axis=-1)) > _TOL * total
        coarse |= off.max(axis=-1) > _END * total
        if coarse.sum() > _MANY:
            coarse[:] = False
        panels.append(halves[~coarse].reshape(-1, 2))
        integral += float(parts[~coarse].sum())
        if not coarse.any():
            break
        halves, *points = _halved(halves[coarse].reshape(-1, 2))
    return np.concatenate(panels), integral


@cache
def _first(octaves: int) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    """Return what `_halved` does of panels that fill (-12, 12)."""
    octave = _WIDE * 0.5 ** np.arange(1, octaves + 1)[::-1, None]
    inner = octave * (1 + np.arange(_PANELS) / _PANELS)
    right = np.concatenate([[0.0], inner.ravel(), [_WIDE]])
    every = np.concatenate([-right[:0:-1], right])
    return _halved(np.stack([every[:-1], every[1:]], axis=-1))


def _halved(panels: Array) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    """Return the halves ``(panels, 2, 2)`` of panels, and the points of both."""
    low, high = panels.T
    middle = (low + high) / 2
    halves = np.stack([low, middle, middle, high], axis=-1).reshape(-1, 2, 2)
    return halves, _points(panels), _points(halves)


def _points(panels: Array) -> tuple[Array, Array]:
    """Return nodes ``(..., nodes)`` in panels ``(..., 2)``, and weights: the density in these."""
    low, high = panels[..., :1], panels[..., 1:]
    half = (high - low) / 2
    z = (low + high) / 2 + half * _NODES
    return z, half * np.pad(_WEIGHTS, 1) * np.exp(-0.5 * z**2)
