"""The paper's temporal XOR by compiled loops and by NumPy: time, and learning curves of both.

    OMP_NUM_THREADS=1 python benchmarks/xor_engines.py [--quick] [--seeds 0 1 2] [--epochs 1000]

80 units, batch 16, sequences of 300 steps, longest lag 40; 75 exponents flossed over 39 of 55
steps, 500 epochs before training and 500 more when half of it is done. Both engines start from the
same weights and draw the same batches. Processor time is that of an epoch of training, the median
over the run, of one of flossing, the mean over the second episode, and with them that of
10^4 + 1000 epochs. What it finds is written to data/xor_engines.json; ``--quick`` takes one seed
and 40 epochs, and writes nothing.
"""

import argparse
import sys
import time
from pathlib import Path

from timing import Ratio, one_core, table, write

one_core()

import numpy as np

import lyapnet as ln

DELAY, N, K = 40, 80, 75
ENGINES = ("compiled", "numpy")
OUT = Path(__file__).resolve().parent / "data" / "xor_engines.json"


def run(engine, seed, epochs, episode):
    """Train one network; return its learning curve, and milliseconds of both kinds of epochs."""
    rng = np.random.default_rng(seed)
    cell = ln.compiled(ln.VanillaRNN.random(N, bias=0.1, rng=rng), engine)
    window = {"k": K, "n_steps": 39, "transient": 10, "basis_transient": 6}
    again = epochs // 2
    schedule = ln.FlossingSchedule(before=episode, at=again, epochs=episode, **window)
    ends = [time.process_time()]
    r = ln.train(
        cell, ln.tasks.TemporalXOR(DELAY), epochs, n_steps=300, batch_size=16, clip_norm=0.03,
        schedule=schedule, rng=rng, progress=False,
        callback=lambda progress: ends.append(time.process_time()),
    )  # fmt: skip
    seconds = np.diff(ends)  # of a training epoch, with the flossing epochs before it
    training = float(np.median(seconds))
    flossing = float((seconds[again] - training) / episode)
    per = min(100, epochs)
    return {
        "engine": engine, "seed": seed,
        "accuracy_per_100_epochs": r.accuracy.reshape(-1, per).mean(axis=1).round(4).tolist(),
        "training_ms": 1e3 * training, "flossing_ms": 1e3 * flossing,
        "paper_s": 1e4 * training + 1e3 * flossing,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=1000)
    options = parser.parse_args()
    seeds, epochs, episode = options.seeds, options.epochs, 500
    if options.quick:
        seeds, epochs, episode = seeds[:1], 40, 5
    run("compiled", 0, 10, 1)  # compiles
    runs = [run(engine, seed, epochs, episode) for seed in seeds for engine in ENGINES]
    times = "training_ms", "flossing_ms", "paper_s"
    rows = [
        (r["engine"], r["seed"], *(f"{r[x]:.2f}" for x in times),
         " ".join(f"{100 * x:.0f}" for x in r["accuracy_per_100_epochs"]))
        for r in runs
    ]  # fmt: skip
    head = ("engine", "seed", "ms, training", "ms, flossing", "s, 10^4 + 1000", "accuracy, %")
    table(head, rows)
    of = {e: np.array([r["paper_s"] for r in runs if r["engine"] == e]) for e in ENGINES}
    ratio = Ratio.of(of["numpy"], of["compiled"])
    print(f"\nNumPy takes {ratio} times as long.")
    command = "OMP_NUM_THREADS=1 python benchmarks/xor_engines.py --seeds "
    about = {"command": command + " ".join(map(str, seeds)), "epochs": epochs}
    write(None if options.quick else OUT, {**about, "engines": runs, "ratio": vars(ratio)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
