"""How far many small errors inside a long product can move its singular values.

The product is ``M_L ... M_1`` with ``M_l = (1 + H_l) diag(2**d_l)``, where each `H_l` is
small. Written as ``(1 + H) = (1 + L)(1 + U)``, unit lower times upper triangular, the
lower part may pass to the left through what follows, ``D L D^-1`` having the entries
``L_ij d_i/d_j``, and the upper part to the right through what came before. As long as the
scales are sorted, growing directions first, both only shrink on their way. At the end

    M_L ... M_1 = (1 + L) D_L ... D_1 (1 + U),

and by Ostrowski's theorem each singular value is that of ``D_L ... D_1`` within the factors
``1 +- |L|`` and ``1 +- |U|``: no bits are lost to the condition number of the product.
Everything here is a bound, elementwise and in binary logarithms, so it cannot overflow.

References
----------
S. C. Eisenstat and I. C. F. Ipsen, "Relative perturbation techniques for singular value
problems", SIAM J. Numer. Anal. 32 (1995) 1972, theorem 3.1 (Ostrowski's, for singular values).
G. W. Stewart, "On graded QR decompositions of products of matrices", ETNA 3 (1995) 39.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .arithmetic import FloatArray

_NOTHING = -1e18  # the logarithm of zero, with which differences stay finite
_SLACK = 1e-6  # binary digits: more than all rounding of the logarithms themselves


class ErrorBound:
    """The bound, carried along a product of `rows` x `rows` links, of `k` columns.

    Attributes
    ----------
    lower : ndarray, shape (rows, k)
        Binary logarithm of a bound of the entries of `L`, below the diagonal.
    upper : float
        Binary logarithm of a bound of the Frobenius norm of `U`.
    worst : float
        Binary logarithm of the largest quantity that the derivation needs to be small;
        it holds while this is negative.
    """

    def __init__(self, rows: int, k: int) -> None:
        self.lower = np.full((rows, k), _NOTHING)
        self.upper = _NOTHING
        self.worst = _NOTHING
        self._total = np.zeros(k)  # binary logarithms of the scales until now
        self._below = np.arange(rows)[:, None] > np.arange(k)[None, :]
        self._above = np.arange(k)[:, None] <= np.arange(k)[None, :]

    def scale(self, exponents: NDArray[np.int64]) -> None:
        """Multiply from the left by ``diag(2**exponents)``."""
        k = self.lower.shape[1]
        d = exponents.astype(np.float64)
        self.lower += d[:, None] - d[None, :k]
        np.maximum(self.lower, _NOTHING, out=self.lower)
        self._total += d[:k]

    def absorb(self, columns: FloatArray) -> None:
        """Multiply from the left by ``1 + H``.

        Parameters
        ----------
        columns : ndarray, shape (rows,)
            Binary logarithm of a bound of the entries of `H`, for each column.

        Notes
        -----
        With ``K = (1 + H)(1 + L) - 1``, lower part at most ``a``, upper part at most ``u_j``
        in column j, and ``16 k a, 16 k u <= 1``, induction over the leading minors gives
        ``|U_ij| <= 2 u_j`` and ``|L_ij| <= (|K_ij| + u_j)(1 + 4 u_j)`` for the factors.
        """
        k = self.lower.shape[1]
        u = np.logaddexp2(columns[:k], np.logaddexp2.reduce(columns[:, None] + self.lower, axis=0))
        grown = np.logaddexp2(self.lower, u[None, :] + 1.0) + _SLACK
        grown += 6.0 * np.exp2(np.minimum(u, 0.0))
        self.lower = np.where(self._below, grown, _NOTHING)
        self.require(np.maximum(u.max(), self.lower.max()) + np.log2(16.0 * k))
        moved = np.where(
            self._above, u[None, :] + 1.0 + self._total[None, :] - self._total[:, None], _NOTHING
        )
        norm = float(np.logaddexp2.reduce(moved.ravel()))
        product = norm + self.upper if max(norm, self.upper) > -60 else _NOTHING
        self.upper = float(np.logaddexp2(np.logaddexp2(self.upper, norm), product)) + _SLACK

    def require(self, logarithm: float) -> None:
        """Note a quantity that has to be small; a NaN stays."""
        self.worst = float(np.maximum(self.worst, logarithm))

    def lower_norm(self) -> float:
        """Return the binary logarithm of a bound of the Frobenius norm of `L`."""
        return float(np.logaddexp2.reduce(self.lower.ravel()))
