"""How fast are condition numbers at 256 bits, and proved ones? On one core.

    python benchmarks/condition_speed.py [--quick]

1. 80 units, 15 directions, 200 driven steps, 256 bits, at three times: lyapnet with flint and
   with mpmath, and one call of `condition_number` with flint (trajectory and Jacobians among
   it), against `mpmath.matrix` multiplied step by step (and its SVD): by turns, the median of
   three rounds. Claim: each with flint is at least 20 times faster.
2. 80 units, all directions, 300 steps, eight times, proved. Claim: under 60 s.

The result goes to ``data/condition_speed.json``.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import mpmath
import numpy as np

import lyapnet as ln

HERE = Path(__file__).resolve().parent


def driven(n, n_steps):
    """Return a tanh network (g = 1), its inputs and a state."""
    rng = np.random.default_rng(0)
    cell = ln.VanillaRNN.random(n, rng=rng)
    return cell, rng.standard_normal((100 + n_steps, 1)), rng.standard_normal(n)


def network(n, n_steps):
    """Return the Jacobians of a driven network on its attractor."""
    cell, u, x = driven(n, n_steps)
    return np.array(cell.orbit(x, u, 100 + n_steps).jacobians[100:])


def plain(jacobians, basis, steps, bits):
    """Multiply `mpmath.matrix` by `mpmath.matrix`, and take singular values at the steps."""
    found = []
    with mpmath.workprec(bits):
        product = mpmath.matrix(basis.tolist())
        for t, jacobian in enumerate(jacobians, start=1):
            product = mpmath.matrix(jacobian.tolist()) * product
            if t in steps:
                s = mpmath.svd_r(product, compute_uv=False)
                found.append(float(mpmath.log10(s[0] / s[len(s) - 1])))
    return np.array(found)


def timed(function, *args, **kwargs):
    """Time in seconds of the processor, of which one core is used: others do not disturb."""
    start = time.process_time()
    value = function(*args, **kwargs)
    return value, time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="30 and 60 steps")
    quick = parser.parse_args().quick
    T = 30 if quick else 200
    steps = [T // 3, 2 * T // 3, T]
    jacobians = network(80, T)
    cell, u, x0 = driven(80, T)
    jacobians = network(80, T)
    asked = {"k": 15, "times": steps, "rng": 0}

    def from_jacobians(backend):
        return ln.condition_from_jacobians(jacobians, backend=backend, **asked)

    basis = ln.condition_from_jacobians(jacobians[:3], k=15, rng=0).settings["basis"]
    calls = {
        "flint": lambda: from_jacobians("flint").log10_measured,
        "mpmath": lambda: from_jacobians("mpmath").log10_measured,
        "condition_number, flint": lambda: (
            ln.condition_number(
                cell, inputs=u, x0=x0, transient=100, basis=basis, backend="flint", **asked
            ).log10_measured
        ),
        "plain mpmath": lambda: plain(jacobians, basis, steps, 256),
    }
    for name in list(calls)[:-1]:
        calls[name]()  # imports
    rounds = {name: [] for name in calls}
    values = {}
    for _ in range(3):
        for name, call in calls.items():
            values[name], spent = timed(call)
            rounds[name].append(spent)
    seconds = {name: round(float(np.median(spent)), 3) for name, spent in rounds.items()}
    error = float(np.max([np.abs(v - values["plain mpmath"]) for v in values.values()]))
    faster = {name: round(seconds["plain mpmath"] / seconds[name], 1) for name in seconds}

    T = 60 if quick else 300
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    c, proved = timed(ln.condition_from_jacobians, network(80, T), certify=True, rng=0)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    report = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "80 units, 15 directions, 200 steps, 256 bits, three times: CPU seconds": seconds,
        "times faster than plain mpmath": faster,
        "largest difference of log10 condition numbers": error,
        "80 units, all directions, 300 steps, 256 bits, proved at eight times": {
            "CPU seconds": round(proved, 2),
            "additional memory, MB": round(memory),
            "log10 condition number": c.log10_measured.tolist(),
            "width of the bounds": (c.log10_upper - c.log10_lower).tolist(),
        },
    }
    print(json.dumps(report, indent=2))
    if not quick:
        path = HERE / "data" / "condition_speed.json"
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    fast = min(faster["flint"], faster["condition_number, flint"]) >= 20
    return int(not (fast and proved < 60 and c.resolved.all() and error < 1e-10))


if __name__ == "__main__":
    sys.exit(main())
