"""What flossing is worth on tasks beside the paper's: memory, sums, digits and text.

    OMP_NUM_THREADS=1 python benchmarks/tasks.py --seeds 5 --directory RUNS

Networks of 64 units, batch 32, Adam, readouts of order 1/sqrt(N), at most 2000 epochs (adding over
100 steps: 4000); a run ends as soon as its last 50 batches are solved. Arms:

vanilla      tanh, Gaussian weights of gain 1
clipped      the same with gradients clipped at a norm of 1 in all
flossed      clipped, and flossed: 200 epochs before training and again before epoch 200, 60 of 64
             exponents, windows of 55 steps of which 39 are averaged
orthogonal   clipped, orthogonal weights
lstm, gru    clipped, biases drawn for memories of up to the length of the sequence ("chrono")

Learning rates were chosen among 1e-3, 3e-3 and 1e-2 on a network of a further seed: 1e-2 with
gates; without, 3e-3 for copying and text, 1e-3 for sums and digits. So were the biases of the
gates: at a delay of 20 an LSTM with forget biases of 1 was at 64 % after 1000 epochs, with chrono
biases at 83 %.

A run is one file, which is not done again; `--json` gathers those that are there. Accuracy is on
fresh sequences, or on what the task holds out; where numbers are asked for, it is R squared.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import lyapnet as ln

N, BATCH = 64, 32


class Case(NamedTuple):
    """A task, the length of its sequences, how long it is trained, when it is solved."""

    task: object
    n_steps: int
    epochs: int = 2000
    learning_rate: float = 1e-3
    solved: float = 0.999


TASKS = {
    "digits": lambda: Case(ln.tasks.SequentialDigits(), 64),
    "copy, delay 20": lambda: Case(ln.tasks.CopyMemory(10, 20), 30, learning_rate=3e-3),
    "adding, 100 steps": lambda: Case(ln.tasks.AddingProblem(100), 100, 4000, solved=0.99),
    "characters": lambda: Case(ln.tasks.Characters(), 50, learning_rate=3e-3),
    "copy, delay 60": lambda: Case(ln.tasks.CopyMemory(10, 60), 70, learning_rate=3e-3),
    "copy, delay 200": lambda: Case(ln.tasks.CopyMemory(10, 200), 210, learning_rate=3e-3),
    "adding, 400 steps": lambda: Case(ln.tasks.AddingProblem(400), 400, solved=0.99),
}
ARMS = ("vanilla", "clipped", "flossed", "orthogonal", "lstm", "gru")


def cell_of(arm, m, n_steps, rng):
    """Draw a network, its input weights of order 1 / sqrt(m)."""
    if arm in ("lstm", "gru"):
        kind = ln.LSTM if arm == "lstm" else ln.GRU
        cell = kind.random(N, n_inputs=m, bias="chrono", t_max=n_steps, rng=rng)
    else:
        init = "orthogonal" if arm == "orthogonal" else "gaussian"
        cell = ln.VanillaRNN.random(N, n_inputs=m, init=init, rng=rng)
    return cell.with_params({**cell.params, "V": cell.params["V"] / np.sqrt(m)})


def run(name, arm, seed, epochs=None):
    """Train one network; return its accuracy, its learning curve and its cost."""
    task, n_steps, most, learning_rate, solved = TASKS[name]()
    epochs = epochs or most
    rng = np.random.default_rng([seed, list(TASKS).index(name)])
    cell = cell_of(arm, task.n_inputs, n_steps, rng)
    readout = rng.standard_normal((task.n_outputs, N)) / np.sqrt(N), np.zeros(task.n_outputs)
    schedule = None
    if arm == "flossed":
        schedule = ln.FlossingSchedule(
            before=min(200, epochs), at=min(200, epochs - 1), epochs=min(200, epochs), k=60,
            n_steps=39, transient=10, basis_transient=6, clip_norm=1.0,
        )  # fmt: skip
    start = time.process_time()
    r = ln.train(
        cell, task, epochs, n_steps=n_steps, batch_size=BATCH, readout=readout, schedule=schedule,
        optimizer=ln.Adam(1e-2 if arm in ("lstm", "gru") else learning_rate),
        x0=np.zeros(cell.dim), clip_norm=None if arm == "vanilla" else ("global", 1.0), rng=rng,
        callback=lambda p: len(p.accuracy) >= 50 and p.accuracy[-50:].mean() >= solved,
    )  # fmt: skip
    seconds = time.process_time() - start
    held_out = getattr(task, "held_out", lambda: None)()
    u, y, mask = held_out or task.sample(n_steps, 300, np.random.default_rng([seed, 99]))
    blocks = np.array_split(r.accuracy, min(40, len(r.accuracy)))
    return {
        "task": name, "arm": arm, "seed": seed, "epochs": len(r.accuracy),
        "seconds": round(seconds, 1), "accuracy": round(task.accuracy(r.outputs(u), y, mask), 4),
        "curve": [round(float(block.mean()), 3) for block in blocks],
    }  # fmt: skip


def gathered(directory):
    """Return all runs that are there."""
    return [json.loads(path.read_text()) for path in sorted(Path(directory).glob("*.json"))]


def table(runs):
    """Print mean accuracy, its range and the cost of each arm."""
    for name in TASKS:
        for arm in ARMS:
            found = [r for r in runs if (r["task"], r["arm"]) == (name, arm)]
            if found:
                a = np.array([r["accuracy"] for r in found])
                cost = np.median([r["seconds"] for r in found])
                print(
                    f"{name:18} {arm:11} {a.mean():6.3f} [{a.min():.3f}, {a.max():.3f}]"
                    f"  {len(a)} networks, {cost:.0f} s each"
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few epochs of two tasks")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--directory", type=Path, default=Path("task-runs"))
    parser.add_argument("--json", type=Path, help="gather the runs there")
    options = parser.parse_args()
    if options.quick:
        runs = [
            run(name, arm, 0, 40)
            for name in ("copy, delay 20", "adding, 100 steps")
            for arm in ARMS
        ]
        table(runs)
        return 0 if all(np.isfinite(r["accuracy"]) for r in runs) else 1
    options.directory.mkdir(exist_ok=True)
    for seed in range(options.seeds):
        for name in options.tasks:
            for arm in options.arms:
                path = options.directory / f"{name}-{arm}-{seed}.json".replace(" ", "_")
                if not path.exists():
                    found = run(name, arm, seed)
                    path.with_suffix(".tmp").write_text(json.dumps(found))
                    path.with_suffix(".tmp").rename(path)
    runs = gathered(options.directory)
    table(runs)
    if options.json:
        lines = ",\n".join(json.dumps(one) for one in runs)
        options.json.write_text(f'{{"learning": [\n{lines}\n]}}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
