"""A large network at a long lag: flossing in stages, and training in small steps.

    OMP_NUM_THREADS=1 python benchmarks/slow_training.py --json benchmarks/data/slow_training.json

Temporal XOR with longest lag 288, one tanh network of 320 units, which stays at chance in the
settings of the paper's other figures (`notebooks/paper/README.md`). Here its readout is drawn with
a standard deviation of 1/sqrt(N), flossing comes in stages with ever smaller learning rates, and so
does training: 2.5e-5 until it has left chance, then 1e-4. It takes about an hour and a half, and is
resumed if it was stopped. `-n` is another size, at a lag of 0.9 of it, and `--rates` others, each
with its number of epochs.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from timing import write

import lyapnet as ln

#: Learning rates of flossing before training, and epochs.
STAGES = (1e-3, 200), (3e-4, 80), (1e-4, 60)

#: Learning rates of training, each with its epochs; those in which the first one rises from zero
#: and others from the one before, and in which the last one falls to zero again.
RATES, RISE, FALL = ((2.5e-5, 4356), (1e-4, 5129), (1e-4, 7000)), (300, 500, 0), 1500

#: Epochs in a point of the curve.
BLOCK = 50


class Held(ln.AdaptiveFlossing):
    """Take the transmission at the start for what flossing has reached, after one epoch of it."""

    def episode(self, epoch, record):
        return int(epoch == 0) if epoch < 5 else super().episode(epoch, record)


def flossed(cell, task, n_steps, window):
    """Floss a network in stages; training epochs in between have no effect."""
    for rate, epochs in STAGES:
        blocks = range(epochs // 20)
        schedule = ln.FlossingSchedule(at=blocks, epochs=20, optimizer=ln.Adam(rate), **window)
        cell = ln.train(
            cell, task, len(blocks), n_steps=n_steps, batch_size=4, clip_norm=0.03,
            optimizer=ln.Adam(1e-12), schedule=schedule, rng=5,
        ).cell  # fmt: skip
    return cell


def rate_of(leg, rates):
    """Return the learning rate of a leg of training as a function of its epoch."""
    rate, epochs = rates[leg]
    before, rise = rates[leg - 1][0] if leg else 0.0, RISE[min(leg, len(RISE) - 1)]
    fall = FALL if leg == len(rates) - 1 else 0

    def at(epoch):
        if epoch < rise:
            return before + (rate - before) * (epoch + 1) / rise
        left = epochs - epoch
        return rate * (np.sin(np.pi / 2 * left / fall) if left < fall else 1)

    return at


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=320)
    parser.add_argument("--network", type=int, default=1)
    parser.add_argument("--rates", nargs="+", help="such as 2.5e-5:4356 1e-4:5000")
    parser.add_argument("--directory", type=Path, default=Path("lyapnet-slow"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="48 units, 300 epochs")
    o = parser.parse_args()
    n, rates = (48, ((1e-3, 300),)) if o.quick else (o.n, RATES)
    if o.rates:
        rates = tuple((float(r), int(e)) for r, e in (pair.split(":") for pair in o.rates))
    o.directory.mkdir(parents=True, exist_ok=True)
    lag = int(0.9 * n) // 2 * 2
    n_steps, task = max(300, 3 * lag), ln.tasks.TemporalXOR(lag)
    window = {"k": round(n * 75 / 80), "n_steps": max(39, lag // 4), "transient": 10}
    window |= {"basis_transient": 6, "clip_norm": 1.0}
    cell = ln.VanillaRNN.random(n, n_inputs=1, bias=0.1, rng=np.random.default_rng(o.network))
    cell = flossed(cell, task, n_steps, window)
    draw = np.random.default_rng([o.network, 3])
    readout = round(n**-0.5, 3) * draw.standard_normal((1, n)), np.zeros(1)
    optimizer, x0, parts = ln.Adam(rates[0][0]), None, []
    for leg, (_, epochs) in enumerate(rates):
        schedule = Held(drop=4.0, epochs=10, most=1000, optimizer=ln.Adam(1e-4), **window)
        r = ln.train(
            cell, task, epochs, n_steps=n_steps, batch_size=16, clip_norm=0.03, readout=readout,
            x0=x0, optimizer=optimizer, learning_rate=rate_of(leg, rates), schedule=schedule,
            rng=11 + leg, checkpoint=o.directory / f"{n}-{o.network}-{leg}.npz",
        )  # fmt: skip
        cell, readout, x0, optimizer = r.cell, tuple(r.readout), r.x0, r.optimizer
        parts.append((r.accuracy, r.diagnostics["transmission"], r.flossing_epochs))
    accuracy, transmission, episodes = (np.concatenate(x) for x in zip(*parts, strict=True))
    u, y, mask = task.sample(n_steps, 200, np.random.default_rng(99))
    report = {
        "n": n, "lag": lag, "network": o.network, "stages": STAGES, "rates": rates,
        "accuracy": float(task.accuracy(r.outputs(u), y, mask)),
        "flossing_epochs": int(episodes.sum()) + sum(epochs for _, epochs in STAGES),
        "curve": mean(accuracy, 4), "transmission": np.exp(mean(np.log(transmission), 4)).tolist(),
    }  # fmt: skip
    print(f"{n} units, lag {lag}: {100 * report['accuracy']:.1f} % after {len(accuracy)} epochs")
    write(o.json, report)
    return 0


def mean(x, digits):
    """Return means of blocks of a curve."""
    return np.round(x[: len(x) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=1), digits).tolist()


if __name__ == "__main__":
    sys.exit(main())
