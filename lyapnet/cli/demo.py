"""``lyapnet demo``."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from . import common


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="show everything on one network, in under a minute",
        description="Measure known systems; measure, verify, floss and train one network. "
        "Prints tables, writes a figure and a JSON file.",
    )
    parser.add_argument(
        "-o", "--output", default="lyapnet-demo", help="folder (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default 0)")
    parser.add_argument(
        "--json", action="store_true", help="print the JSON, with the tables on stderr"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from .. import demo

    if not options.json:
        demo.run(Path(options.output), seed=options.seed)
        return
    with contextlib.redirect_stdout(sys.stderr):
        found = demo.run(Path(options.output), seed=options.seed)
    common.print_json(found)
