"""Compiled code is kept on disk, and whatever happens to it there costs a compilation at most."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lyapnet as ln

pytest.importorskip("numba")

from lyapnet.compiled import kernel, machine


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LYAPNET_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(kernel, "_known", {})
    return tmp_path / "kept"


@pytest.fixture
def compiled(monkeypatch):
    done = []
    one = machine.Machine._compile
    monkeypatch.setattr(
        machine.Machine, "_compile", lambda self, text: done.append(1) or one(self, text)
    )
    return done


def run():
    kernel._known.clear()  # as in a new process
    system = ln.Map(lambda x: [1 - 1.37 * x[0] ** 2 + x[1], 0.3 * x[0]], 2)
    return ln.lyapunov_spectrum(ln.compiled(system), 20, x0=np.full(2, 0.1), rng=0).exponents


def test_the_second_process_reads(folder, compiled):
    first = run()
    assert len(list(folder.iterdir())) == len(compiled) == 1
    assert (run() == first).all()
    assert len(compiled) == 1


@pytest.mark.parametrize("damage", [lambda b: b[:40], lambda b: b"", lambda b: b[:-9] + b"x" * 9])
def test_a_damaged_entry_is_written_again(folder, compiled, damage):
    first = run()
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert (run() == first).all()
    assert len(compiled) == 2
    assert entry.read_bytes() == whole


def test_a_disk_that_cannot_be_written(folder, compiled, monkeypatch):
    folder.write_text("a file where the folder should be")
    first = run()
    assert (run() == first).all()
    assert len(compiled) == 2


def test_a_full_disk_leaves_nothing_behind(folder, compiled, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine.os, "replace", full)
    run()
    assert list(folder.iterdir()) == []


def test_another_processor_has_entries_of_its_own(folder, compiled, monkeypatch):
    run()
    monkeypatch.setattr(machine.machine(), "identity", "another one")
    run()
    assert len(list(folder.iterdir())) == len(compiled) == 2


CODE = """
import numpy as np, lyapnet as ln
s = ln.lyapunov_spectrum(ln.compiled(ln.catalog.roessler()), 50, rng=0)
print(*s.exponents)
"""


def test_several_processes_at_once(tmp_path):
    environment = {**os.environ, "LYAPNET_CACHE_DIR": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = {process.communicate()[0] for process in processes}
    assert len(answers) == 1
    assert answers.pop()
    assert all(process.returncode == 0 for process in processes)
    # Of the system, and of logarithms.
    assert [path.suffix for path in Path(tmp_path).iterdir()] == [".o", ".o"]


@pytest.mark.slow
def test_compilation_costs_little(folder):
    start = time.process_time()
    run()
    assert time.process_time() - start < 3.0


TRAINING = """
import lyapnet as ln
from lyapnet.compiled import qr, vanilla
cell = ln.compiled(ln.VanillaRNN.random(8, rng=0))
ln.train(cell, ln.tasks.DelayedCopy(1), 1, n_steps=4, batch_size=2, rng=0)
print(len(vanilla.run.signatures), len(qr.orthonormalise.signatures))
"""


def test_training_compiles_nothing_that_factorises():
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, check=True)
    assert done.stdout.split() == [b"1", b"0"]


FUNCTION = """
from lyapnet.compiled.jit import loop

@loop
def twice(x):
    return 2 * x
"""


@pytest.mark.parametrize("left", [0, 50])
def test_damaged_files_of_numba(tmp_path, left):
    (tmp_path / "user.py").write_text(FUNCTION)

    def run():
        code = "from user import twice; print(twice(1.5), twice.stats)"
        arguments = [sys.executable, "-c", code]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, check=True, text=True)
        return done.stdout

    assert "cache_hits=Counter()" in run()
    files = sorted(tmp_path.rglob("*.nb*"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(path.read_bytes()[:left])
        assert run().startswith("3.0")
        assert "cache_hits=Counter({" in run()


OUTER = """
from .called import factor
from .jit import loop

@loop
def scaled(x):
    return factor(x)
"""
INNER = """
from .jit import jit
from .limit import LIMIT

@jit
def factor(x):
    return LIMIT * x
"""


def test_code_is_compiled_again_where_another_file_has_changed(tmp_path):
    package = tmp_path / "lyapnet" / "compiled"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    shutil.copy(Path(machine.__file__).with_name("jit.py"), package)
    sources = {"__init__": "", "outer": OUTER, "called": INNER, "limit": "LIMIT = 2.0"}
    for name, text in sources.items():
        (package / f"{name}.py").write_text(text)

    def run():
        code = (
            "from lyapnet.compiled.outer import scaled as f; print(f(1.5), len(f.stats.cache_hits))"
        )
        arguments = [sys.executable, "-c", code]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout.split()

    assert run() == ["3.0", "0"]
    assert run() == ["3.0", "1"]  # found on disk
    (package / "limit.py").write_text("LIMIT = 4.0")
    assert run() == ["6.0", "0"]
    (package / "called.py").write_text(INNER.replace("LIMIT * x", "LIMIT * x * 2"))
    assert run() == ["12.0", "0"]
