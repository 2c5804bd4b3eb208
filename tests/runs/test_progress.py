"""A compilation that takes its time is shown, and nothing where nobody asked for it."""

import time

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.runs import progress


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("show", "seconds"), [(True, 0.3), (True, 0.0), (False, 0.3)])
def test_what_takes_long_is_shown_with_its_time(capfd, show, seconds):
    with progress.compiling(show=show):
        time.sleep(seconds)
    said = capfd.readouterr().err
    assert ("compiling: 00:00" in said) == (show and seconds > 0.0)


@pytest.mark.usefixtures("impatient")
def test_numba_is_seen_at_work(capfd):
    numba = pytest.importorskip("numba")
    with progress.compilations(show=True):
        assert numba.njit(lambda x: np.linalg.norm(x) + np.sort(x)[0])(np.ones(3)) > 2.7
    assert "compiling: 00:0" in capfd.readouterr().err


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("show", [True, False])
def test_a_run_shows_its_compilation(capfd, monkeypatch, tmp_path, show):
    pytest.importorskip("numba")
    from lyapnet.compiled import machine

    monkeypatch.setenv("LYAPNET_CACHE_DIR", str(tmp_path))
    compile_one = machine.Machine._compile
    monkeypatch.setattr(
        machine.Machine, "_compile", lambda self, text: time.sleep(0.3) or compile_one(self, text)
    )
    system = ln.Map(lambda x: [1 - 1.4 * x[0] ** 2 + x[1], 0.2987654 * x[0]], 2)
    ln.lyapunov_spectrum(system, 2000, x0=np.full(2, 0.1), rng=0, progress=show)
    said = capfd.readouterr()
    assert ("compiling: " in said.err) == show
    assert not said.out
    assert show or not said.err
