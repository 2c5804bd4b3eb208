"""Run the benchmarks beside this file, one after the other, each in a process of its own.

    python benchmarks/run.py [--quick] [NAME ...]

Every script takes ``--quick``, for a run of seconds, and exits with 0 if its claim holds (or
if what it compares with is not installed, which it says).
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def is_benchmark(path: Path) -> bool:
    """Tell a script from this one, and from the modules that scripts share."""
    return path.stem != "run" and "__main__" in path.read_text(encoding="utf-8")


def main() -> int:
    names = sorted(path.stem for path in HERE.glob("*.py") if is_benchmark(path))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names) or "none yet")
    parser.add_argument("--quick", action="store_true", help="the short form of each")
    options = parser.parse_args()
    unknown = set(options.names) - set(names)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")

    failed = []
    for name in options.names or names:
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        command = [sys.executable, str(HERE / f"{name}.py"), *["--quick"] * options.quick]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
        print(f"== {name}: {time.perf_counter() - start:.1f} s\n", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
