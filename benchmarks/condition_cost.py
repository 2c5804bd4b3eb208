"""What a condition number costs: against bits, units and steps, for both backends.

    python benchmarks/condition_cost.py [--quick]

A driven tanh network (g = 1), full basis, measured at its last step; with flint the bounds are
proved. Processor time on one core; the result goes to ``data/condition_cost.json`` and, as a
figure, to ``data/condition_cost.png``. Claim: everything is resolved.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import lyapnet as ln

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from condition_speed import network

WAYS = {"flint, proved": {"backend": "flint", "certify": True}, "mpmath": {"backend": "mpmath"}}
BASE = {"bits": 256, "units": 40, "steps": 100}
SWEEPS = {
    "bits": [128, 256, 512, 1024, 2048, 4096],
    "units": [5, 10, 20, 40, 80, 160],
    "steps": [25, 50, 100, 200, 400, 800],
}


def cost(way, bits, units, steps):
    """Return processor seconds and what was found."""
    jacobians = network(units, steps)
    start = time.process_time()
    c = ln.condition_from_jacobians(jacobians, times=[steps], precision=bits, rng=0, **WAYS[way])
    seconds = time.process_time() - start
    return {
        "seconds": round(seconds, 3),
        "log10 condition number": float(c.log10_measured[0]),
        "resolved": bool(c.resolved[0]),
    }


def draw(report):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
    for ax, (name, ways) in zip(axes, report.items(), strict=True):
        for way, points in ways.items():
            ax.loglog([p[name] for p in points], [p["seconds"] for p in points], "o-", label=way)
        ax.set_xticks(SWEEPS[name], [str(x) for x in SWEEPS[name]])
        ax.minorticks_off()
        fixed = ", ".join(f"{v} {k}" for k, v in BASE.items() if k != name)
        ax.set(xlabel=name, title=fixed)
    axes[0].set_ylabel("processor time (s)")
    axes[0].legend(frameon=False)
    figure.savefig(HERE / "data" / "condition_cost.png", dpi=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two points of each sweep")
    quick = parser.parse_args().quick
    for way in WAYS:  # imports are not counted
        cost(way, 64, 2, 2)
    report = {}
    for name, points in SWEEPS.items():
        report[name] = {}
        for way in WAYS:
            found = []
            for point in points[:2] if quick else points:
                if way == "mpmath" and name == "units" and point > 80:
                    continue  # minutes
                found.append({name: point, **cost(way, **{**BASE, name: point})})
                print(way, found[-1], flush=True)
            report[name][way] = found
    if not quick:
        path = HERE / "data" / "condition_cost.json"
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        draw(report)
    every = [p for ways in report.values() for found in ways.values() for p in found]
    return int(not all(p["resolved"] for p in every))


if __name__ == "__main__":
    sys.exit(main())
