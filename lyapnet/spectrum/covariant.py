"""Covariant Lyapunov vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed, blas_threads, patient
from ..results.result import Result
from ..results.storage import register
from ..runs.progress import progress_bar
from ..systems import SystemLike, as_system
from ..tangent.start import (
    check_inputs,
    check_order,
    directions,
    noise_seed,
    plan_of,
    prepare_inputs,
    start_rows,
    start_state,
    start_time,
)
from .ginelli import Covariant, sweep_backward, sweep_forward, warm_up
from .plot import plot_angles

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: In so much time vectors align by default: a step of a flow is short.
_ALIGN = 20.0


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
        return {
            "exponents": self.exponents,
            "states": len(self.states),
            "dim": self.states.shape[-1],
        }

    def angles(self) -> Array:
        """Return the angles between the vectors, ``(T, ..., k, k)``, in radians, up to pi/2."""
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


@patient
def covariant_vectors(
    system: SystemLike,
    n_steps: int,
    *,
    k: int | None = None,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    backward_transient: int | None = None,
    every: int = 1,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> CovariantVectors:
    r"""Find covariant Lyapunov vectors by the method of Ginelli et al.

    A forward pass gives :math:`D_t Q_t = Q_{t+1} R_t`. A vector :math:`v_t = Q_t c_t` is
    covariant if :math:`R_t c_t \propto c_{t+1}`; any upper triangular C converges to
    such coefficients when the recursion is solved backwards in time.

    Parameters
    ----------
    system : System
    n_steps : int
        Number of states that vectors belong to.
    k : int, optional
        Number of leading vectors; default all.
    inputs : array (T', ..., m), optional
        One input per step, for the whole run: all transients and ``n_steps - 1``.
    x0 : array (..., n), optional
        State to start from, as for `lyapunov_spectrum`.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis; default a tenth of `n_steps`, at
        least 100, and for the basis at least 20 units of time.
    backward_transient : int, optional
        Steps beyond the last state in which the coefficients converge; default like
        `basis_transient`. Both converge like :math:`\exp(-(\lambda_i - \lambda_j) t)`:
        close exponents take longer.
    every : int, optional
        Vectors are returned at the first of the `n_steps` states and at each so many further, for
        long runs, in which all of them would take too much room.
    t0 : float, optional
        Time at the start of the run, where the system depends on it.
    rng : None, int or Generator, optional
    progress : bool, optional
        Whether to show a progress bar: of the steps forward, then of those back.

    Returns
    -------
    CovariantVectors

    Raises
    ------
    DivergedError
        If the state is not finite.

    Notes
    -----
    Rounding disturbs :math:`D_t v_t \parallel v_{t+1}` by about
    :math:`10^{-16} \|D_t\| / \|D_t v_t\|`: little but for directions that contract by orders of
    magnitude in a single step.

    The result takes room for T n k numbers, divided by `every`. Beyond it a run keeps 128 MB and
    some :math:`2 \sqrt T n k` numbers, however long it is: what has no room on the way forward is
    computed again on the way back.

    References
    ----------
    F. Ginelli et al., Phys. Rev. Lett. 99, 130601 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> found = ln.covariant_vectors(ln.catalog.henon(), 100, rng=0)
    >>> v, D = found.vectors, ln.catalog.henon().jacobian(found.states)
    >>> carried = D[:-1] @ v[:-1]
    >>> carried /= np.linalg.norm(carried, axis=-2, keepdims=True)
    >>> bool(np.allclose(np.abs(np.sum(carried * v[1:], axis=-2)), 1))
    True
    """
    found = as_system(system)
    rng = validate.generator(rng)
    n_steps = validate.integer("n_steps", n_steps, low=2)
    every = validate.integer("every", every, low=1, high=n_steps - 1)
    u = None if inputs is None else validate.array("inputs", inputs, least=2)
    align = max(100, n_steps // 10, round(_ALIGN / found.dt))
    plan = plan_of(
        None, n_steps, transient, align if basis_transient is None else basis_transient, None
    )
    after = (
        align
        if backward_transient is None
        else validate.integer("backward_transient", backward_transient, low=0)
    )
    warm = plan.transient + plan.basis_transient
    total = warm + n_steps - 1 + after
    parts = (
        f"n_steps - 1 = {n_steps - 1}, transient={plan.transient}, "
        f"basis_transient={plan.basis_transient}, backward_transient={after}"
    )
    check_inputs(found, u, total, parts)
    t0 = start_time(found, t0)
    start = start_state(found, x0, rng)
    check_order(u, found.ensemble(start, None))
    k = directions(k, None, found.dim)
    lead = found.ensemble(start, None if u is None else u[0])
    rows = start_rows(None, (*lead, found.dim, k), rng)
    x = np.broadcast_to(start, (*lead, found.dim)).copy()
    run_inputs = prepare_inputs(found, u, lead, total, t0=t0, seed=noise_seed(found, u, rng))
    bars = progress_bar(2 * total - warm, show=progress, unit="step")
    with blas_threads(rows.size * found.dim), bars as bar:
        x, rows = warm_up(found, x, rows, run_inputs, plan.transient, warm, bar)
        into = Covariant(warm, n_steps, every, rows)
        stretches = sweep_forward(found, x, rows, run_inputs, warm, total, bar)
        sweep_backward(found, run_inputs, stretches, into, rng, bar)
    settings = {
        "n_steps": n_steps,
        "k": k,
        "every": every,
        "transient": plan.transient,
        "basis_transient": plan.basis_transient,
        "backward_transient": after,
        "dt": found.dt,
        "driven": u is not None,
        "t0": t0,
    }
    return CovariantVectors(
        vectors=into.vectors.swapaxes(-1, -2),
        states=into.states,
        exponents=into.total / ((n_steps - 1) * found.dt),
        local=into.growth / (every * found.dt),
        settings=settings,
    )
