r"""How fast are flows whose fields jump, where steps end at surfaces? On one core.

    python benchmarks/jumping_fields.py [--quick] [--json FILE]

All exponents of one trajectory: of a jerk x''' = -0.8 (x'' + x' + x - sign x), of an oscillator
under a square wave, and of six units with two variables each, that drive each other where they are
above thresholds. By compiled loops, by NumPy, which takes fewer steps, and by compiled loops of the
same field without its jumps, tanh for sign. What is compiled is compiled before the timing.

Exponents of the first steps must be the same by both engines.
"""

import argparse
import sys
import warnings
from functools import partial

from timing import one_core, race, summary, table, write

one_core()

import autograd.numpy as np
import numpy

import lyapnet as ln

UNITS = 6
rng = numpy.random.default_rng(3)
W = rng.standard_normal((UNITS, UNITS)) / numpy.sqrt(UNITS)
PHASES = rng.uniform(0, 2 * numpy.pi, UNITS)


def jerk(sign):
    def field(x):
        return np.array([x[1], x[2], -0.8 * (x[2] + x[1] + x[0] - sign(x[0]))])

    return ln.Flow(field, 3, dt=0.02), [0.38, 0.17, -0.03]


def square_wave(sign):
    def field(x, t):
        return np.array([x[1], -x[0] - 0.4 * x[1] + sign(np.sin(1.3 * t))])

    return ln.Flow(field, 2, dt=0.02, time=True), [1.0, 0.0]


def thresholds(sign):
    def field(x, t):
        v, a = x[:UNITS], x[UNITS:]
        drive = W @ (0.5 + 0.5 * sign(a - 0.3)) + 4 * np.sin(2 * t + PHASES)
        return np.concatenate([drive - v, 3 * (v - a)])

    return ln.Flow(field, 2 * UNITS, dt=0.02, time=True), numpy.linspace(-1, 1, 2 * UNITS)


SYSTEMS = {"jerk": jerk, "square wave": square_wave, "thresholds": thresholds}

#: Steps by compiled loops, and by NumPy.
MANY, FEW = 20_000, 500


def exponents(made, engine, n_steps):
    flow, x0 = made
    options = {"x0": x0, "transient": 0, "basis_transient": 0, "rng": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few steps there are no error bars
        return ln.lyapunov_spectrum(ln.compiled(flow, engine), n_steps, **options).exponents


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", metavar="FILE", help="write the report there")
    options = parser.parse_args()
    rows, report, wrong = [], {}, []
    for name, make in SYSTEMS.items():
        jumping, smooth = make(np.sign), make(np.tanh)
        first = [exponents(jumping, engine, FEW) for engine in ("compiled", "numpy")]
        if not numpy.allclose(*first, rtol=1e-6, atol=1e-8):
            wrong.append(f"{name}: {first[0]} by loops, {first[1]} by NumPy")
        tools = {
            "compiled": partial(exponents, jumping, "compiled", MANY),
            "smooth, compiled": partial(exponents, smooth, "compiled", MANY),
            "NumPy": partial(exponents, jumping, "numpy", FEW),
        }
        seconds = summary(race(tools, 1 if options.quick else 5))
        each = {tool: 1e6 * t["median"] / (FEW if tool == "NumPy" else MANY)
                for tool, t in seconds.items()}  # fmt: skip
        report[name] = {"us per step": each, "seconds": seconds}
        ratio = each["NumPy"] / each["compiled"]
        rows.append([name, *(f"{us:.3g}" for us in each.values()), f"{ratio:.0f}"])
        if ratio < 10:
            wrong.append(f"{name}: loops are {ratio:.1f} times as fast as NumPy, not ten times")
    table(["us per step", *tools, "NumPy over compiled"], rows)
    write(options.json, {"jumping fields": report})
    print("\n".join(["", *wrong]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
