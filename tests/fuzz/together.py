"""Let pairs of processes write to one place: a file, a folder of a sweep, a checkpoint.

python tests/fuzz/together.py 200     # on Linux and macOS: it forks
"""

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

import lyapnet as ln
from lyapnet.results import storage


def in_pairs(work):
    """Do some work in two processes at once; return what the exit codes are."""
    children = []
    for which in (1, 2):
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = work(which)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def files(count, folder):
    """Save other things under one name, and read: each is whole, and one of both."""
    path = folder / "x.npz"

    def work(which):
        for i in range(5):
            storage.write(path, {"by": which, "x": np.full(10_000 * which, which), "i": i})
            found = storage.read(path)
            assert len(found["x"]) == 10_000 * found["by"]
            assert (found["x"] == found["by"]).all()
        return 0

    for _ in range(count):
        assert in_pairs(work) == [0, 0]
        assert storage.read(path)["i"] == 4
        assert os.listdir(folder) == ["x.npz"]


def point(x, log, rng):
    with open(log, "a") as file:
        file.write(f"{x}\n")
    time.sleep(0.001)
    return rng.standard_normal(2)


def sweeps(count, folder):
    """Sweep one folder: both have all results, and each point is done once."""
    for i in range(count):
        directory, log = folder / f"sweep {i}", folder / f"log {i}"
        grid = {"x": list(range(10)), "log": [str(log)]}
        whole = None

        def work(which, grid=grid, directory=directory):
            found = ln.sweep(point, grid, directory=directory, rng=0, progress=False)
            return 0 if found.errors == [None] * 10 else 1

        assert in_pairs(work) == [0, 0]
        assert sorted(map(int, log.read_text().split())) == grid["x"]
        found = ln.sweep(point, grid, directory=directory, rng=0, progress=False)
        whole = [x.tolist() for x in found.values]
        assert len({str(x) for x in whole}) == 10
        assert len(os.listdir(directory)) == 11, os.listdir(directory)


def checkpoints(count, folder):
    """Run twice on one checkpoint: one of both is told, or comes when the other is done."""
    told = 0
    for i in range(count):
        path = folder / f"{i}.npz"

        def work(which, path=path):
            try:
                cell = ln.VanillaRNN.random(4, rng=0)
                ln.floss(cell, 5, k=1, n_steps=5, rng=1, checkpoint=path)
            except ValueError as error:
                return 3 if "is in use by a run" in str(error) else 4
            return 0

        codes = sorted(in_pairs(work))
        assert codes in ([0, 0], [0, 3]), codes
        told += codes == [0, 3]
        assert [name for name in os.listdir(folder) if "lyapnet" in name] == []
    return told


def main(count):
    for work in (files, sweeps, checkpoints):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            found = work(count, Path(folder))
            more = "" if found is None else f", {found} were told"
            print(f"{work.__name__}: {count} pairs{more}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]))
