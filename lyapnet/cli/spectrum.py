"""``lyapnet spectrum``."""

from __future__ import annotations

import argparse
from typing import Any

from ..spectrum.measure import lyapunov_spectrum
from . import common

_TEACH = f"""\
{common.WEIGHTS}
The run warms up the state (--transient), then state and basis (--basis-transient), and then
averages over n steps; inputs must cover all three, and without -n the average takes what the
warm-ups leave. An exponent is uncertain by its interval; more steps make it narrower. The last
line says whether the run has converged, and if not, what to do.

examples:
  lyapnet spectrum weights.npz --inputs inputs.npy -k 10
  lyapnet spectrum weights.npz --inputs inputs.npy --transient 500 --basis-transient 50
  lyapnet spectrum model.weights.h5 --layer gru_1 -n 20000 --json > exponents.json
  lyapnet spectrum state_dict.safetensors --layer all --tol 0.01 -n 100000 -o spectrum.npz
"""


#: What JSON says about the run.
_SHOWN = (
    "system", "driven", "k", "n_steps", "transient", "basis_transient", "qr_interval", "dt", "tol",
    "engine",
)  # fmt: skip


def add(commands: Any) -> None:
    """Add the command."""
    parser = common.command(
        commands,
        "spectrum",
        help="the Lyapunov exponents of your own network",
        description="Print the Lyapunov exponents of a network, with 95 % intervals.",
        epilog=_TEACH,
    )
    common.add_network(parser)
    parser.add_argument(
        "-n", "--n-steps", type=int, help="averaged steps (default: all inputs, or 10000)"
    )
    parser.add_argument("-k", type=int, help="number of exponents (default: all)")
    for name, what in (("--transient", "of the state alone"), ("--basis-transient", "of both")):
        parser.add_argument(
            name,
            type=int,
            metavar="N",
            help=f"warm-up {what}, in steps (default: a tenth of the run)",
        )
    parser.add_argument(
        "--qr-interval",
        type=common.integer_or_auto,
        default="auto",
        metavar="N",
        help="steps between factorisations (default %(default)s)",
    )
    parser.add_argument("--tol", type=float, help="stop when all half-widths are below this")
    common.add_results(parser, "save the whole result, for lyapnet.load")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    common.check_output(options)
    cell = common.network(options)
    inputs = common.inputs_or_zeros(options, cell)
    n_steps = options.n_steps
    if n_steps is None and inputs is None:
        n_steps = 10_000
    s = lyapunov_spectrum(
        cell,
        n_steps,
        inputs=inputs,
        k=options.k,
        transient=options.transient,
        basis_transient=options.basis_transient,
        qr_interval=options.qr_interval,
        tol=options.tol,
        rng=options.seed,
        progress=common.progress(options),
    )
    if options.output is not None:
        s.save(options.output)
    low, high = s.confidence_interval()
    verdict = s.diagnose().verdict
    if options.json:
        found = {"exponents": s.exponents, "stderr": s.stderr, "low": low, "high": high}
        settings = {name: s.settings[name] for name in _SHOWN}
        common.print_json({"verdict": verdict, **found, **settings, "seed": options.seed})
        return
    print(f"{'i':>4} {'exponent':>12} {'95 % interval':>26}   nats per step")
    for i, (lam, a, b) in enumerate(zip(s.exponents, low, high, strict=True), 1):
        print(f"{i:4d} {lam:12.6f}   [{a:10.6f}, {b:10.6f}]")
    print(f"{s.settings['n_steps']} steps; {verdict}")
