"""Runs of intermittent maps that are given a number, and how many of them miss the exponent.

Truths come from `return_map`. Starts are uniform, a fifth of a run is its transient. Phases near
the neutral point have lengths whose distribution falls off like n^(-1/a), z - 1 = a: without a
variance from a = 1/2 on.

    OMP_NUM_THREADS=1 python benchmarks/intermittent.py    # a minute, data/intermittent.json
"""

import json
from pathlib import Path

import numba
import numpy as np
from return_map import exponent, liverani_saussol_vaienti, pomeau_manneville

from lyapnet.spectrum.uncertainty.blocks import coarsened
from lyapnet.spectrum.uncertainty.drift import drift_pvalue
from lyapnet.spectrum.uncertainty.stderr import estimate
from lyapnet.spectrum.uncertainty.verdict import SIGNIFICANT

DATA = Path(__file__).parent / "data" / "intermittent.json"
MEMBERS = 400
LENGTHS = 1000, 3000, 10_000, 100_000, 1_000_000
BATCHES = 1024


@numba.njit
def growth_of(z, a, x, transient, per_batch, sums):
    """Add up log slopes of x + x^z modulo 1, or if z is zero of the map of a; from states x."""
    for i in range(-transient, sums.shape[0] * per_batch):
        for m in range(len(x)):
            if z > 0:
                w = x[m] ** (z - 1)
                slope, y = 1 + z * w, x[m] * (1 + w)
                y -= np.floor(y)
            elif x[m] < 0.5:
                w = (2 * x[m]) ** a
                slope, y = 1 + (1 + a) * w, x[m] * (1 + w)
            else:
                slope, y = 2.0, 2 * x[m] - 1
            x[m] = y
            if i >= 0:
                sums[i // per_batch, m] += np.log(slope)


def row(z: float, a: float, truth: float, length: int) -> dict:
    """Count runs of a length."""
    per_batch = -(-length // BATCHES)
    sums = np.zeros((length // per_batch, MEMBERS))
    growth_of(z, a, np.random.default_rng(0).random(MEMBERS), length // 5, per_batch, sums)
    durations = np.full(len(sums), float(per_batch))
    batches, durations = coarsened(sums[..., None], durations)
    found = estimate(batches, durations, len(sums) * per_batch)
    low, high = (x[:, 0] for x in found.confidence_interval())
    known = ~found.too_short[:, 0] & (drift_pvalue(batches, durations)[:, 0] >= SIGNIFICANT)
    missed = known & ((truth < low) | (high < truth))
    counts = {"known": int(known.sum()), "missed": int(missed.sum())}
    return {"length": length, "runs": MEMBERS, **counts}


def main() -> None:
    maps = [(z, 0.0, exponent(pomeau_manneville(z))) for z in (1.3, 1.5, 1.8)]
    maps += [(0.0, a, exponent(liverani_saussol_vaienti(a))) for a in (0.3, 0.4, 0.5, 0.6, 0.7)]
    done = {}
    for z, a, truth in maps:
        name = f"Pomeau-Manneville, z = {z}" if z else f"Liverani-Saussol-Vaienti, a = {a}"
        rows = [row(z, a, truth, length) for length in LENGTHS]
        done[name] = {"exponent": round(truth, 6), "rows": rows}
        print(name, json.dumps(done[name]), flush=True)
    DATA.write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
