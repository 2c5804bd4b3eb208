"""Training along the principal directions of gradients, and by Adam, after flossing.

    OMP_NUM_THREADS=1 python benchmarks/principal_directions.py --json FILE

Temporal XOR whose longest lag is 0.9 of the number of units N. The same networks, readouts (of a
standard deviation of 1/sqrt(N)), sequences and `AdaptiveFlossing` by Adam at 1e-3 and, where that
no longer helps, at a third and a ninth of it, whichever way a network is trained. One setting for
all sizes: the learning rate rises along half a cosine until half of the epochs and falls to zero at
the end; it begins at a quarter of its largest value, after a hundred epochs of warm-up. That is
128 / N^2 by `SOAP`, 0.01 at most, and 2 N^(-3/2) by Adam. A network of 80 units takes half a
minute, one of 160 two, one of 320 a quarter of an hour. Each is a file in `--directory`, from which
a run that was stopped goes on; one that is complete is not done again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from timing import write

import lyapnet as ln

OPTIMIZERS = {"adam": ln.Adam, "soap": ln.SOAP}

#: Sizes, and how many networks of each.
SIZES, NETWORKS = (16, 32, 64, 80, 160, 320), 10

#: Training epochs, and the share of them that flossing may take in addition.
EPOCHS, MOST = 4000, 0.05

#: Epochs in a point of the curves.
BLOCK = 50

#: Epochs of warm-up.
WARM = 100


def rate_of(n, optimizer, epochs):
    """Return the learning rate as a function of the epoch."""
    top = min(0.01, 128 / n**2) if optimizer == "soap" else 2 * n**-1.5

    def at(epoch):
        share = np.sin(np.pi * epoch / epochs) ** 2
        low = 0.25 if epoch < epochs / 2 else 0.0
        return top * min(1.0, epoch / WARM) * (low + (1 - low) * share)

    return at


def train(n, network, optimizer, floss, epochs, directory):
    """Train one network; return how well it does, how it came there, and what it took."""
    lag = 2 * round(0.45 * n)
    task, n_steps = ln.tasks.TemporalXOR(lag), max(100, 3 * lag)
    schedule = ln.AdaptiveFlossing(
        k=round(n * 75 / 80), n_steps=max(39, lag // 4), transient=10, basis_transient=6,
        slower=2, most=round(MOST * epochs),
    )  # fmt: skip
    r = ln.train(
        ln.VanillaRNN.random(n, n_inputs=1, bias=0.1, rng=np.random.default_rng(network)),
        task, epochs, n_steps=n_steps, batch_size=16, clip_norm=0.03, readout=n**-0.5,
        optimizer=OPTIMIZERS[optimizer](), learning_rate=rate_of(n, optimizer, epochs),
        schedule=schedule if floss else None, rng=network,
        checkpoint=directory / f"{n}-{network}-{optimizer}{'' if floss else '-raw'}-{epochs}.npz",
    )  # fmt: skip
    u, y, mask = task.sample(n_steps, 200, np.random.default_rng([network, 2]))
    accuracy, transmission = r.accuracy, np.log(r.diagnostics["transmission"])
    return {
        "n": n, "lag": lag, "network": network, "optimizer": optimizer, "flossed": floss,
        "epochs": epochs, "accuracy": float(task.accuracy(r.outputs(u), y, mask)),
        "flossing_epochs": int(r.flossing_epochs.sum()),
        "curve": blocks(accuracy), "log_transmission": blocks(transmission),
    }  # fmt: skip


def blocks(x):
    """Return means of blocks of epochs."""
    return np.round(x[: len(x) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=1), 4).tolist()


def first(run, level):
    """Return the epoch by which a run has come to an accuracy, infinite if it never did."""
    at = np.flatnonzero(np.array(run["curve"]) >= level)
    return float((at[0] + 1) * BLOCK) if at.size else np.inf


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, nargs="+", help="sizes (default: all)")
    parser.add_argument("--networks", type=int, nargs="+", help="their numbers")
    parser.add_argument("--optimizers", nargs="+", default=["soap", "adam"])
    parser.add_argument("--raw", action="store_true", help="without flossing")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--directory", type=Path, default=Path("lyapnet-principal"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="two networks of 16 units")
    o = parser.parse_args()
    sizes, count, epochs = ((16,), 2, 500) if o.quick else (SIZES, NETWORKS, o.epochs)
    o.directory.mkdir(parents=True, exist_ok=True)
    runs = []
    print("units   lag  optimizer  network  accuracy   75 % at   90 % at  flossing", flush=True)
    for n in o.n or sizes:
        for optimizer in o.optimizers:
            for network in o.networks or range(count):
                run = train(n, network, optimizer, not o.raw, epochs, o.directory)
                runs.append(run)
                print(
                    f"{n:5} {run['lag']:5}  {optimizer:9} {network:8} {100 * run['accuracy']:8.1f}%"
                    f" {first(run, 0.75):9.0f} {first(run, 0.9):9.0f} {run['flossing_epochs']:9}",
                    flush=True,
                )
    write(o.json, {"settings": {"epochs": epochs, "block": BLOCK}, "runs": runs})
    return 0


if __name__ == "__main__":
    sys.exit(main())
