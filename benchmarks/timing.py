"""Fair timing on one core: set the machine up, let contenders alternate, print what came out.

Every contender gets the same arrays, and all answers are compared before any is timed. The
process is pinned to one core and every library told to use one thread. Contenders take
turns, so that a change of clock or load meets all of them. Times are those of the processor,
summed over the process' threads: on one core that is what the clock would show if nothing
else ran, and it does not count the turns of other programs.
"""

import importlib.metadata
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_core():
    """Pin this process to one core, the last that it may use; call before importing NumPy."""
    for name in THREADS:
        os.environ[name] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_ENABLE_X64"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if "OPENBLAS_CORETYPE" in os.environ:
        chosen = os.environ["OPENBLAS_CORETYPE"]
        print(f"OPENBLAS_CORETYPE={chosen} is set: OpenBLAS does not choose its kernels itself.")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    else:
        print("This system cannot pin a process to a core: times will scatter more.")


def peer(name):
    """Import another tool, or say that it is left out."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: left out.")
        return None


def race(contenders, rounds, least=0.02):
    """Let contenders take turns; return processor seconds per call, one for each round.

    Parameters
    ----------
    contenders : dict
        Name to a function without arguments. Each runs once before, which compiles it.
    rounds : int
    least : float
        Seconds that one turn should take: short calls are repeated.
    """
    repeats = {}
    for name, run in contenders.items():
        run()
        start = time.process_time()
        run()
        repeats[name] = max(1, int(least / max(time.process_time() - start, 1e-9)))
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.process_time()
            for _ in range(repeats[name]):
                run()
            seconds[name].append((time.process_time() - start) / repeats[name])
    return {name: as_array(found) for name, found in seconds.items()}


def as_array(found):
    """Return the times of the rounds, in their order, as an array."""
    import numpy as np

    return np.array(found)


@dataclass(frozen=True)
class Ratio:
    """How many times as long one contender takes as another.

    Attributes
    ----------
    value : float
        Ratio of the medians.
    low, high : float
        Quartiles of the ratios within the rounds.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, slow, fast):
        """Compare the times of two contenders."""
        import numpy as np

        low, high = np.percentile(slow / fast, (25, 75))
        return cls(float(np.median(slow) / np.median(fast)), float(low), float(high))

    def __str__(self):
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def summary(seconds):
    """Return the median, the least and the quartiles of each contender's times, in seconds."""
    import numpy as np

    return {
        name: {
            "median": float(np.median(t)),
            "least": float(t.min()),
            "quartiles": np.percentile(t, (25, 75)).tolist(),
        }
        for name, t in seconds.items()
    }


def machine():
    """Say what the numbers were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = models[0].split(":")[1].strip() if models else model
    versions = {}
    for name in ("numpy", "scipy", "jax", "torch", "lyapax", "pynamicalsys", "numba"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    python = platform.python_version()
    return {"processor": model, "python": python, **versions, "BLAS kernels": kernels()}


def kernels():
    """Return the processor for which NumPy's and SciPy's BLAS have chosen their kernels.

    OpenBLAS goes by the processor, or by `OPENBLAS_CORETYPE` where that is set. Kernels for AVX2
    have half the speed of those for AVX-512, which JAX brings of its own.
    """
    import scipy.linalg  # noqa: F401 - loads its BLAS
    from threadpoolctl import threadpool_info

    return sorted(
        {f"{x['internal_api']} {x.get('architecture', '')}".strip() for x in threadpool_info()}
    )


def table(head, rows):
    """Print a table in Markdown."""
    rows = [[str(x) for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, ["-" * w for w in widths], *rows):
        print("| " + " | ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)) + " |")


def write(path, report):
    """Write a report as JSON, if a path is given."""
    if path:
        path = Path(path)
        path.write_text(json.dumps({"machine": machine(), **report}, indent=2) + "\n", "utf-8")
