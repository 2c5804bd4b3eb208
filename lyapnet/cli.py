"""The command line: ``lyapnet demo | spectrum``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .errors import LyapnetError
from .spectrum import lyapunov_spectrum
from .weights import read_cell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    Exit codes: 0 done, 1 a computation failed, 2 bad arguments or files.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except LyapnetError as error:
        print(f"lyapnet {options.command}: {error}", file=sys.stderr)
        return 1
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"lyapnet {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"lyapnet {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lyapnet",
        description="Lyapunov analysis of recurrent networks.",
        epilog="Each command has its own help: lyapnet spectrum --help",
    )
    parser.add_argument("--version", action="version", version=f"lyapnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="show everything on one network, in under a minute",
        description="Measure known systems; measure, verify, floss and train one network. "
        "Prints tables, writes a figure and a JSON file.",
    )
    demo.add_argument("-o", "--output", default="lyapnet-demo", help="folder (default %(default)s)")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run=_demo)

    spectrum = commands.add_parser(
        "spectrum",
        help="the Lyapunov exponents of your own network",
        description="Print the Lyapunov exponents of a network, with 95 % intervals.",
        epilog="Weights: a cell saved by lyapnet; an .npz or .safetensors file with arrays W "
        "(n, n), V (n, m), b (n) of h' = W phi(h) + V u + b; or the state dict of a torch.nn.RNN "
        "saved as npz or safetensors. Example: "
        "lyapnet spectrum weights.npz --inputs inputs.npy -k 10 --json",
    )
    spectrum.add_argument("weights", help="file with the network's weights")
    spectrum.add_argument("--inputs", metavar="FILE.npy", help="array (steps, inputs)")
    spectrum.add_argument(
        "-n", "--n-steps", type=int, help="averaged steps (default: all inputs, or 10000)"
    )
    spectrum.add_argument("-k", type=int, help="number of exponents (default: all)")
    spectrum.add_argument("--tol", type=float, help="stop when all half-widths are below this")
    spectrum.add_argument("--activation", default="tanh", choices=["tanh", "relu", "linear"])
    spectrum.add_argument("--leak", type=float, default=1.0)
    spectrum.add_argument("--seed", type=int, default=0)
    spectrum.add_argument("--json", action="store_true", help="print JSON instead of a table")
    spectrum.add_argument("-o", "--output", metavar="FILE.npz", help="save the whole result")
    spectrum.set_defaults(run=_spectrum)
    return parser


def _demo(options: argparse.Namespace) -> None:
    from .demo import run

    run(Path(options.output), seed=options.seed)


def _spectrum(options: argparse.Namespace) -> None:
    cell = read_cell(options.weights, activation=options.activation, leak=options.leak)
    inputs = None if options.inputs is None else np.load(options.inputs, allow_pickle=False)
    n_steps = options.n_steps
    if n_steps is None and inputs is None:
        n_steps = 10_000
    s = lyapunov_spectrum(
        cell,
        n_steps,
        inputs=inputs,
        k=options.k,
        tol=options.tol,
        rng=options.seed,
        progress=sys.stderr.isatty(),
    )
    if options.output is not None:
        s.save(options.output)
    low, high = s.confidence_interval()
    if options.json:
        print(json.dumps(_plain({**s.settings, **_columns(s, low, high)}), indent=1))
        return
    print(f"{'i':>4} {'exponent':>12} {'95 % interval':>26}   nats per step")
    for i, (lam, a, b) in enumerate(zip(s.exponents, low, high, strict=True), 1):
        print(f"{i:4d} {lam:12.6f}   [{a:10.6f}, {b:10.6f}]")
    print(f"{s.settings['n_steps']} steps; {s.diagnose().verdict}")


def _columns(s: Any, low: Any, high: Any) -> dict[str, Any]:
    return {"exponents": s.exponents, "stderr": s.stderr, "low": low, "high": high}


def _plain(x: Any) -> Any:
    """Turn arrays into lists, and what JSON has no number for into text."""
    if isinstance(x, dict):
        return {key: _plain(item) for key, item in x.items()}
    if isinstance(x, np.ndarray | list | tuple):
        return [_plain(item) for item in x]
    if isinstance(x, float | np.floating):
        return float(x) if np.isfinite(x) else str(float(x))
    return x.item() if isinstance(x, np.generic) else x
