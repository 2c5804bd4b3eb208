"""What `covariant_vectors` returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..results.result import Result
from ..results.storage import register
from .plot import plot_angles
from .uncertainty.phases import is_regular
from .uncertainty.stderr import mean_and_stderr

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Growth apart, in nats, that aligns vectors to within a thousandth.
_ALIGNED = 7.0


@register
@dataclass(frozen=True, repr=False, eq=False)
class CovariantVectors(Result):
    r"""Covariant Lyapunov vectors along a trajectory.

    Attributes
    ----------
    vectors : array (T, ..., n, k)
        Unit vectors (columns) at each state, T of them; :math:`D_t v_t` is parallel to
        :math:`v_{t+1}`, D being the Jacobian of `every` steps.
    states : array (T, ..., n)
        The states they belong to.
    exponents : array (..., k)
        Growth rates of the vectors along the run, in the order of the vectors;
        ``-inf`` where a Jacobian annihilates a direction, whose vectors are then just some of
        the kernel.
    groups : list of list of int
        Numbers of the vectors, those together of which only the span is known.
    local : array (T - 1, ..., k)
        Growth rate of each vector from each of these states to the next, nats per unit time: the
        instantaneous exponents.
    settings : dict
        Everything that the run used.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "vectors": ("time", "...", "unit", "exponent"),
        "states": ("time", "...", "unit"),
        "exponents": ("exponent",),
        "local": ("step", "...", "exponent"),
    }

    vectors: Array
    states: Array
    exponents: Array
    local: Array = field(repr=False)
    settings: dict[str, Any]

    def _summary(self) -> dict[str, Any]:
        shown = {
            "exponents": self.exponents,
            "states": len(self.states),
            "dim": self.states.shape[-1],
        }
        together = [group for group in self.groups if len(group) > 1]
        if together:
            names = "; ".join(", ".join(str(i + 1) for i in group) for group in together)
            shown["note"] = f"exponents not told apart: {names}; their spans are known, see groups"
        return shown

    @cached_property
    def groups(self) -> list[list[int]]:
        """Vectors, counted from 0, that belong together, since only their span is known.

        Where exponents are equal the dynamics defines no single vectors: those of a complex pair of
        eigenvalues rotate in a plane, and the angle between two of them is chance. Here two
        neighbours are in one group if their exponents differ by less than the error of the
        difference, or by too little for `basis_transient` and `backward_transient` to align
        vectors to within a thousandth; of an ensemble, in any member.
        """
        how, k = self.settings, self.exponents.shape[-1]
        if k == 1:
            return [[0]]
        align = min(how["basis_transient"], how["backward_transient"]) * how["dt"]
        with np.errstate(invalid="ignore"):  # -inf from -inf
            gaps = np.abs(np.diff(self.exponents, axis=-1))
            apart = self.local[..., :-1] - self.local[..., 1:]
        grown = self._growth(apart)
        half = mean_and_stderr(*grown).half_width()
        # Regular rates have no error but that of vectors which are not yet aligned.
        error = np.where(np.isfinite(half) & ~is_regular(*grown), half, 0.0)
        close = ~(gaps > np.maximum(error, _ALIGNED / align if align else np.inf))
        joined = close.reshape(-1, close.shape[-1]).any(axis=0)
        cuts = np.flatnonzero(~joined) + 1
        return [part.tolist() for part in np.split(np.arange(k), cuts)]

    def _growth(self, rates: Array) -> tuple[Array, Array]:
        """Return what rates ``(T - 1, ..., j)`` make of lengths, as far as finite, and times."""
        time = self.settings.get("every", 1) * self.settings["dt"]
        return np.where(np.isfinite(rates), rates, 0.0) * time, np.full(len(rates), time)

    def _half_width(self) -> Array:
        """Return half the widths of the intervals of exponents, by local rates."""
        return mean_and_stderr(*self._growth(self.local)).half_width()

    def angles(self) -> Array:
        """Return the angles between the vectors, ``(T, ..., k, k)``, in radians, up to pi/2.

        Between the vectors of one of the `groups` they are those of the vectors that the method
        began with.
        """
        cosines = np.matmul(self.vectors.swapaxes(-1, -2), self.vectors)
        return np.arccos(np.clip(np.abs(cosines), 0.0, 1.0))

    def principal_angles(self, dims: Any) -> tuple[Array, ...]:
        """Return the principal angles between subspaces of consecutive vectors.

        The vectors are cut into groups, as into an unstable, a neutral and a stable one; at each
        cut the span of all before it is compared with that of all behind. Where the smallest
        angle comes down to zero, as its distribution over time shows, subspaces are tangent, and
        the dynamics is not hyperbolic.

        Parameters
        ----------
        dims : sequence of int
            Sizes of the groups, k together at most; further vectors are left out.

        Returns
        -------
        tuple of array (T, ..., m)
            For each of the ``len(dims) - 1`` cuts the m angles, ascending, in radians; m is the
            smaller dimension of the two subspaces.

        References
        ----------
        A. Bjorck and G. H. Golub, Math. Comp. 27, 579 (1973), for angles; P. V. Kuptsov, Phys.
        Rev. E 85, 015203 (2012), for the test of hyperbolicity.

        Examples
        --------
        >>> import lyapnet as ln
        >>> found = ln.covariant_vectors(ln.catalog.cat(), 50, rng=0)
        >>> angles, = found.principal_angles([1, 1])  # a symmetric matrix: orthogonal
        >>> print(f"{angles.min():.6f}")
        1.570796
        """
        sizes = [validate.integer("dims", d, low=1) for d in dims]
        k = self.vectors.shape[-1]
        if len(sizes) < 2 or sum(sizes) > k:
            raise ValueError(
                f"`dims` must be at least two sizes that add up to no more than k={k}, got {dims}"
            )
        last = sum(sizes)
        cuts = np.cumsum(sizes)[:-1]
        return tuple(
            _principal(self.vectors[..., :cut], self.vectors[..., cut:last]) for cut in cuts
        )

    def adjoint(self) -> Array:
        r"""Return the adjoint covariant vectors ``(T, ..., n, n)``, of unit length.

        The i-th is orthogonal to all covariant vectors but the i-th, and
        :math:`D_t^T a_{t+1}` is parallel to :math:`a_t`: they tell to which perturbations a
        direction responds, as left eigenvectors do. All n vectors are needed.
        """
        n, k = self.vectors.shape[-2:]
        if k < n:
            raise ValueError(
                f"adjoint vectors take all {n} covariant vectors, and there are {k}: leave out `k`"
            )
        dual = np.linalg.inv(self.vectors).swapaxes(-1, -2)
        found: Array = dual / np.linalg.norm(dual, axis=-2, keepdims=True)
        return found

    def plot(
        self, ax: Axes | None = None, *, pairs: Iterable[tuple[int, int]] | None = None
    ) -> Axes:
        """Draw how the angles between vectors are distributed; return the Axes.

        Angles that come close to zero mean tangencies: there the dynamics is not hyperbolic.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        pairs : sequence of (int, int), optional
            Vectors to compare, counted from 0; default each with the next, the first five.

        Examples
        --------
        >>> import lyapnet as ln
        >>> ax = ln.covariant_vectors(ln.catalog.henon(), 100, rng=0).plot()
        """
        return plot_angles(self, ax, pairs=pairs)


def _principal(a: Array, b: Array) -> Array:
    """Return the principal angles between the spans of columns, small ones without loss."""
    if a.shape[-1] < b.shape[-1]:
        a, b = b, a
    a, b = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    overlap = np.matmul(a.swapaxes(-1, -2), b)
    cosines = np.linalg.svd(overlap, compute_uv=False)
    sines = np.linalg.svd(b - np.matmul(a, overlap), compute_uv=False)[..., ::-1]
    return np.arctan2(sines, cosines)
