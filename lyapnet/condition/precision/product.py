"""From Jacobians to singular values: the passes of `factored` and `graded` put together."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from .arithmetic import UP, Arithmetic, FloatArray
from .backends import make_arithmetic
from .diagonal import backward, error_bounds
from .factored import Chain, forward, slant
from .graded import singular_values
from .measured import Measured, default_generator
from .rank import exact_rank

RESOLVED = 1e-10  # what the bound of log10(kappa) must not exceed
_SPARE = 2.0**20  # safety where the bound is an estimate

#: Whose turn it is. flint has one precision for the whole process, mpmath one cache of constants,
#: whose entries and precisions are two things: threads would see those of each other.
_TURN = threading.RLock()


def measure(
    arithmetic: Arithmetic,
    jacobians: FloatArray,
    basis: FloatArray,
    steps: list[int],
    *,
    rigorous: bool,
    report: Callable[[int], object],
) -> Measured:
    """Do the work of `singular_values_of_product` with an arithmetic at hand."""
    n, k = basis.shape
    found = Measured(
        np.full((len(steps), k), np.nan),
        np.full(len(steps), np.nan),
        np.full(len(steps), np.inf),
        np.full(len(steps), float(arithmetic.bits)),
        [],
    )
    extended, start = _start(basis, n if rigorous else min(k + 1, n))
    last = steps[-1]
    factors = [extended, *jacobians[:last]]
    chain = forward(arithmetic, factors, start, k, set(steps), report)
    if chain.ends:
        exact = rigorous or k == n
        tilt = slant(arithmetic, arithmetic.exact(start[:, :k]))
        given = k, tilt, 1.0 if exact else _SPARE
        why = _values(arithmetic, chain, found, steps, *given)
        for step in [step for step in why if step != max(chain.ends)]:
            # Where directions change places behind a step, coordinates found from the end are bad.
            alone = _values(arithmetic, chain.until(step), found, steps, *given)
            if alone:
                break  # nor will later ones be better with so few bits
            del why[step]
        found.reasons.extend(_reasons(why, found, steps, arithmetic.bits))
    if chain.collapsed is not None:
        _collapse(arithmetic, [basis, *jacobians[: chain.collapsed]], found, steps)
    return found


def _start(basis: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Extend the basis into its complement and mix its columns.

    Mixing by an orthogonal matrix leaves the singular values alone, and makes the leading
    columns find the growing directions whatever the order of the user's basis.

    Returns
    -------
    extended : ndarray, shape (n, columns)
    start : ndarray, shape (columns, columns)
    """
    n, k = basis.shape
    rng = default_generator()
    mixing = np.linalg.qr(rng.standard_normal((k, k)))[0]
    start = np.eye(columns)
    start[:k, :k] = mixing
    complement = np.linalg.qr(basis, mode="complete")[0][:, k:]
    if columns > k:
        turn = np.linalg.qr(rng.standard_normal((n - k, columns - k)))[0]
        basis = np.hstack([basis, complement @ turn])
    return basis, start


def _values(
    arithmetic: Arithmetic,
    chain: Chain,
    found: Measured,
    steps: list[int],
    k: int,
    tilt: float,
    spare: float,
) -> dict[int, str]:
    """Fill in the singular values of all steps of a chain; return why some are not resolved.

    `tilt` is what the mixing of the first basis, orthogonal only to float64, may do.
    """
    diagonal = backward(arithmetic, chain, k)
    bounds = error_bounds(chain, diagonal, k)
    total = np.cumsum(np.array(diagonal.exponents), axis=0)[:, :k]
    failed: dict[int, str] = {}
    for step, (index, narrow) in chain.ends.items():
        m = steps.index(step)
        size, holds = bounds[step]
        spread = tilt + narrow + np.exp2(min(size, 1000.0)) * spare
        if not holds or spread > RESOLVED:
            # The errors are proportional to 2**-bits, up to where they saturate: from there on
            # they say nothing of what is needed.
            excess = size + np.log2(spare) - np.log2(RESOLVED) + 8.0
            more = np.clip(excess, 0.25 * arithmetic.bits, arithmetic.bits)
            found.needed_bits[m] = arithmetic.bits + (more if holds else arithmetic.bits)
            failed[step] = "rounding could reach " + ("too many digits" if holds else "all digits")
        if not holds:
            continue
        values, checked = singular_values(
            arithmetic, diagonal.first, diagonal.at[step], total[index - 1]
        )
        found.spread[m] = (spread + checked) * UP
        if step not in failed and not found.spread[m] <= RESOLVED:
            found.needed_bits[m] = 1.5 * arithmetic.bits
            failed[step] = "the singular values could not be verified"
        if not np.isfinite(found.spread[m]):
            continue
        scale = arithmetic.power(chain.shift[step])
        found.log10_values[m] = [arithmetic.log10(x * scale) for x in values]
        found.log10_condition[m] = arithmetic.log10(values[0] / values[-1])
    return failed


def _reasons(failed: dict[int, str], found: Measured, steps: list[int], bits: int) -> list[str]:
    """Say for which steps what is in the way, and how many bits may do."""
    reasons = []
    for why in dict.fromkeys(failed.values()):
        which = sorted(step for step in failed if failed[step] == why)
        needed = np.ceil(found.needed_bits[[steps.index(step) for step in which]]).astype(int)
        least, most = needed.min(), needed.max()
        when = f"step {which[0]}"
        if len(which) > 1:
            when = f"{len(which)} times, from step {which[0]} to {which[-1]}"
        enough = f"{least}" if least == most else f"{least} to {most}"
        more = ", or more" if most >= 2 * bits else ""
        reasons.append(f"{when}: {why}; try {enough} bits{more}")
    return reasons


def _collapse(
    arithmetic: Arithmetic, factors: list[FloatArray], found: Measured, steps: list[int]
) -> None:
    """Decide whether a collapsed product is singular, or only looks so at these bits."""
    at = len(factors) - 1
    rank = exact_rank(arithmetic, factors)
    k = factors[0].shape[1]
    beyond = [m for m, step in enumerate(steps) if step >= at]
    if rank is not None and rank < k:
        found.reasons.append(
            f"from step {at} on the product is singular, of rank {rank} at most: "
            "proved in exact integers"
            + (f" (k up to {rank} may have finite condition numbers)" if rank else "")
        )
        for m in beyond:
            found.log10_values[m, rank:] = -np.inf
            found.log10_condition[m] = np.inf
            found.spread[m] = 0.0
        return
    found.reasons.append(
        f"at step {at} the columns of the product cannot be told apart with {arithmetic.bits} bits"
        + ("" if rank else ", and whether it is singular is too long a calculation")
    )
    for m in beyond:
        found.needed_bits[m] = 2.0 * arithmetic.bits


def singular_values_of_product(
    jacobians: FloatArray,
    basis: FloatArray,
    steps: list[int],
    *,
    bits: int,
    backend: str,
    rigorous: bool,
    report: Callable[[int], object],
) -> Measured:
    """Return the singular values of ``D_{t-1} ... D_0 Q_0`` for each step count `t`.

    Threads do so one after the other; processes do so at the same time.

    Parameters
    ----------
    jacobians : ndarray, shape (T, n, n)
    basis : ndarray, shape (n, k)
    steps : list of int
        Ascending, between 1 and T.
    bits : int
        Working precision.
    backend : {"mpmath", "flint"}
    rigorous : bool
        Carry the whole complement of the basis, so that the bounds are proved; otherwise one
        further direction stands for it, the bounds being estimates with 20 bits to spare.
    report : callable
        Called with the number of steps done.

    Returns
    -------
    Measured
    """
    # Where a bound overflows it says nothing, and so the value is unresolved.
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")
    with _TURN, quiet, make_arithmetic(backend, bits) as arithmetic:
        return measure(arithmetic, jacobians, basis, steps, rigorous=rigorous, report=report)
