"""Kill what writes at any moment: files are whole, and runs go on bit for bit.

python tests/fuzz/killed.py 300     # on Linux and macOS: it forks
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import lyapnet as ln
from lyapnet.results import files, storage
from lyapnet.runs import checkpoint


def killed(work, seconds):
    """Do some work in a process of its own, and kill it; say whether it was done before."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFEXITED(os.waitpid(child, 0)[1])


def save_on_and_on(path, size):
    """Save arrays that are all of one number, ever another one."""
    i = 0
    while True:
        i += 1
        storage.write(path, {"i": i, "x": np.full(size, i), "y": [np.full(3, i)] * 3})


def writers(count, folder, rng):
    """Kill savings of results: the file is always there, and whole."""
    path, most = folder / "x.npz", 0
    storage.write(path, {"i": 0, "x": np.full(9, 0), "y": []})
    for _ in range(count):
        size = int(rng.choice([10, 10_000, 1_000_000]))
        killed(lambda size=size: save_on_and_on(path, size), rng.uniform(0, 0.05))
        found = storage.read(path)
        assert all((x == found["i"]).all() for x in (found["x"], *found["y"]))
        most = max(most, len(os.listdir(folder)) - 1)
    for left in folder.glob(".lyapnet-*"):
        os.utime(left, (0, 0))  # as if it had been left long ago
    files._TIDIED.clear()
    storage.write(path, 1)
    assert os.listdir(folder) == ["x.npz"], os.listdir(folder)
    return most


def floss(path=None):
    cell = ln.VanillaRNN.random(6, rng=0)
    return ln.floss(cell, 60, k=3, n_steps=10, checkpoint=path, rng=1)


def train(path=None):
    schedule = ln.FlossingSchedule(before=5, at=[9], epochs=5, k=3, n_steps=10)
    task = ln.tasks.TemporalXOR(4)
    return ln.train(
        ln.VanillaRNN.random(6, rng=0), task, 20, n_steps=12, batch_size=3, schedule=schedule,
        checkpoint=path, rng=1,
    )  # fmt: skip


def runs(count, folder, rng):
    """Kill flossing and training, go on, and so on: the end is that of an undisturbed run."""
    checkpoint.EVERY = 0.0
    whole, kills, resumed = {run: run() for run in (floss, train)}, 0, 0
    while kills < count:
        for run, expected in whole.items():
            path = folder / f"{run.__name__}.npz"
            for _ in range(8):  # on a machine that is busy none of them may come to the end
                if killed(lambda run=run, path=path: run(path), rng.uniform(0.01, 0.15)):
                    break
                kills += 1
                resumed += path.exists()
            found = run(path)
            assert found.loss.tobytes() == expected.loss.tobytes()
            for name, x in expected.cell.params.items():
                assert found.cell.params[name].tobytes() == x.tobytes()
            path.unlink()
    return kills, resumed


def point(x, rng):
    time.sleep(0.002)
    return rng.standard_normal(3) + x


def sweeps(count, folder, rng):
    """Kill sweeps: what is there stays, and the rest is done."""
    grid = {"x": list(range(20))}
    whole = ln.sweep(point, grid, rng=0, progress=False)

    def work(directory):
        ln.sweep(point, grid, directory=directory, rng=0, progress=False)

    kills = round_ = 0
    while kills < count:
        directory = folder / f"sweep {round_}"
        round_ += 1
        for _ in range(8):
            if killed(lambda d=directory: work(d), rng.uniform(0.01, 0.06)):
                break
            kills += 1
        found = ln.sweep(point, grid, directory=directory, rng=0, progress=False)
        assert all(map(np.array_equal, found.values, whole.values))
    return kills


def main(count):
    rng = np.random.default_rng(0)
    for work in (writers, runs, sweeps):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            found = work(count, Path(folder), rng)
            print(f"{work.__name__}: {count} kills, {found}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]))
