"""Do rigorous bounds of condition numbers ever miss the truth? Random products say.

    python benchmarks/condition_enclosures.py [--quick]

Hypothesis chooses products (up to 12 x 12, up to 400 steps; graded, nearly singular, turning,
singular, ...), bases and precisions. Each is measured with proved bounds by flint, and
with estimated ones by flint and mpmath, and compared with its exact product in integers. The
result goes to ``data/condition_enclosures.json``.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from condition_truth import cases, check, log10_singular_values

import lyapnet as ln

WAYS = {
    "flint, proved": {"backend": "flint", "certify": True},
    "flint, estimated": {"backend": "flint"},
    "mpmath, estimated": {"backend": "mpmath"},
}


def measure(case, **way):
    """Measure; what nothing could resolve is a result, too."""
    try:
        return ln.condition_from_jacobians(
            case.jacobians, basis=case.basis, times=case.steps, precision=case.precision, **way
        )
    except ln.PrecisionError as error:
        return error.partial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20 cases instead of 600")
    quick = parser.parse_args().quick
    kinds, resolved, precisions, widths, sizes = Counter(), Counter(), Counter(), [], []
    start = time.perf_counter()

    @settings(
        max_examples=20 if quick else 600,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def run(case):
        first = measure(case, **WAYS["flint, proved"])
        exact = first.settings["basis"]  # orthonormalised: this is what was measured
        truth = log10_singular_values(case.jacobians, exact, case.steps)
        for name, way in WAYS.items():
            result = first if way.get("certify") else measure(case, **way)
            resolved[name] += check(case, result, truth)
        kinds[case.kind] += 1
        precisions[str(case.precision)] += 1
        good = first.resolved & np.isfinite(first.log10_measured)
        widths.extend((first.log10_upper[good] - first.log10_lower[good]).tolist())
        sizes.extend(first.log10_measured[good].tolist())

    run()
    report = {
        "cases": sum(kinds.values()),
        "wrong": 0,  # one wrong claim stops the run
        "kinds": dict(kinds),
        "precisions": dict(precisions),
        "cases resolved at all times": dict(resolved),
        "largest finite log10 condition number": max(sizes),
        "widest proved bounds of a resolved log10 condition number": max(widths),
        "median width": float(np.median(widths)),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(report, indent=2))
    if not quick:
        path = HERE / "data" / "condition_enclosures.json"
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
