"""How often 95 % intervals hold the truth, over chaotic systems in print.

Growth comes from a compiled loop of its own (`coverage_growth`), the errors from lyapnet. Runs are
worth 50, 200 and 1000 correlation times. Growth that is kept on disk makes the second time cheap,
half a minute: this is how the estimator was tuned.

    python benchmarks/interval_coverage.py --keep FOLDER   # writes data/interval_coverage.json
    python benchmarks/interval_coverage.py --quick         # two systems, writes nothing
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from coverage_growth import CONSERVED, Runs, kept
from published import EXACT, SYSTEMS, Published

from lyapnet.spectrum.uncertainty.estimate import Estimate
from lyapnet.spectrum.uncertainty.floor import within_logarithm
from lyapnet.spectrum.uncertainty.stderr import estimate

DATA = ROOT / "benchmarks" / "data" / "interval_coverage.json"
CHAOTIC = ("chaotic", "conservative", "sticky", "intermittent")


def found_coverages(batches: np.ndarray, length: int, truth: np.ndarray) -> list[dict]:
    """Return what intervals of runs (batches, runs, k) of so many blocks did, for each exponent."""
    durations = np.full(len(batches), float(-(-length // len(batches))))
    durations[-1] = length - durations[:-1].sum()
    found = estimate(batches, durations, length)
    time = durations.sum()
    each = (Estimate(*(x[:, i] for x in found)) for i in range(len(truth)))
    return [found_coverage(x, time, length, truth[i]) for i, x in enumerate(each)]


def found_coverage(found: Estimate, time: float, length: int, truth: float) -> dict:
    """Return what the intervals of an exponent did in runs of so many blocks."""
    low, high = found.confidence_interval()
    held, known = (low <= truth) & (truth <= high), ~found.too_short
    # Growth of a few nats may be a power of time: such intervals hold zero, widened if need be.
    open_sign = within_logarithm(found.mean, time, length) & (low <= 0) & (high >= 0) & known
    actual = 1.96 * np.sqrt(np.mean((found.mean - truth) ** 2))
    width = np.median(found.half_width()[known]) / actual if known.any() else np.nan
    return {
        "coverage": round(100 * float(held.mean()), 1),
        "of_known": round(100 * float(held[known].mean()), 1) if known.any() else None,
        "width": round(float(width), 2) if known.any() else None,
        "too_short": round(100 * float(np.mean(~known)), 1),
        "sign_open": round(100 * float(np.mean(open_sign)), 1),
        "dof": round(float(found.dof.mean()), 1),
    }


def measured(system: Published, runs: Runs) -> dict:
    """Count at each length, for each exponent."""
    time = runs.block * (system.dt or 1.0)
    truth = np.array(runs.truth)
    if system.source == EXACT:
        truth = time * np.array(system.exponents)[list(runs.exponents)]
    rows = []
    for worth, (length, batches) in runs.batches.items():
        told = found_coverages(batches, length, truth)
        for exponent, row in zip(runs.exponents, told, strict=True):
            if exponent and system.dt and system.kind in CONSERVED:
                continue  # zero, or the first one mirrored
            about = {"steps": length * runs.block, "runs": batches.shape[1]}
            rows.append({"worth": worth, **about, "exponent": exponent + 1, **row})
    return {
        "kind": system.kind,
        "correlation_steps": round(runs.steps, 1),
        "dt": system.dt,
        "exponents": [float(f"{v / time:.6g}") for v in truth],
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two systems, no files")
    parser.add_argument("--keep", type=Path, help="folder for growth, some gigabytes")
    options = parser.parse_args()
    done = {}
    for system in SYSTEMS:
        if system.kind not in CHAOTIC:
            continue
        if options.quick and system.name not in ("Hénon map", "Sinai map"):
            continue
        try:
            done[system.name] = measured(system, kept(system, options.keep))
        except FloatingPointError as error:
            print(f"left out: {error}", flush=True)
            continue
        print(system.name, json.dumps(done[system.name]), flush=True)
    if not options.quick:
        DATA.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
