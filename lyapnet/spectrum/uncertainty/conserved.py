"""Growth where volume is conserved: a sea of chaos among islands of regular motion.

Orbits of Hamiltonian and other conservative systems stick to the borders of islands for times whose
distribution falls off like a power [1]_. The slowest may be beyond any run, and fast swings of the
growth hide what the lowest frequencies would tell of the others. So the burden of proof is turned
round: other growth is taken to be ergodic unless it is seen to be sticky, this is taken to be
sticky unless its spectrum is seen to be flat. If it is not, a run is too short to tell; or, as long
as all growth may be that of regular motion, its interval is as wide as a power of time.

References
----------
.. [1] B. V. Chirikov and D. L. Shepelyansky, "Correlation properties of dynamical chaos in
   Hamiltonian systems", Physica D 13, 395 (1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...numerics.arrays import Array
from .floor import within_logarithm
from .regular import regular_bound

Mask = NDArray[np.bool_]

BY_INTEGRATOR = 1e-3  # of all growth: what an integrator may do to a volume that is conserved
COORDINATES = 4.0  # times the logarithm of the time: nats that coordinates make of a volume
MOST = 1024  # batches of a part of a run
OPEN = 0.5  # of all growth: by more no volume comes back to what it was
FEWEST_NATS = 30.0  # that a direction grows in a run that has seen some of its sea
BANDS = (0, 4, 12, 36, 108)  # of cosines, to the 216th
UNLIKELY = 0.02  # so few flat spectra are taken for others


def conserved_volume(batches: Array, durations: Array, n_blocks: int) -> Mask:
    r"""Return where the growths of all directions add up to nothing, shape (...).

    With the volume :math:`V_b` after batch b, that is where :math:`\log V` has a range below a
    thousandth of the growth of all directions, or one that a power of time could have, and is
    recurrent as in `regular.regular_bound`, without a trend: volumes may be conserved in other
    coordinates, as by the thermostat of Nosé and Hoover, and are then bounded in these.

    Parameters
    ----------
    batches : ndarray, shape (batches, ..., k)
        Log growth per batch; of fewer directions than there are, it says no volume is conserved.
    durations : ndarray, shape (batches,)
    n_blocks : int
        That went into the batches.
    """
    lead, n, k = batches.shape[1:-1], len(batches), batches.shape[-1]
    total = batches.sum(axis=0).reshape(-1, k)
    with np.errstate(invalid="ignore"):  # -inf
        everything = np.abs(total).sum(axis=-1)
        found = (np.abs(total.sum(axis=-1)) <= OPEN * everything) & np.isfinite(everything)
    if k == 1 or not found.any():
        return np.zeros(lead, dtype=bool)
    columns = batches.reshape(n, -1, k)
    volume = (columns if found.all() else columns[:, found]) @ np.ones(k)
    found[found] = _comes_back(volume, durations, n_blocks, everything[found])
    return found.reshape(lead)


def seen_conserved(log_det: Array, dt: float, rate: Array) -> Mask:
    """Return where volumes are conserved in a part of a run, shape (...), as `conserved_volume`.

    Parameters
    ----------
    log_det : ndarray, shape (steps, ...)
        By how much each step changes the logarithm of a volume.
    dt : float
    rate : ndarray, shape (...)
        Growth and decay of the directions that are known, added up, per unit time.
    """
    steps = len(log_det)
    per_batch = -(-steps // MOST)
    volume = np.add.reduceat(log_det.reshape(steps, -1), range(0, steps, per_batch), axis=0)
    durations = np.full(len(volume), per_batch * dt)
    durations[-1] = dt * (steps - per_batch * (len(volume) - 1))
    everything = np.ravel(rate) * steps * dt
    with np.errstate(invalid="ignore"):  # -inf
        found = np.isfinite(volume).all(axis=0) & np.isfinite(everything)
    found[found] = _comes_back(volume[:, found], durations, steps, everything[found])
    return found.reshape(log_det.shape[1:])


def _comes_back(volume: Array, durations: Array, n_blocks: int, everything: Array) -> Mask:
    """Return where changes of a volume (batches, m) add up to nothing, beside all growth (m,)."""
    log_volume = np.cumsum(volume, axis=0)
    span = np.maximum.reduce(log_volume) - np.minimum.reduce(log_volume)
    kept: Mask = span <= BY_INTEGRATOR * everything
    other = ~kept & (span <= COORDINATES * np.log1p(n_blocks))
    if other.any():
        regular, bound = regular_bound(volume[:, other], durations, n_blocks / len(volume))
        kept[other] = regular & (np.abs(log_volume[-1, other]) <= bound * durations.sum())
    return kept


def chaotic_directions(
    batches: Array, durations: Array, n_blocks: int, conserved: ArrayLike = False
) -> Mask:
    """Return the directions that may be sticky, shape (..., k).

    Where volumes are conserved, those that grow or shrink beyond a power of time, and all where
    none does: beside chaos, the others are what a flow and its constants of motion keep at zero.

    Parameters
    ----------
    batches : ndarray, shape (batches, ..., k)
    durations : ndarray, shape (batches,)
    n_blocks : int
    conserved : array_like of bool, shape (...), optional
        Where volumes are known to be conserved, as by determinants: few directions do not tell.
    """
    kept = (conserved_volume(batches, durations, n_blocks) | np.asarray(conserved))[..., None]
    if not kept.any():
        return np.zeros(batches.shape[1:], dtype=bool)
    time = durations.sum()
    grow = ~within_logarithm(batches.sum(axis=0) / time, time, n_blocks)
    which: Mask = kept & (grow | ~grow.any(axis=-1, keepdims=True))
    return which


def not_seen_flat(power: Array, nats: Array) -> Mask:
    r"""Return where a spectrum is not seen to be flat down to the lowest cosine, shape (m,).

    Bands of cosines, each three times as wide as the one before, have mean powers :math:`S_b`, of
    :math:`n_b` numbers that follow a χ² distribution of one degree of freedom. That they are
    equal is tested by the ratio of likelihoods, :math:`\sum_b n_b (S_b/S - 1 - \log(S_b/S))`: where
    episodes are long, power falls, and where swings hide them, it falls and rises again. With
    fewer than 30 nats of growth nothing is seen of a chaotic sea.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`, whitened.
    nats : ndarray, shape (m,)
        Growth over the whole run.
    """
    edges = np.array([edge for edge in BANDS if edge < len(power)])
    count = np.diff(edges, append=len(power))[:, None]
    level = power.mean(axis=0)
    ratio = np.add.reduceat(power, edges, axis=0) / count
    ratio = np.divide(ratio, level, out=np.ones_like(ratio), where=level > 0)
    with np.errstate(divide="ignore"):
        unlike = (count * (ratio - 1 - np.log(ratio))).sum(axis=0)
    uneven: Mask = unlike > special.chdtri(len(edges) - 1, UNLIKELY)
    return uneven | (np.abs(nats) < FEWEST_NATS)
