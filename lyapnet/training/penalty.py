"""Controls for comparison with flossing: penalties on one step instead of on exponents."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from .. import validate
from ..numerics.arrays import Array, Params
from ..systems import System
from ..systems.orbit import Orbit
from ..systems.parameters import named_params

__all__ = ["JacobianNorm", "SpectralRadius"]

Penalised = tuple[float, Array | None, Params]


class Penalty(Protocol):
    """What `train` takes for a penalty."""

    def evaluate(self, system: Any, orbit: Any, rng: np.random.Generator, /) -> Penalised:
        """Return the penalty, and its cotangents of states and parameters.

        Parameters
        ----------
        system : System
        orbit : Orbit
            Of the batch, ``(T, batch, n)``.
        rng : Generator

        Returns
        -------
        float, array (T, batch, n) or None, dict of str to array
        """


class SpectralRadius:
    r"""Hold the spectral radius of the recurrent weights: :math:`c\,(\rho(W) - \rho_0)^2`.

    Parameters
    ----------
    strength : float
        c.
    target : float, optional
        :math:`\rho_0`.

    Notes
    -----
    With unit left and right eigenvectors y and x of the leading eigenvalue,
    :math:`\partial \lambda / \partial W = \bar y x^T / (y^* x)`; where two eigenvalues share
    the largest modulus (other than as a conjugate pair) that of the first one found is taken.
    """

    def __init__(self, strength: float, target: float = 1.0) -> None:
        self.strength = validate.real("strength", strength, low=0.0)
        self.target = validate.real("target", target, low=0.0)

    def __repr__(self) -> str:
        return f"SpectralRadius(strength={self.strength:g}, target={self.target:g})"

    def check(self, system: System) -> None:
        """Refuse a cell whose weights are no square matrix, as those of several gates."""
        if len(set(recurrent_weights(system).shape)) > 1:
            raise ValueError(
                f"`penalty` needs one square matrix W of recurrent weights, {system!r} has those "
                'of its gates: take ("jacobian_norm", c)'
            )

    def evaluate(self, system: System, orbit: Orbit, rng: np.random.Generator) -> Penalised:
        """Return the penalty, and its cotangents of states and parameters."""
        W = recurrent_weights(system)
        values, right = np.linalg.eig(W)
        i = int(np.argmax(np.abs(values)))
        radius = float(np.abs(values[i]))
        if not radius:
            return self.strength * self.target**2, None, {"W": np.zeros_like(W)}
        # Row i of the inverse is the left eigenvector, scaled to y* x = 1.
        left = np.linalg.solve(right.T, np.eye(len(W))[i])
        slope = np.real(np.conj(values[i]) / radius * np.outer(left, right[:, i]))
        distance = radius - self.target
        return self.strength * distance**2, None, {"W": 2 * self.strength * distance * slope}


class JacobianNorm:
    r"""Hold the gain of single steps: :math:`c\,\langle (|D_s v|^2 - g_0^2)^2 \rangle`.

    The mean is over all steps and members, each with its own random unit vector v.

    Parameters
    ----------
    strength : float
        c.
    target : float, optional
        :math:`g_0`.
    """

    def __init__(self, strength: float, target: float = 1.0) -> None:
        self.strength = validate.real("strength", strength, low=0.0)
        self.target = validate.real("target", target, low=0.0)

    def __repr__(self) -> str:
        return f"JacobianNorm(strength={self.strength:g}, target={self.target:g})"

    def evaluate(self, system: System, orbit: Orbit, rng: np.random.Generator) -> Penalised:
        """Return the penalty, and its cotangents of states and parameters."""
        x = orbit.states[:-1]
        rows = rng.standard_normal((*x.shape[:-1], 1, x.shape[-1]))
        rows /= np.sqrt(np.vecdot(rows, rows))[..., None]
        grown, scratch = np.empty_like(rows), np.empty_like(rows[0])
        for s in range(orbit.n_steps):
            orbit.push(s, rows[s], grown[s])
        excess = np.vecdot(grown, grown) - self.target**2
        value = self.strength * float(np.mean(excess**2))
        bars = np.multiply(grown, (4 * self.strength / excess.size * excess)[..., None], out=grown)
        for s in range(orbit.n_steps):
            orbit.pull(s, bars[s], scratch, rows[s])
        through = orbit.tangent_adjoint(rows, bars)
        return value, through.states, named_params(system.params, through.params)[1]


PENALTIES = {"spectral_radius": SpectralRadius, "jacobian_norm": JacobianNorm}


def as_penalty(penalty: Any, system: System) -> Any:
    """Return the penalty that None, a name with its strength, or an object means."""
    if isinstance(penalty, tuple) and len(penalty) == 2:
        penalty = PENALTIES[validate.option("penalty", penalty[0], PENALTIES)](penalty[1])
    if isinstance(penalty, SpectralRadius):
        penalty.check(system)
    if penalty is None or hasattr(penalty, "evaluate"):
        return penalty
    raise TypeError(
        f"`penalty` must be None, a pair of a name in {sorted(PENALTIES)} and a strength, or an "
        f"object such as lyapnet.penalty.SpectralRadius(1.0); got {penalty!r}"
    )


def recurrent_weights(system: System) -> Array:
    """Return the recurrent weights W of a cell that has them."""
    if not isinstance(system.params, dict) or "W" not in system.params:
        raise ValueError(f"`cell` has no recurrent weights named W: {system!r}")
    return system.params["W"]


def __dir__() -> list[str]:
    return __all__
