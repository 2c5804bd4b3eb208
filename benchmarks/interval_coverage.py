"""How often 95 % intervals hold the truth, over chaotic systems in print.

Growth comes from a compiled loop of its own (`growth_loop`), the errors from lyapnet. The
correlation time of a system is that after which the variance of window means times the window is
within 37 % of its limit, over 2.5: for correlations that die out exponentially, their time
constant. Runs are worth 50, 200 and 1000 of it.

    python benchmarks/interval_coverage.py           # resumes; writes data/interval_coverage.json
    python benchmarks/interval_coverage.py --quick   # two systems, writes nothing
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from growth_loop import compiled_step, growth_of
from published import SYSTEMS, Published

from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr

DATA = ROOT / "benchmarks" / "data" / "interval_coverage.json"
WORTH = (50, 200, 1000)
FEWEST, MOST = 120, 1000  # members
STEPS = 1.5e7  # of all members together: 1000 correlation times where these suffice
THREE = ("Chua's circuit", "Linz-Sprott", "continuous-time network")  # third exponents, too
SETTLED = np.exp(-1)
CHAOTIC = ("chaotic", "conservative", "sticky", "intermittent")


class Loop:
    """An ensemble on the attractor of a system, with its tangent vectors."""

    def __init__(self, system: Published, members: int, k: int) -> None:
        rng = np.random.default_rng(0)
        self.system, self.members, self.k = system, members, k
        self.step = compiled_step(system)
        n = system.dim
        spread = 1e-6 if system.dt else 1e-3  # some attractors of flows have narrow basins
        self.x = np.array(system.start) + spread * rng.standard_normal((members, n))
        if n == 1:
            self.x = 0.1 + 0.8 * rng.random((members, 1))
        elif system.name == "labyrinth chaos":
            self.x = 2 * np.pi * rng.random((members, 3))
        self.rows = np.linalg.qr(rng.standard_normal((members, n, k)))[0].swapaxes(1, 2).copy()
        self.run(4000, 1 if not system.dt else 5)

    def run(self, blocks: int, per_block: int) -> np.ndarray:
        growth = np.empty((blocks, self.members, self.k))
        every = 5 if self.system.dt else 1
        growth_of(
            self.step, self.system.wrapped, self.x, self.rows, blocks, per_block, every, growth
        )
        if not np.isfinite(growth).all():
            raise FloatingPointError(f"{self.system.name}: growth is not finite")
        return growth


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


def found_coverage(growth: np.ndarray, truth: np.ndarray) -> list[dict]:
    """Return for each exponent what intervals of runs (blocks, runs, k) did."""
    rows = []
    for i, value in enumerate(truth):
        estimate = mean_and_stderr(growth[:, :, i], np.ones(len(growth)))
        low, high = estimate.confidence_interval()
        held, known = (low <= value) & (value <= high), ~estimate.too_short
        actual = 1.96 * np.sqrt(np.mean((estimate.mean - value) ** 2))
        width = np.median(estimate.half_width()[known]) / actual if known.any() else np.nan
        rows.append(
            {
                "exponent": i + 1,
                "coverage": round(100 * float(held.mean()), 1),
                "of_known": round(100 * float(held[known].mean()), 1) if known.any() else None,
                "width": round(float(width), 2) if known.any() else None,
                "too_short": round(100 * float(np.mean(~known)), 1),
                "dof": round(float(estimate.dof.mean()), 1),
            }
        )
    return rows


def measured(system: Published) -> dict:
    """Measure the correlation time of a system, then the coverage at lengths worth it."""
    start = time.process_time()
    k = 3 if system.name in THREE else 1 if system.dt else min(system.dim, 2)
    which = [0, k - 1] if k > 1 else [0]  # of a flow, the second is zero
    loop = Loop(system, FEWEST // 2, k)
    per = 1
    while True:
        growth = loop.run(8192, per)[:, :, which]
        tau = max(correlation_time(growth[:, :, i]) for i in range(len(which)))
        if tau < 400 or per >= 16:
            break
        per *= 4
    steps = tau * per
    block = max(1, int(steps / 8))  # eight blocks in a correlation time
    rows = []
    members = int(np.clip(STEPS / (WORTH[-1] * steps), FEWEST, MOST))
    longest = int(min(WORTH[-1] * steps, max(STEPS / members, WORTH[0] * steps))) // block + 1
    loop = Loop(system, members, k)
    growth = loop.run(longest, block)[:, :, which]
    truth = growth.mean(axis=(0, 1))
    for worth in WORTH:
        length = max(40, int(worth * steps / block))
        if length > longest:
            continue
        runs = min(longest // length, 8 if worth < 100 else 4)
        cut = np.concatenate([growth[r * length : (r + 1) * length] for r in range(runs)], axis=1)
        for row in found_coverage(cut, truth):
            row["exponent"] = which[row["exponent"] - 1] + 1
            rows.append({"worth": worth, "steps": length * block, "runs": cut.shape[1], **row})
    return {
        "kind": system.kind,
        "correlation_steps": round(steps, 1),
        "dt": system.dt,
        "exponents": [float(f"{v / block / (system.dt or 1):.6g}") for v in truth],
        "rows": rows,
        "seconds": round(time.process_time() - start),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two systems, no files")
    quick = parser.parse_args().quick
    done = {} if quick or not DATA.exists() else json.loads(DATA.read_text())
    for system in SYSTEMS:
        if system.name in done or system.kind not in CHAOTIC:
            continue
        if quick and system.name not in ("Hénon map", "Sinai map"):
            continue
        try:
            done[system.name] = measured(system)
        except FloatingPointError as error:  # said, and tried again by the next call
            print(f"left out: {error}", flush=True)
            continue
        print(system.name, json.dumps(done[system.name]), flush=True)
        if not quick:
            DATA.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
