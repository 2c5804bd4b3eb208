"""Without numba everything works as it does by NumPy, and says so."""

import os
import subprocess
import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.systems import engine

SYSTEMS = {
    "map": lambda: ln.Map(lambda x: [1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]], 2),
    "vanilla": lambda: ln.VanillaRNN.random(4, rng=0),
    "lstm": lambda: ln.LSTM.random(3, rng=0),
    "gru": lambda: ln.GRU.random(4, rng=0),
    "stack": lambda: ln.Stack([ln.GRU.random(3, rng=0), ln.LSTM.random(2, n_inputs=3, rng=0)]),
}
EACH = pytest.mark.parametrize("kind", SYSTEMS)


@pytest.fixture(autouse=True)
def no_numba(monkeypatch):
    """Let the package find none, whether there is one or not."""
    monkeypatch.setitem(sys.modules, "numba", None)
    engine.missing.cache_clear()
    yield
    monkeypatch.undo()
    engine.missing.cache_clear()


@EACH
def test_a_run_is_numpys(kind):
    system = SYSTEMS[kind]()
    s = ln.lyapunov_spectrum(system, 1200, k=2, x0=np.full(system.dim, 0.1), rng=0)
    assert s.settings["engine"] == "numpy"
    assert np.isfinite(s.exponents).all()
    if kind != "stack":
        assert "lyapnet[fast]" in s.settings["engine_reason"]


@pytest.mark.parametrize("kind", ["vanilla", "lstm", "gru", "stack"])
def test_training_is_numpys(kind):
    cell = SYSTEMS[kind]()
    r = ln.train(cell, ln.tasks.DelayedCopy(2), 50, n_steps=21, batch_size=2, rng=0)
    assert np.isfinite(r.loss).all()
    assert cell.with_loops(2, 10**5).engine_used[0] == "numpy"


@pytest.mark.parametrize("kind", ["map", "vanilla", "lstm", "gru"])
def test_compiled_names_the_extra(kind):
    with pytest.raises(ImportError, match=r"lyapnet\[fast\]"):
        ln.compiled(SYSTEMS[kind]())


def test_the_package_does_not_import_it():
    code = "import sys, lyapnet; sys.exit('numba' in sys.modules or 'llvmlite' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
