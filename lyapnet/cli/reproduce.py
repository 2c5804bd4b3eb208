"""``lyapnet reproduce``."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import LyapnetError
from . import common

_TEACH = """\
Each figure is a short script, lyapnet/paper/scripts/fig_*.py, that says what the paper claims,
which settings it has and which of these the paper leaves open. The picture and the data, a line of
JSON for each run, go to a folder; runs that are there are not done again, so that a figure that
was interrupted goes on. `quick` takes two minutes at most, `full` has the paper's size.

examples:
  lyapnet reproduce --list
  lyapnet reproduce 2A
  lyapnet reproduce 1C --scale full --jobs 4 -o figures
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = common.command(
        commands,
        "reproduce",
        help="reproduce a figure of the paper",
        description="Reproduce a figure of the paper, and put its claims in numbers.",
        epilog=_TEACH,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("figure", nargs="?", metavar="FIGURE", help="such as 2A, see --list")
    what.add_argument("--list", action="store_true", help="list the figures, and do nothing")
    parser.add_argument("--scale", choices=["quick", "full"], default="quick", help="default quick")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes, -1 for all cores (default 1)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="folder for picture and data (default lyapnet-paper/SCALE)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a bar on stderr (default: if that is a terminal)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from ..paper import FIGURES, load_figure, reproduce

    if options.list:
        titles = {figure: load_figure(figure).TITLE for figure in FIGURES}
        if options.json:
            common.print_json(titles)
        else:
            for figure, title in titles.items():
                print(f"{figure:<10} {title}")
        return
    found = reproduce(
        options.figure,
        scale=options.scale,
        directory=options.output,
        n_jobs=options.jobs,
        progress=common.progress(options),
    )
    if options.json:
        common.print_json(
            {
                "figure": found.figure,
                "scale": options.scale,
                "findings": [vars(finding) for finding in found.findings],
                "picture": str(found.picture),
                "data": str(found.data),
                "errors": found.errors,
                "seconds": found.seconds,
            }
        )
    else:
        _print(found, options.scale)
    if found.errors:
        reason = found.errors[0].splitlines()[-1]
        raise LyapnetError(f"{len(found.errors)} runs failed, the first with {reason}")


def _print(found: Any, scale: str) -> None:
    from ..paper import load_figure

    print(f"Figure {found.figure}, {scale}: {load_figure(found.figure).TITLE}")
    for finding in found.findings:
        print(f"  {finding}")
    print(
        f"{len(found.records)} runs, {found.seconds:.0f} s of computing; picture {found.picture}, "
        f"data {found.data}"
    )
