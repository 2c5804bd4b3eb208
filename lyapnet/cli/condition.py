"""``lyapnet condition``."""

from __future__ import annotations

import argparse
from typing import Any

from ..condition.measure import condition_number
from ..condition.result import ConditionNumber
from . import common

_TEACH = f"""\
{common.WEIGHTS}
A gradient that goes back over t steps is multiplied by the long-term Jacobian, the product of t
Jacobians. Its condition number on k directions is the ratio of the largest to the smallest
factor by which these are stretched. From the exponents, log10 kappa is about
(lambda_1 - lambda_k) t / ln 10; here it is measured, in arithmetic of as many bits as you like.

examples:
  lyapnet condition weights.npz -k 15
  lyapnet condition weights.npz --inputs inputs.npy -k 15 --precision 256 --certify
  lyapnet condition flossed.npz -n 500 --times 100 300 500 --precision auto --json
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = common.command(
        commands,
        "condition",
        help="the condition number of its long-term Jacobian, at any precision",
        description="Measure the condition number of a network's long-term Jacobian.",
        epilog=_TEACH,
    )
    common.add_network(parser)
    parser.add_argument(
        "-n", "--n-steps", type=int, default=100, help="longest time (default %(default)s)"
    )
    parser.add_argument("-k", type=int, help="number of directions (default: all)")
    parser.add_argument(
        "--times", type=float, nargs="+", metavar="T", help="steps (default: eight, evenly spaced)"
    )
    parser.add_argument("--transient", type=int, help="steps before t = 0 (default: at least 100)")
    parser.add_argument(
        "--precision",
        type=common.integer_or_auto,
        default=256,
        help="bits, or 'auto' (default %(default)s)",
    )
    parser.add_argument("--backend", default="auto", choices=["auto", "mpmath", "flint"])
    parser.add_argument("--certify", action="store_true", help="prove bounds (needs python-flint)")
    common.add_results(parser, "save the whole result, for lyapnet.load")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    common.check_output(options)
    cell = common.network(options)
    c = condition_number(
        cell,
        options.n_steps,
        k=options.k,
        inputs=common.inputs_or_zeros(options, cell),
        times=options.times,
        transient=options.transient,
        precision=options.precision,
        backend=options.backend,
        certify=options.certify,
        rng=options.seed,
        progress=common.progress(options),
    )
    if options.output is not None:
        c.save(options.output)
    if options.json:
        names = (
            "times", "log10_measured", "log10_predicted", "log10_lower", "log10_upper", "resolved",
            "precision", "needed_precision", "message", "slope_measured", "slope_measured_stderr",
            "slope_predicted", "slope_predicted_stderr",
        )  # fmt: skip
        found = {name: getattr(c, name) for name in names}
        common.print_json({**found, "seed": options.seed})
        return
    _print_table(c)


def _print_table(c: ConditionNumber) -> None:
    bounds = f" {'proved bounds':>32}" if c.log10_lower is not None else ""
    print(f"{'steps':>8} {'log10 kappa':>14} {'from exponents':>15}{bounds}")
    for i, t in enumerate(c.times):
        measured = f"{c.log10_measured[i]:.6f}" if c.resolved[i] else "unresolved"
        line = f"{t:8g} {measured:>14} {c.log10_predicted[i]:15.3f}"
        if c.log10_lower is not None and c.log10_upper is not None:
            line += f"   [{c.log10_lower[i]:13.6f}, {c.log10_upper[i]:13.6f}]"
        print(line)
    print(
        f"{c.precision} bits; growth of log kappa {c.slope_measured:.4f} nats per step, "
        f"{c.slope_predicted:.4f} from the exponents"
    )
    if c.message:
        print(c.message)
