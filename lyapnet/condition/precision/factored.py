r"""A long product of Jacobians in factored, scaled form, at many bits.

Forward, each link ``X_l`` (the starting basis, then the Jacobians) is applied to the basis
at full precision, and any convenient upper triangular `S_l` makes the columns nearly
orthonormal again::

    X_l Q_{l-1} S_l = Q_l + E_l,     so that     P = Q_L S_L^{-1} ... S_1^{-1} Q_0 + ...

Where `S_l` comes from does not matter: it is an exact matrix of float64 numbers, found by
a float64 QR decomposition, and whatever it misses stays in `Q_l`, which has all the bits.
(`Digits` multiplies them exactly, and says what it cuts off.)
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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from .arithmetic import UP, Arithmetic, FloatArray, Matrix
from .digits import Digits

_GOOD = 2.0**-20  # defect of orthonormality at which a link needs no further pass
_LIVE = -8.0  # binary logarithm of a column's relative error above which it is noise
_LONGEST = 16  # factors in one link, if they do not cost more bits than
_SPENT = 40.0


@dataclass(eq=False)
class Link:
    """Some factors X together: ``X Q_{l-1} S = Q + E``."""

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

    def until(self, step: int) -> Chain:
        """Return the part that ends with an output step."""
        index = self.ends[step][0]
        return Chain(self.links[:index], {step: self.ends[step]}, self.shift)


def forward(
    arithmetic: Arithmetic,
    factors: Sequence[FloatArray],
    start: FloatArray,
    k: int,
    steps: set[int],
    report: Callable[[int], object],
) -> Chain:
    """Carry the basis through all factors; `factors` begins with the starting basis itself.

    Parameters
    ----------
    arithmetic : Arithmetic
    factors : sequence of ndarray
        The starting basis and its complement (n, columns), then the Jacobians (n, n).
    start : ndarray, shape (columns, columns)
        Coordinates of the first basis in that.
    k : int
        How many leading columns matter.
    steps : set of int
        Output steps, counted in Jacobians.
    report : callable
        Called with the number of factors done.

    Returns
    -------
    Chain
    """
    chain = Chain([], {}, {})
    inner = max(len(start), *factors[0].shape)
    q, shift, at = Digits.exact(start, arithmetic.bits, inner), 0, 0
    length, careful = 1, 0
    while at < len(factors):
        stop = min([at + length, len(factors), *(t + 1 for t in steps if t >= at)])
        done = _link(q, factors[at:stop], k, polish=stop - 1 in steps)
        if done is None:
            if stop - at == 1:
                chain.collapsed = at
                return chain
            length, careful = 1, stop  # find out at which factor
            continue
        q, link, exponent, bits = done
        chain.links.append(link)
        shift += exponent
        if stop - 1 in steps:
            leading = arithmetic.whole(q.leading(q.digits.shape[2], k))
            chain.ends[stop - 1] = (len(chain.links), slant(arithmetic, leading))
            chain.shift[stop - 1] = shift
        if stop > careful:
            budget = min(_SPENT, (arithmetic.bits - 96) / 4)
            length = int(np.clip(budget * (stop - at) / bits, 1, _LONGEST))
        report(stop - at)
        at = stop
    return chain


def _link(
    q: Digits, factors: Sequence[FloatArray], k: int, *, polish: bool
) -> tuple[Digits, Link, int, float] | None:
    """Apply some factors and make the columns orthonormal again.

    Returns
    -------
    tuple or None
        The new basis, the link, the binary exponent taken out of the factors, and
        how many bits were lost on the way; None if one of the first k is nothing but noise.
    """
    shift = 0
    error = np.array(-np.inf)  # binary logarithms of the columns' errors, in 2**-bits
    for factor in factors:
        exponent = int(np.frexp(np.max(np.abs(factor)))[1])
        q, rounding = q.times(factor)
        q = q.scaled(np.asarray(-exponent))
        shift += exponent
        scaled = np.ldexp(factor, -exponent)
        norm = 0.5 * np.log2(np.linalg.norm(scaled.T @ scaled) * UP)  # bounds the spectral one
        error = np.logaddexp2(error + norm, np.log2(rounding) - exponent)
    passes: list[FloatArray] = []
    defect = np.inf
    floats = q.floats()
    most = 4 + q.bits // 16
    while len(passes) < most:
        s = triangular(floats)
        q, rounding = q.combined(s)
        carried = np.logaddexp2.reduce(error[:, None] + np.log2(np.abs(s)), axis=0)
        error = np.logaddexp2(carried, np.log2(rounding)) + 1e-6
        floats = q.floats()
        relative = error - q.bits - np.log2(np.linalg.norm(floats, axis=0))
        lost = max(q.bits + relative[:k].max(), 1.0)
        live = relative < _LIVE
        if len(passes) + 1 == most:  # products may be exact, and then nothing drowns in rounding
            live &= _independent(floats)
        noise = np.flatnonzero(~live)
        if noise.size:
            if noise[0] < k:
                return None
            q, s = _give_up(q, floats, s, noise)
            floats = q.floats()
            error[noise] = q.bits + 1.0  # the length of a new column, with room
        passes.append(s)
        good, (defect, inverse_norm) = defect < _GOOD, _orthonormality(floats)
        if defect < _GOOD and (good or not polish):  # one pass more for the values themselves
            break
    return q, Link(passes, error - q.bits, inverse_norm), shift, float(lost)


def slant(arithmetic: Arithmetic, q: Matrix) -> float:
    """Bound ``|log sigma|`` over the singular values of nearly orthonormal columns."""
    gram, uncertain = arithmetic.gram(q)
    defect = (float(np.linalg.norm(gram)) + uncertain) * UP
    return -0.5 * float(np.log1p(-defect)) if defect < 0.5 else np.inf


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


def _independent(a: FloatArray) -> NDArray[np.bool_]:
    """Return which columns are, in float64, no combination of those before them."""
    r = np.asarray(np.linalg.qr(a / np.linalg.norm(a, axis=0), mode="r"))
    return np.abs(np.diagonal(r)) > _GOOD


def _give_up(
    q: Digits, floats: FloatArray, s: FloatArray, noise: NDArray[np.intp]
) -> tuple[Digits, FloatArray]:
    """Replace noise in the complement by any directions orthonormal to the rest.

    The column is made short before it is replaced, so that the link is in error by the new
    column, whose length is 1, and the direction counts as one that all but vanishes.
    """
    kept = np.setdiff1d(np.arange(floats.shape[1]), noise)
    full = np.linalg.qr(floats[:, kept], mode="complete")[0]
    fresh = full[:, len(kept) : len(kept) + len(noise)]
    s = s.copy()
    s[:, noise] *= 2.0 ** -(min(q.bits, 900) // 4)
    return q.with_columns(noise, fresh), s


def _orthonormality(q: FloatArray) -> tuple[float, float]:
    """Bound ``||Q^T Q - 1||`` and from it ``||Q^-1||``, float64 rounding included."""
    n, k = q.shape
    gram = q.T @ q
    size = float(np.linalg.norm(q)) ** 2
    gram[np.diag_indices(k)] -= 1.0
    defect = float(np.linalg.norm(gram)) * UP + (n + 8) * 2.0**-52 * size
    return defect, 1.0 / float(np.sqrt(1.0 - defect)) * UP if defect < 0.9 else np.inf
