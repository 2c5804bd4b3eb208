"""Eigenvalues of a product of Jacobians, which is never formed as a whole."""

from __future__ import annotations

import itertools
import warnings

import numpy as np

from ..numerics.arrays import Array
from ..systems.jacobian_orbit import JacobianOrbit
from ..tangent.forward import forward
from ..tangent.start import orthonormal_rows
from ..tangent.tape import Tape

#: Sweeps around the cycle at most.
_SWEEPS = 200

#: What of a span may be missing after a sweep where it is said to be invariant; after so many
#: sweeps that only rounding, which grows on parts of the cycle, can be left, more.
_INVARIANT, _PATIENCE, _LOOSE = 1e-11, 20, 1e-7

#: Where an orbit is degenerate Newton's method converges slowly: a step takes 0.5 (of a fold) to
#: 0.63 of what a multiplier differs from 1 by. Elsewhere it takes none.
_DEGENERATE = 3.0

#: How far the eigenvalues of a group may be from its determinant, in logarithms, and from where on
#: it is said so.
_EXACT, _WRONG = 1e-9, 1e-6


def floquet_logs(jacobians: Array) -> Array:
    r"""Return the logarithms of the eigenvalues of :math:`D_T \cdots D_1`.

    Orthogonal iteration in factors: a basis is carried around, with a factorisation
    :math:`D_s Q_{s-1} = Q_s R_s` in each step, until the spans of its first vectors come back as
    they were. Then :math:`Q_0^T D_T \cdots D_1 Q_0 = W R_T \cdots R_1` has diagonal blocks, W
    being :math:`Q_0^T Q_T`. A block of one is the product of diagonal elements, and its
    logarithm their sum, however small. Eigenvalues of nearly equal modulus, of complex pairs for
    instance, stay together, and only the block of such a group is multiplied out. It is known
    what its eigenvalues multiply to; as long as they do not, there are more sweeps.

    Parameters
    ----------
    jacobians : array (T, n, n)
        In the order of time.

    Returns
    -------
    array (n,), complex
        By falling real part: log moduli, and phases as imaginary parts. Of an eigenvalue 0 it is
        ``-inf``.

    References
    ----------
    A. Bojanczyk, G. H. Golub and P. Van Dooren, Proc. SPIE 1770, 31 (1992), for the periodic Schur
    form that this converges to; K. Lust, Int. J. Bifurcation Chaos 11, 2389 (2001).
    """
    T, n = jacobians.shape[:2]
    orbit = JacobianOrbit(np.broadcast_to(0.0, (T + 1, n)), jacobians=jacobians)
    rows = orthonormal_rows(np.random.default_rng(0).standard_normal((n, n)))[0]
    best, least = np.zeros(n, dtype=complex), np.inf
    for sweep in range(_SWEEPS):
        tape = forward(orbit, rows, 1, start=0, forgiving=True, keep=True)[3]
        assert tape is not None
        logs, error = _eigenvalues(tape, _INVARIANT if sweep < _PATIENCE else _LOOSE)
        if error < least:
            best, least = logs, error
        if least <= _EXACT:
            break
        rows = tape.rows[-1].copy()
    if not least <= _WRONG:
        warnings.warn(
            f"these multipliers are unreliable: after {_SWEEPS} sweeps around the cycle the "
            f"logarithms of some are off by {least:.1g} together",
            stacklevel=4,
        )
    return best[np.lexsort((best.imag, -best.real))]


def multipliers_of(logs: Array) -> Array:
    """Return what these are the logarithms of; 0 or infinite beyond floating-point numbers."""
    with np.errstate(over="ignore"):
        found: Array = np.exp(logs.real) * np.exp(1j * logs.imag)
    return found


def in_doubt(logs: Array, after: Array) -> Array:
    """Return by how much logarithms ``(..., n)`` may be off in modulus, for their orbit is.

    Parameters
    ----------
    logs, after : array (..., n)
        As they are, and after a further step of Newton's method, in order.
    """
    with np.errstate(invalid="ignore"):  # -inf from -inf
        change = np.abs(after.real - logs.real)
    return np.asarray(_DEGENERATE * np.where(np.isnan(change), 0.0, change))


def _eigenvalues(tape: Tape, tol: float) -> tuple[Array, float]:
    """Return logarithms of eigenvalues as they are after a sweep, and an error of the worst."""
    W = np.matmul(tape.rows[0], tape.rows[-1].T)
    R = np.stack([np.tril(factor).T for _, _, factor in tape.blocks])
    growth = tape.log_growth.sum(axis=0)
    found, worst = [], 0.0
    edges = [0, *_splits(W, tol), len(W)]
    for a, b in itertools.pairwise(edges):
        here = slice(a, b)
        if b - a == 1:
            sign = np.sign(W[a, a]) * np.prod(np.sign(R[:, a, a]))
            phase = np.pi if sign < 0 and growth[a] > -np.inf else 0.0
            found.append(np.array([complex(growth[a], phase)]))
            continue
        logs, error = _of_group(W[here, here], R[:, here, here], growth[here].sum())
        found.append(logs)
        worst = max(worst, error)
    return np.concatenate(found), worst


def _splits(W: Array, tol: float) -> list[int]:
    """Return the dimensions of the spans of first vectors that a sweep has left as they were."""
    below = np.maximum.accumulate(np.abs(W), axis=1)  # the largest element left of each ...
    below = np.maximum.accumulate(below[::-1], axis=0)[::-1]  # ... and below
    return [int(i) + 1 for i in np.flatnonzero(np.diagonal(below, -1) <= tol)]


def _of_group(W: Array, R: Array, determinant: float) -> tuple[Array, float]:
    """Return logarithms of the eigenvalues of ``W R_T ... R_1``, and how far off they are.

    `determinant` is the logarithm of what they multiply to.
    """
    P, scale = _product(R)
    mu = np.linalg.eigvals(W @ P).astype(complex)
    if np.isneginf(determinant):
        zero = np.abs(mu) <= len(W) * np.finfo(float).eps * np.abs(P).max()
        mu = np.where(zero, 0.0, mu)
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(mu)) + scale + 1j * np.angle(mu)
    if np.isneginf(determinant):  # others may be below rounding, too: better they part
        return logs, _WRONG if zero.any() else np.inf
    error = abs(float(logs.real.sum()) - determinant)
    return logs, error if np.isfinite(error) else np.inf


def _product(R: Array) -> tuple[Array, float]:
    """Return the product of matrices in the order of time, and the logarithm of its scale."""
    logs = np.zeros(len(R))
    while True:
        size = np.abs(R).max(axis=(1, 2))
        size = np.where(size > 0, size, 1.0)
        R, logs = R / size[:, None, None], logs + np.log(size)
        if len(R) == 1:
            return R[0], float(logs[0])
        pairs = len(R) // 2 * 2
        both = np.matmul(R[1:pairs:2], R[:pairs:2]), logs[1:pairs:2] + logs[:pairs:2]
        R, logs = np.concatenate([both[0], R[pairs:]]), np.concatenate([both[1], logs[pairs:]])
