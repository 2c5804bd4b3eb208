r"""How far is a gradient from the bare BLAS and LAPACK calls that it consists of?

    python benchmarks/bare_calls.py [--quick] [--json FILE]

Forward, each step multiplies the basis by W (`dgemm`) and factorises it (`dgeqrf`, `dorgqr`);
in reverse it solves with the factor R (`dtrsm`) and multiplies by W transposed (`dgemm`); at the
end the gradient of W is one product over all steps (`dgemm`). Here these calls are made on
arrays of the same shapes and layouts, in as much memory, with nothing between them, and timed
beside lyapnet's gradient. Claim: lyapnet takes at most 1.6 times as long.
"""

import argparse
import sys

from timing import Ratio, one_core, race, summary, table, write

one_core()

import numpy as np
from scipy.linalg import blas, lapack

SIZES = ((32, 16, 100), (80, 75, 55), (256, 64, 60), (1024, 32, 20))


def bare(n, k, n_steps, interval=1):
    """Return a function without arguments that makes the calls of one loss and gradient.

    W is orthogonal and the factor near one, so that numbers neither grow nor vanish.
    """
    rng = np.random.default_rng(0)
    W = np.linalg.qr(rng.standard_normal((n, n)))[0]
    rows = np.empty((n_steps + 1, k, n))
    bars = np.empty((n_steps, k, n))
    rows[0] = np.linalg.qr(rng.standard_normal((n, k)))[0].T
    bars[-1] = rows[0]
    factor = np.asfortranarray(np.eye(k) + 0.01 * np.triu(rng.standard_normal((k, k)), 1) / k)
    ends = {*range(interval, n_steps, interval), n_steps}

    def run():
        for s in range(n_steps):
            np.dot(rows[s], W.T, out=rows[s + 1])
            if s + 1 in ends:
                qr, tau, _, _ = lapack.dgeqrf(rows[s + 1].T, lwork=64 * k, overwrite_a=1)
                lapack.dorgqr(qr, tau, lwork=64 * k, overwrite_a=1)
        for s in reversed(range(n_steps)):
            if s + 1 in ends:
                blas.dtrsm(1.0, factor, bars[s].T, side=1, trans_a=1, overwrite_b=1)
            np.dot(bars[s], W, out=bars[s - 1])
        return np.dot(bars.reshape(-1, n).T, rows[:-1].reshape(-1, n))

    return run


def main():
    from gradient_speed import Case

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    sizes, rounds = (SIZES[:2], 7) if args.quick else (SIZES, 41)
    rows, report, ratios = [], [], []
    for size in sizes:
        case = Case.of("VanillaRNN", *size)
        for interval in dict.fromkeys((1, case.interval)):
            seconds = race(
                {"lyapnet": case.lyapnet(interval), "bare": bare(*size, interval)}, rounds
            )
            ratio = Ratio.of(seconds["lyapnet"], seconds["bare"])
            if interval == 1:
                ratios.append(ratio.value)
            found = summary(seconds)
            ms = [f"{1e3 * found[name]['median']:.2f}" for name in ("lyapnet", "bare")]
            rows.append((*size, interval, *ms, ratio))
            report.append({"size": size, "interval": interval, "seconds": found, **vars(ratio)})
    table(("N", "k", "steps", "interval", "lyapnet ms", "bare calls ms", "ratio"), rows)
    mean = float(np.exp(np.mean(np.log(ratios))))
    print(f"Geometric mean of the ratios at interval 1: {mean:.2f}, largest {max(ratios):.2f}.")
    write(args.json, {"bare calls": report, "geometric mean": mean})
    return int(max(ratios) > 1.6)


if __name__ == "__main__":
    sys.exit(main())
