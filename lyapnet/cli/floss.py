"""``lyapnet floss``."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from ..cells import Cell
from ..flossing.floss import floss
from ..flossing.result import FlossResult
from ..numerics.arrays import Array
from . import common

_TEACH = f"""\
{common.WEIGHTS}
Flossing pushes the k leading exponents to a target, by default zero, so that neither activity nor
gradients explode or vanish along k directions. Each epoch runs a window of fresh inputs:
standard normal ones, or a stretch of yours that begins at random. Ctrl-C ends a run; with
--checkpoint, the same command goes on from where it was.

examples:
  lyapnet floss weights.npz -k 10 --epochs 200 -o flossed.npz
  lyapnet floss weights.npz -k 10 --inputs inputs.npy --tol 0.05 --epochs 2000 -o flossed.npz
  lyapnet floss state_dict.npz -k 30 -o result.npz --torch flossed.safetensors
  lyapnet spectrum flossed.npz -k 10
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = common.command(
        commands,
        "floss",
        help="push its leading exponents to zero",
        description="Floss a network: gradient descent on its Lyapunov exponents.",
        epilog=_TEACH,
    )
    common.add_network(parser)
    parser.add_argument("-k", type=int, required=True, help="number of exponents")
    parser.add_argument("--epochs", type=int, default=200, help="at most (default %(default)s)")
    parser.add_argument(
        "-n", "--n-steps", type=int, default=40, help="averaged steps (default %(default)s)"
    )
    parser.add_argument("--transient", type=int, default=0, help="steps of the state alone before")
    parser.add_argument(
        "--basis-transient",
        type=int,
        default=15,
        help="then steps of state and basis (default %(default)s)",
    )
    parser.add_argument("--target", type=float, default=0.0, help="default %(default)s")
    parser.add_argument("--batch-size", type=int, default=1, help="windows (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="default %(default)s")
    common.add_optimizer(parser)
    parser.add_argument(
        "--clip-norm",
        type=float,
        default=1.0,
        help="largest gradient in each parameter, 0 for none (default %(default)s)",
    )
    parser.add_argument("--tol", type=float, help="stop when all exponents are so close")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the run there; go on from it")
    common.add_results(parser, "save the result, a file of weights for the other commands")
    common.add_torch(parser)
    parser.set_defaults(run=run)


class _Stretches:
    """Stretches of a file of inputs that begin at random."""

    def __init__(self, inputs: Array, length: int, batch_size: int) -> None:
        if len(inputs) < length:
            raise ValueError(
                f"`inputs` has {len(inputs)} steps, but a window with its transients takes {length}"
            )
        self.inputs, self.length, self.batch_size = inputs, length, batch_size

    def __call__(self, rng: np.random.Generator) -> Array:
        starts = rng.integers(0, len(self.inputs) - self.length + 1, self.batch_size)
        return np.stack([self.inputs[i : i + self.length] for i in starts], axis=1)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    common.check_output(options)
    cell = common.network(options)
    common.check_torch(options, cell)
    r = floss(
        cell,
        options.epochs,
        k=options.k,
        n_steps=options.n_steps,
        inputs=_inputs(options, cell),
        target=options.target,
        transient=options.transient,
        basis_transient=options.basis_transient,
        batch_size=options.batch_size,
        optimizer=common.optimizer(options),
        clip_norm=options.clip_norm or None,
        tol=options.tol,
        rng=options.seed,
        progress=common.progress(options),
        checkpoint=options.checkpoint,
    )
    common.write_torch(options, r.cell)
    if options.output is not None:
        r.save(options.output)
    first, last = (_mean(r, at) for at in (slice(5), slice(-5, None)))
    if options.json:
        common.print_json(
            {
                "epochs": len(r.loss), "loss": r.loss, "first_exponents": first,
                "last_exponents": last, "met": r.met, "verdict": r.verdict,
                "seed": options.seed,
            }
        )  # fmt: skip
        return
    print(f"{'i':>4} {'first epochs':>14} {'last epochs':>14} {'target':>10}   nats per step")
    for i, (a, b, goal) in enumerate(zip(first, last, r.target, strict=True), 1):
        print(f"{i:4d} {a:14.4f} {b:14.4f} {goal:10.4f}")
    print(r.verdict)


def _inputs(options: argparse.Namespace, cell: Cell) -> _Stretches | None:
    found = common.inputs(options, cell)
    if found is None:
        return None
    length = options.transient + options.basis_transient + options.n_steps
    return _Stretches(found, length, options.batch_size)


def _mean(r: FlossResult[Any], at: slice) -> Array:
    """Average exponents over some of the epochs."""
    return r.exponents[at].mean(axis=0) if len(r.loss) else np.full(len(r.target), np.nan)
