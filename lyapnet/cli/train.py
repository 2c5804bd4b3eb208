"""``lyapnet train``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cells import GRU, LSTM, Cell, VanillaRNN
from ..numerics.arrays import blas_threads
from ..training.result import TrainResult
from ..training.schedule import FlossingSchedule
from ..training.tasks import DelayedCopy, SpatialXOR, Task, TemporalXOR
from ..training.train import train
from ..validate import counted
from . import common

TASKS: dict[str, Callable[[int], Task]] = {
    "delayed-copy": DelayedCopy,
    "temporal-xor": TemporalXOR,
    "spatial-xor": SpatialXOR,
}
CELLS: dict[str, Any] = {"rnn": VanillaRNN, "lstm": LSTM, "gru": GRU}

_TEACH = f"""\
tasks, all with a lag of --delay steps to bridge:
  delayed-copy   recall the input
  temporal-xor   the XOR of two bits, half the delay and the delay ago
  spatial-xor    the parity of three bits on three lines

Flossing before training (--preflossing) lets a network bridge lags that it cannot bridge without:
run the second example with and without it. Ctrl-C ends a run; with --checkpoint, the same command
goes on from where it was.

{common.WEIGHTS}
examples:
  lyapnet train --task delayed-copy --delay 5 --units 32 --epochs 300
  lyapnet train --task temporal-xor --delay 20 --units 64 --epochs 500 --preflossing 300 -o a.npz
  lyapnet train --weights a.npz --task temporal-xor --delay 24 --epochs 500 --json
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = common.command(
        commands,
        "train",
        help="train a network on a task, with or without flossing",
        description="Train a random network, or your own, with a linear readout.",
        epilog=_TEACH,
    )
    parser.add_argument("--task", required=True, choices=sorted(TASKS))
    parser.add_argument("--delay", type=int, required=True, help="longest lag, in steps")
    parser.add_argument("--epochs", type=int, default=500, help="default %(default)s")
    parser.add_argument(
        "--n-steps", type=int, help="of a sequence (default: 5 delays, at least 60)"
    )
    parser.add_argument("--batch-size", type=int, default=16, help="default %(default)s")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="default %(default)s")
    common.add_optimizer(parser)
    parser.add_argument(
        "--clip-norm",
        type=float,
        default=0.03,
        help="largest gradient in each parameter, 0 for none (default %(default)s)",
    )
    one = parser.add_argument_group("the network")
    one.add_argument("--cell", choices=sorted(CELLS), help="default rnn")
    one.add_argument("--units", type=int, help="default 64")
    one.add_argument("--gain", type=float, help="of its weights (default 1)")
    one.add_argument("--weights", help="start from this file instead, see below")
    common.add_choice(parser)
    flossing = parser.add_argument_group("flossing")
    flossing.add_argument(
        "--preflossing", type=int, default=0, metavar="EPOCHS", help="before training"
    )
    flossing.add_argument(
        "--floss-at", type=int, nargs="+", default=[], metavar="EPOCH", help="and again then"
    )
    flossing.add_argument(
        "--floss-epochs", type=int, default=100, help="for so long (default %(default)s)"
    )
    flossing.add_argument("-k", type=int, help="exponents (default: all but five)")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the run there; go on from it")
    common.add_results(parser, "save the result, a file of weights for the other commands")
    common.add_torch(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    common.check_output(options)
    task = TASKS[options.task](options.delay)
    cell = _cell(options, task)
    common.check_torch(options, cell)
    n_steps = max(60, 5 * options.delay) if options.n_steps is None else options.n_steps
    with blas_threads(options.batch_size * cell.dim**2):
        r = train(
            cell,
            task,
            options.epochs,
            n_steps=n_steps,
            batch_size=options.batch_size,
            optimizer=common.optimizer(options),
            schedule=_schedule(options, cell),
            clip_norm=options.clip_norm or None,
            rng=options.seed,
            progress=common.progress(options),
            checkpoint=options.checkpoint,
        )
    common.write_torch(options, r.cell)
    if options.output is not None:
        r.save(options.output)
    if options.json:
        common.print_json(
            {
                "task": repr(task), "loss": r.loss, "accuracy": r.accuracy,
                "accuracy_kind": r.accuracy_kind,
                "flossing_epochs": r.flossing_epochs, "last_exponents": r.exponents[-1:],
            }
        )  # fmt: skip
        return
    _print_table(r)


def _cell(options: argparse.Namespace, task: Task) -> Cell:
    if options.weights is not None:
        for name in ("cell", "units", "gain"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} is for a random network: --weights brings its own")
        return common.network(options)
    kind, given = options.cell or "rnn", {}
    for name in ("activation", "leak"):
        if getattr(options, name) is not None:
            if kind != "rnn":
                raise ValueError(f"--{name} is for --cell rnn, not for {kind}")
            given[name] = getattr(options, name)
    cell: Cell = CELLS[kind].random(
        64 if options.units is None else options.units,
        gain=1.0 if options.gain is None else options.gain,
        n_inputs=task.n_inputs,
        bias=0.1,
        rng=options.seed,
        **given,
    )
    return cell


def _schedule(options: argparse.Namespace, cell: Cell) -> FlossingSchedule | None:
    """Return the paper's window: 55 steps, of which the last 39 are averaged."""
    if not options.preflossing and not options.floss_at:
        return None
    return FlossingSchedule(
        options.preflossing,
        options.floss_at,
        options.floss_epochs,
        k=max(1, cell.dim - 5) if options.k is None else options.k,
        n_steps=39,
        transient=10,
        basis_transient=6,
    )


def _print_table(r: TrainResult[Any]) -> None:
    flossed = r.flossing_epochs.sum()
    if flossed:
        first, last = r.exponents[0], r.exponents[-1]
        print(
            f"{counted(flossed, 'epoch', 'epochs')} of flossing: exponents from "
            f"[{first.min():.3f}, {first.max():.3f}] "
            f"to [{last.min():.3f}, {last.max():.3f}] nats per step"
        )
    share = r.accuracy_kind == "fraction"
    print(f"{'epochs':>13} {'loss':>10} {'R²' if r.accuracy_kind == 'R2' else 'accuracy':>10}")
    for part in np.array_split(np.arange(len(r.loss)), min(10, max(1, len(r.loss)))):
        if len(part):
            loss, accuracy = r.loss[part].mean(), r.accuracy[part].mean()
            shown = f"{100 * accuracy:8.1f} %" if share else f"{accuracy:10.4g}"
            print(f"{part[0]:6d}-{part[-1]:<6d} {loss:10.4f} {shown}")
