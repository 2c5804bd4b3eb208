"""How far back a network learns: temporal and spatial XOR against their longest lag.

    OMP_NUM_THREADS=1 python benchmarks/horizon.py --task temporal --lags 70 --seeds 10

The paper's settings (figs. 3 and 4): tanh networks, batch 16, sequences of 300 steps, gain 1,
Adam at 1e-3, gradients clipped at 0.03 in each parameter. Flossing as in the paper: 75 of 80
exponents (the same share for other sizes), episodes of 500 epochs without clipping, windows of
55 steps of which 39 are averaged. Conditions:

none        no flossing
before      500 epochs before training
during      500 epochs before training and again before epoch 500
adaptive    `lyapnet.AdaptiveFlossing` with limits of the gradient, 1e-5 and 1e-3, windows of 39
            steps; --window, --low and --high change them

Each run is one file in --directory, and is resumed from its last epoch if it was killed; the
table and `--json` hold what has been done so far.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import scipy

import lyapnet as ln

CONDITIONS = ("none", "before", "during", "adaptive")
TASKS = {"temporal": ln.tasks.TemporalXOR, "spatial": ln.tasks.SpatialXOR}


def schedule_of(condition, n, adaptive):
    window = dict(k=round(n * 75 / 80), n_steps=39, transient=10, basis_transient=6)
    return {
        "none": None,
        "before": ln.FlossingSchedule(before=500, **window),
        "during": ln.FlossingSchedule(before=500, at=500, epochs=500, **window),
        "adaptive": ln.AdaptiveFlossing(**{"low": 1e-5, "high": 1e-3, **window, **adaptive}),
    }[condition]


def run(task, lag, condition, n, epochs, init, checkpoints, rng, adaptive=()):
    """Train one network; return its learning curve and its accuracy on fresh sequences."""
    problem = TASKS[task](lag)
    cell = ln.VanillaRNN.random(n, n_inputs=problem.n_inputs, bias=0.1, init=init, rng=rng)
    seed = int(rng.integers(2**62))
    start = time.perf_counter()
    r = ln.train(
        cell, problem, epochs, n_steps=max(300, 3 * lag), batch_size=16, clip_norm=0.03,
        schedule=schedule_of(condition, n, dict(adaptive)), rng=seed,
        checkpoint=Path(checkpoints) / f"{task}-{lag}-{condition}-{n}-{init}-{seed}.npz",
    )  # fmt: skip
    u, y, mask = problem.sample(max(300, 3 * lag), 200, np.random.default_rng([seed, 1]))
    blocks = epochs // 50 * 50
    return {
        "accuracy": problem.accuracy(r.outputs(u), y, mask),
        "curve": r.accuracy[:blocks].reshape(-1, 50).mean(axis=1),
        "gradient": r.diagnostics["gradient_norm_h0"][:blocks].reshape(-1, 50).mean(axis=1),
        "flossing_epochs": int(r.flossing_epochs.sum()),
        "seconds": time.perf_counter() - start,
        "cell": r.cell,
        "x0": r.x0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS, default="temporal")
    parser.add_argument("--lags", type=int, nargs="+", default=[70])
    parser.add_argument("--conditions", choices=CONDITIONS, nargs="+", default=["during"])
    parser.add_argument("-n", type=int, default=80)
    parser.add_argument("--epochs", type=int, default=9000)
    parser.add_argument("--init", choices=["gaussian", "orthogonal"], default="gaussian")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--window", type=int, help="averaged steps, for adaptive")
    parser.add_argument("--low", type=float, help="limits of the gradient, for adaptive")
    parser.add_argument("--high", type=float)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=Path("lyapnet-horizon"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="lag 20, 300 epochs, one seed")
    o = parser.parse_args()
    if o.quick:
        o.lags, o.conditions, o.seeds, o.epochs, o.n = [20], ["none", "before"], 1, 300, 48
    checkpoints = o.directory / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    chosen = {"n_steps": o.window, "low": o.low, "high": o.high}
    adaptive = [(name, x) for name, x in chosen.items() if x is not None]
    found = []
    # Seeds outermost: whatever has been done when the time is over covers all conditions.
    for seeds in range(1, o.seeds + 1):
        grid = dict(
            task=[o.task], lag=o.lags, condition=o.conditions, n=[o.n], epochs=[o.epochs],
            init=[o.init], checkpoints=[str(checkpoints)],
        )  # fmt: skip
        if adaptive:
            grid["adaptive"] = [adaptive]
        done = ln.sweep(
            run, grid, seeds=seeds, directory=o.directory, n_jobs=o.jobs, rng=0,
            progress=sys.stderr.isatty(),
        )  # fmt: skip
        found = list(zip(done.points, done.seeds, done.values, done.errors, strict=True))
        for _, _, _, error in found:
            if error:
                print(error, file=sys.stderr)
        if o.json:
            o.json.write_text(json.dumps(report(found, o, dict(adaptive)), indent=1) + "\n")
    for lag in o.lags:
        for condition in o.conditions:
            values = accuracies(found, lag, condition)
            if not values:
                print(f"{o.task} XOR, lag {lag:3d}, {condition:8s}: no run has succeeded")
                continue
            low, median, high = np.percentile(values, [25, 50, 75])
            print(
                f"{o.task} XOR, lag {lag:3d}, {condition:8s}: median {100 * median:5.1f} %, "
                f"quartiles {100 * low:.1f} and {100 * high:.1f} %, {len(values)} networks"
            )
    return 0


def accuracies(found, lag, condition):
    return [
        v["accuracy"]
        for p, _, v, _ in found
        if v and p["lag"] == lag and p["condition"] == condition
    ]


def report(found, options, adaptive):
    """Return what a figure needs, as JSON would hold it."""
    runs = []
    for point, seed, value, error in found:
        if error is None:
            kept = ("accuracy", "flossing_epochs", "seconds", "curve", "gradient")
            one = {name: np.round(value[name], 5).tolist() for name in kept}
            runs.append({**{k: point[k] for k in ("lag", "condition")}, "seed": seed, **one})
    words = [w for w in sys.argv[1:]]
    return {
        "command": "OMP_NUM_THREADS=1 python benchmarks/horizon.py "
        + " ".join(w for i, w in enumerate(words) if not _is_path(words, i)),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "versions": {
            "lyapnet": ln.__version__, "numpy": np.__version__, "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
        "machine": f"{platform.system()} {platform.machine()}, one BLAS thread per run",
        "task": options.task, "n": options.n, "epochs": options.epochs, "init": options.init,
        "adaptive": adaptive, "runs": runs,
    }  # fmt: skip


def _is_path(words, i):
    options = ("--directory", "--json")
    return words[i] in options or (i > 0 and words[i - 1] in options)


if __name__ == "__main__":
    sys.exit(main())
