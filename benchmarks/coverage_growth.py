"""Growth of ensembles over 50, 200 and 1000 correlation times, to count coverage in.

The correlation time of a system is that after which the variance of window means times the window
is within 37 % of its limit, over 2.5: for correlations that die out exponentially, their time
constant.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from growth_loop import compiled_step, growth_of
from published import Published

from lyapnet.spectrum.uncertainty.blocks import coarsened

WORTH = (50, 200, 1000)
FEWEST, MOST = 120, 1000  # members, and the most runs cut out of them
STEPS = 2e7  # of all members together, over 1000 correlation times
APART = 2000  # steps between the starts of members, along one trajectory
NEAR = 1e-6  # how near to it: some attractors have narrow basins
SEA = 200_000  # steps for mixing in a chaotic sea with islands
CONSERVED = ("conservative", "sticky")
THREE = ("Chua's circuit", "Linz-Sprott", "continuous-time network")  # third exponents, too
SETTLED = np.exp(-1)


class Loop:
    """An ensemble on the attractor of a system, with its tangent vectors."""

    def __init__(self, system: Published, members: int, k: int) -> None:
        rng = np.random.default_rng(0)
        self.system, self.members, self.k = system, members, k
        self.step = compiled_step(system)
        self.x = self._starts(rng)
        gaussian = rng.standard_normal((members, system.dim, k))
        self.rows = np.linalg.qr(gaussian)[0].swapaxes(1, 2).copy()
        self.run(self._steps_to_mix() // 5, 5)

    def _starts(self, rng: np.random.Generator) -> np.ndarray:
        """Return states near one trajectory, in different phases of it."""
        n = self.system.dim
        if n == 1:
            return 0.1 + 0.8 * rng.random((self.members, 1))
        if self.system.name == "labyrinth chaos":  # without a bounded sea
            return 2 * np.pi * rng.random((self.members, n))
        x, rows = np.array([self.system.start], dtype=float), np.eye(n)[None, :1].copy()
        starts, growth = np.empty((self.members, n)), np.empty((1, 1, 1))
        for m in range(-10, self.members):
            growth_of(self.step, self.system.wrapped, x, rows, 1, APART, 5, growth)
            starts[max(m, 0)] = x[0]  # the first ten are on the way there
        return starts + NEAR * rng.standard_normal(starts.shape)

    def _steps_to_mix(self) -> int:
        """Return after how many steps members have forgotten how near they were."""
        slowest = max(0.01, self.system.exponents[0]) if self.system.exponents else 0.05
        steps = np.log(1000 / NEAR) / slowest / (self.system.dt or 1.0)
        return int(max(SEA if self.system.kind == "sticky" else 0, steps, 20_000))

    def run(self, blocks: int, per_block: int) -> np.ndarray:
        growth = np.empty((blocks, self.members, self.k))
        every = 5 if self.system.dt else 1
        growth_of(
            self.step, self.system.wrapped, self.x, self.rows, blocks, per_block, every, growth
        )
        if not np.isfinite(growth).all():
            raise FloatingPointError(f"{self.system.name}: growth is not finite")
        return growth


@dataclass(frozen=True)
class Runs:
    """Runs of a system, cut out of long ones.

    Attributes
    ----------
    steps : float
        In a correlation time.
    exponents : tuple of int
        Which ones, from 0; of flows that conserve a volume all, as only these tell that they do.
    truth : ndarray, shape (exponents,)
        Growth in a block of all runs.
    block : int
        Steps of a block.
    batches : dict
        For each worth, blocks in a run and their sums: (batches, runs, exponents).
    """

    steps: float
    exponents: tuple[int, ...]
    truth: np.ndarray
    block: int
    batches: dict[int, tuple[int, np.ndarray]]


def correlation_time(growth: np.ndarray) -> float:
    """Return it in blocks, from growth (blocks, members) that should be far longer."""
    n = len(growth)
    sums = np.zeros((n + 1, growth.shape[1]))
    np.cumsum(growth - growth.mean(), axis=0, out=sums[1:])
    windows = np.unique(np.round(2 ** np.arange(0, np.log2(n / 8), 0.5)).astype(int))
    power = np.array([np.mean((sums[w::w] - sums[:-w:w]) ** 2) / w for w in windows])
    limit = np.exp(np.log(power[-4:]).mean())
    off = np.abs(1 - power / limit) > SETTLED
    return float(windows[np.flatnonzero(off)[-1]] / 2.5) if off.any() else 1.0


def runs_of(system: Published) -> Runs:
    """Run an ensemble of a system and cut it."""
    k = 3 if system.name in THREE else 1 if system.dt else min(system.dim, 2)
    which = (0, k - 1) if k > 1 else (0,)  # of a flow, the second is zero
    told = which
    if system.dt and system.kind in CONSERVED:
        k, which = system.dim, tuple(range(system.dim))
    loop = Loop(system, 60, k)
    per = 1
    while True:
        growth = loop.run(8192, per)[:, :, which]
        tau = max(correlation_time(growth[:, :, i]) for i in range(len(told)))
        if tau < 400 or per >= 16:
            break
        per *= 4
    steps = tau * per
    block = max(1, int(steps / 8))  # eight blocks in a correlation time
    lengths = {worth: max(40, int(worth * steps / block)) for worth in WORTH}
    members = int(np.clip(STEPS / (WORTH[-1] * steps), FEWEST, MOST))
    loop = Loop(system, members, k)
    growth = loop.run(lengths[WORTH[-1]], block)[:, :, which]
    batches = {}
    for worth, length in lengths.items():
        times = min(len(growth) // length, -(-MOST // members))
        starts = np.arange(times) * (len(growth) // times)
        cut = np.concatenate([growth[s : s + length] for s in starts], axis=1)[:, :MOST]
        batches[worth] = length, coarsened(cut, np.ones(length))[0]
    return Runs(steps, which, growth.mean(axis=(0, 1)), block, batches)


def kept(system: Published, folder: Path | None) -> Runs:
    """Return the runs of a system, from a file in the folder if they are there."""
    if folder is None:
        return runs_of(system)
    file = folder / f"{system.name.replace('/', ' over ')}.npz"
    if not file.exists():
        runs = runs_of(system)
        arrays = {f"batches_{w}": b for w, (_, b) in runs.batches.items()}
        lengths = [n for n, _ in runs.batches.values()]
        folder.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".part.npz")
        np.savez(
            new, steps=runs.steps, exponents=runs.exponents, truth=runs.truth, block=runs.block,
            lengths=lengths, **arrays,
        )  # fmt: skip
        new.rename(file)
        return runs
    with np.load(file) as found:
        batches = {
            w: (int(n), found[f"batches_{w}"]) for w, n in zip(WORTH, found["lengths"], strict=True)
        }
        return Runs(
            float(found["steps"]), tuple(found["exponents"].tolist()), found["truth"],
            int(found["block"]), batches,
        )  # fmt: skip
