"""The command line: ``lyapnet demo | spectrum | condition | floss | train | reproduce``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import LyapnetError
from . import condition, demo, floss, reproduce, spectrum, train

__all__ = ["main"]

#: Modules with a function `add`, in the order of the help.
_COMMANDS = (demo, spectrum, condition, floss, train, reproduce)

_TEACH = """\
a first session:
  lyapnet demo                                       everything on one network, in a minute
  lyapnet spectrum weights.npz -k 10                 the exponents of your own network
  lyapnet condition weights.npz -k 10                how badly gradients are conditioned
  lyapnet floss weights.npz -k 10 -o flossed.npz     mend that
  lyapnet condition flossed.npz -k 10                and look again

Each command has its own help, with examples: lyapnet floss --help
Results go to stdout, progress, notes and errors to stderr.
Exit codes: 0 done, 1 a computation failed, 2 bad arguments or files, 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    Exit codes: 0 done, 1 a computation failed, 2 bad arguments or files, 130 interrupted.
    """
    try:
        try:
            return _run(_parser().parse_args(arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; the interpreter flushes once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace) -> int:
    def say(message: object) -> None:
        print(f"lyapnet {options.command}: {message}", file=sys.stderr)

    try:
        options.run(options)
    except BrokenPipeError:
        raise
    except (LyapnetError, MemoryError) as error:
        say(error)
        return 1
    except (ValueError, TypeError, OSError, ImportError) as error:
        say(error)
        return 2
    except KeyboardInterrupt:
        say(f"interrupted{_how_to_go_on(options)}")
        return 130
    return 0


def _how_to_go_on(options: argparse.Namespace) -> str:
    """Say what an interrupted run has left."""
    if "checkpoint" not in options:
        return ""
    if options.checkpoint is None:
        return "; nothing is saved: with --checkpoint FILE it could go on"
    if not os.path.exists(options.checkpoint):
        return " before the first epoch"
    return f"; saved in {options.checkpoint}: the same command goes on from there"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lyapnet",
        description="Lyapunov analysis of recurrent networks.",
        epilog=_TEACH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lyapnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser
