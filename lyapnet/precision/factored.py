r"""A long product of Jacobians in factored, scaled form, at many bits.

Forward, each link ``X_l`` (the starting basis, then the Jacobians) is applied to the basis
at full precision, and any convenient upper triangular `S_l` makes the columns nearly
orthonormal again::

    X_l Q_{l-1} S_l = Q_l + E_l,     so that     P = Q_L S_L^{-1} ... S_1^{-1} Q_0 + ...

Where `S_l` comes from does not matter: it is an exact matrix of float64 numbers, found by
a float64 QR decomposition, and whatever it misses stays in `Q_l`, which has all the bits.
Backward, triangular `C_l` (the covariant vectors in the coordinates `Q_l`) make the factors
diagonal: ``S_l C_l = (C_{l-1} + E'_l) 2**e_l`` with integer `e_l`. Together::

    P = Q_L C_L M_L ... M_1 C_0^{-1} Q_0^{-1},
    M_l = (1 + C_l^{-1} Q_l^{-1} E_l C_l) 2**-e_l (1 + C_{l-1}^{-1} E'_l)^{-1},

all of it well scaled, with the growth in integers: no overflow, and no bits lost to it.

References
----------
J. J. Bojanczyk, M. Ewerbring, F. T. Luk, P. Van Dooren, "An accurate product SVD algorithm",
Signal Processing 25 (1991) 189. F. Ginelli et al., Phys. Rev. Lett. 99 (2007) 130601.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from lyapnet.precision.arithmetic import UP, Arithmetic, FloatArray, Matrix

_GOOD = 2.0**-20  # defect of orthonormality at which a link needs no further pass
_LIVE = 2.0**-8  # relative error of a column above which it is noise


@dataclass(eq=False)
class Link:
    """One factor ``X Q_{l-1} S = Q + E``."""

    passes: list[FloatArray]  # S is their product, each upper triangular
    error: FloatArray  # (columns,) binary logarithm of a bound of the columns' norms of E
    inverse_norm: float  # bound of ||Q^-1||


@dataclass(eq=False)
class Chain:
    """The forward pass.

    Attributes
    ----------
    links : list of Link
    ends : dict
        For each output step, the number of links until then, and the bound of
        ``|log sigma|`` over the singular values of the first k columns of Q there.
    shift : dict
        For each output step the binary exponent taken out of the Jacobians.
    collapsed : int or None
        The step at which a column of the product could not be told from the others.
    """

    links: list[Link]
    ends: dict[int, tuple[int, float]]
    shift: dict[int, int]
    collapsed: int | None = None


def forward(
    arithmetic: Arithmetic,
    factors: Iterable[FloatArray],
    start: FloatArray,
    k: int,
    steps: set[int],
    report: Callable[[], None],
) -> Chain:
    """Carry the basis through all factors; `factors` begins with the starting basis itself.

    Parameters
    ----------
    arithmetic : Arithmetic
    factors : iterable of ndarray
        The starting basis and its complement (n, columns), then the Jacobians (n, n).
    start : ndarray, shape (columns, columns)
        Coordinates of the first basis in that.
    k : int
        How many leading columns matter.
    steps : set of int
        Output steps, counted in Jacobians.
    report : callable
        Called after each factor.

    Returns
    -------
    Chain
    """
    chain = Chain([], {}, {})
    q = arithmetic.exact(start)
    shift = 0
    for step, factor in enumerate(factors):
        factor, exponent = _rescaled(factor)
        shift += exponent
        q, error = arithmetic.product(arithmetic.exact(factor), q)
        passes: list[FloatArray] = []
        while len(passes) < 4 + arithmetic.bits // 16:
            s = triangular(arithmetic.floats(q))
            q, rounding = arithmetic.product(q, arithmetic.exact(s))
            error = (error @ np.abs(s) + rounding) * UP
            noise = _noise(arithmetic, q, error)
            if noise and noise[0] < k:
                chain.collapsed = step
                return chain
            if noise:
                q, s = _give_up(arithmetic, q, s, noise)
            passes.append(s)
            defect, inverse_norm = _orthonormality(arithmetic.floats(q))
            if defect < _GOOD and (len(passes) > 1 or step not in steps):
                break
        size = np.log2(error) - arithmetic.bits
        size[noise] = np.logaddexp2(size[noise], 1.0)  # the length of a new column, with room
        chain.links.append(Link(passes, size, inverse_norm))
        if step in steps:
            narrow, _ = _orthonormality(arithmetic.floats(q)[:, :k])
            chain.ends[step] = (len(chain.links), -0.5 * float(np.log1p(-min(narrow, 0.999))))
            chain.shift[step] = shift
        report()
    return chain


def _rescaled(a: FloatArray) -> tuple[FloatArray, int]:
    """Take a power of two out of a matrix, if that is exact."""
    largest = float(np.max(np.abs(a)))
    exponent = int(np.frexp(largest)[1]) if largest else 0
    scaled = np.ldexp(a, -exponent)
    if np.array_equal(np.ldexp(scaled, exponent), a):
        return scaled, exponent
    return a, 0


def triangular(a: FloatArray) -> FloatArray:
    """Return an upper triangular matrix that makes the columns of `a` nearly orthonormal."""
    norms = np.linalg.norm(a, axis=0)
    norms[norms == 0.0] = 1.0
    r = np.asarray(np.linalg.qr(a / norms, mode="r"))
    diagonal = np.diagonal(r)
    sign = np.where(diagonal < 0.0, -1.0, 1.0)
    r = np.triu(r * sign[:, None])
    # A float64 QR knows nothing of pivots below its rounding: go on in the next pass.
    np.fill_diagonal(r, np.maximum(np.abs(diagonal), 2.0**-46))
    s = solve_triangular(r, np.eye(len(r)), check_finite=False) / norms[:, None]
    return np.asarray(np.triu(s))


def _noise(arithmetic: Arithmetic, q: Matrix, error: FloatArray) -> list[int]:
    """Return the columns that are mostly rounding error."""
    size = np.linalg.norm(arithmetic.floats(q), axis=0)
    relative = np.log2(error) - arithmetic.bits - np.log2(np.maximum(size, 1e-300))
    return [int(j) for j in np.flatnonzero(relative > np.log2(_LIVE))]


def _give_up(
    arithmetic: Arithmetic, q: Matrix, s: FloatArray, noise: list[int]
) -> tuple[Matrix, FloatArray]:
    """Replace noise in the complement by any directions orthonormal to the rest.

    The column is made short before it is replaced, so that the link is in error by the new
    column, whose length is 1, and the direction counts as one that all but vanishes.
    """
    floats = arithmetic.floats(q)
    kept = np.setdiff1d(np.arange(floats.shape[1]), noise)
    full = np.linalg.qr(floats[:, kept], mode="complete")[0]
    fresh = full[:, len(kept) : len(kept) + len(noise)]
    s = s.copy()
    s[:, noise] *= 2.0 ** -(min(arithmetic.bits, 900) // 4)
    return arithmetic.with_columns(q, noise, fresh), s


def _orthonormality(q: FloatArray) -> tuple[float, float]:
    """Bound ``||Q^T Q - 1||`` and from it ``||Q^-1||``, float64 rounding included."""
    n, k = q.shape
    gram = q.T @ q
    size = float(np.linalg.norm(q)) ** 2
    gram[np.diag_indices(k)] -= 1.0
    defect = float(np.linalg.norm(gram)) * UP + (n + 8) * 2.0**-52 * size
    return defect, 1.0 / float(np.sqrt(1.0 - defect)) * UP if defect < 0.9 else np.inf
