"""Damage files of each kind, and read them: a typed error that names the file, or what was in it.

python tests/fuzz/damage.py 20000 [KIND ...]     # each kind, with figures; each in a process
"""

import functools
import json
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np

import lyapnet as ln
from lyapnet.cli import common
from lyapnet.results import storage
from lyapnet.weights import read_arrays, write_arrays

FIXTURES = Path(__file__).parents[1] / "fixtures"


def spectrum(path):
    ln.lyapunov_spectrum(ln.VanillaRNN.random(4, rng=0), 30, transient=5, rng=0).save(path)


def cell(path):
    ln.Stack([ln.VanillaRNN.random(3, rng=0), ln.GRU.random(2, n_inputs=3, rng=0)]).save(path)


def state(path):
    ln.floss(ln.VanillaRNN.random(4, rng=0), 3, k=1, n_steps=5, checkpoint=path, rng=0)


def run(x, rng):
    return {"x": x, "all": (np.arange(3.0), {1: "a", "1": "b"})}


def swept(path):
    with tempfile.TemporaryDirectory() as folder:
        ln.sweep(run, {"x": [1]}, directory=folder, rng=0, progress=False)
        name = "sweep.json" if path.suffix == ".json" else "*.npz"
        shutil.copy(next(Path(folder).glob(name)), path)


def read_note(path):
    from lyapnet.runs.sweep import _read_note

    return _read_note(path)


def read_inputs(path):
    options = type("Options", (), {"inputs": str(path)})
    return common.inputs(options, ln.VanillaRNN.random(4, n_inputs=2, rng=0))


def weights(path):
    write_arrays(path, ln.to_torch(ln.GRU.random(4, rng=0)))


def squeezed(path):
    np.savez_compressed(path, **ln.to_torch(ln.GRU.random(4, rng=0)))


def inputs(path):
    x = np.random.default_rng(0).standard_normal((20, 2))
    np.save(path, x) if path.suffix == ".npy" else np.savetxt(path, x, delimiter=",")


def fixture(name):
    return lambda path: shutil.copy(FIXTURES / name, path)


#: How each kind is written and read, and whether damage must be found: others have no checksum.
KINDS = {
    "spectrum.npz": (spectrum, ln.load, True),
    "cell.npz": (cell, ln.load, True),
    "checkpoint.npz": (state, functools.partial(storage.read, kind="checkpoint"), True),
    "run.npz": (swept, ln.load, True),
    "sweep.json": (swept, read_note, True),
    "first format.npz": (fixture("saved/1/train.npz"), ln.load, False),
    "weights.npz": (weights, read_arrays, False),
    "compressed.npz": (squeezed, read_arrays, False),
    "weights.safetensors": (weights, read_arrays, False),
    "weights.h5": (fixture("keras.weights.h5"), read_arrays, False),
    "weights.keras": (fixture("keras.keras"), read_arrays, False),
    "inputs.npy": (inputs, read_inputs, False),
    "inputs.csv": (inputs, read_inputs, False),
}


def damaged(good, rng):
    """Return the bytes of a file with some damage of a random kind."""
    data = bytearray(good)
    at, kind = int(rng.integers(len(data))), int(rng.integers(8))
    size = int(rng.integers(1, 1 + min(200, len(data) - at)))
    if kind <= 1:  # a bit or a few
        for where in [at, *rng.integers(len(data), size=kind * 5)]:
            data[where] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        del data[at:]
    elif kind == 3:
        del data[at : at + size]
    elif kind == 4:
        data[at:at] = rng.bytes(size)
    elif kind == 5:
        data[at : at + size] = rng.bytes(size)
    elif kind == 6:
        data[at : at + size] = bytes([int(rng.choice([0, 255]))]) * size
    else:  # the same again, elsewhere: also a number of another field
        other = int(rng.integers(len(data)))
        data[other : other + size] = data[at : at + size]
    return bytes(data)


def fuzz(name, count, folder, seed=0):
    """Return how often a kind's damaged files were refused, and how often read all the same."""
    write, read, sealed = KINDS[name]
    rng = np.random.default_rng(seed)
    good, path = folder / name, folder / f"damaged {name}"
    write(good)
    read(good)
    content, seen = good.read_bytes(), Counter()
    for i in range(count):
        bad = damaged(content, rng)
        path.write_bytes(bad)
        tracemalloc.start()
        try:
            read(path)
        except ValueError as error:
            if path.name not in str(error):
                raise AssertionError(f"{name}, damage {i}: no name in {error}") from error
            seen["refused"] += 1
        except Exception as error:
            raise AssertionError(f"{name}, damage {i}: {error!r}") from error
        else:
            same = bad == content or (
                path.suffix == ".json" and json.loads(bad) == json.loads(content)
            )
            assert same or not sealed, (name, i, "was read all the same")
            seen["same" if same else "read"] += 1
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 64e6 + 200 * len(bad), (name, i, peak)
    return seen


def main():
    count, *chosen = sys.argv[1:]
    if len(chosen) != 1:
        for name in chosen or KINDS:
            subprocess.run([sys.executable, __file__, count, name], check=True)
        return
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        seen = fuzz(chosen[0], int(count), Path(folder))
    print(f"{chosen[0]:20s} {dict(seen)}, {time.process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
