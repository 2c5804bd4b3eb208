"""Sweeps: what they compute does not depend on how."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from swept import GRID, QUIET, draw, sometimes, spectrum

import lyapnet as ln

pytest.importorskip("joblib")


def test_neither_jobs_nor_order_nor_other_points_change_a_run():
    one = ln.sweep(draw, GRID, seeds=2, rng=5, **QUIET)
    two = ln.sweep(draw, GRID, seeds=2, rng=5, n_jobs=2, **QUIET)
    back = ln.sweep(draw, {"a": [2, 7, 0]}, seeds=2, rng=5, **QUIET)
    for x, y in zip(one.values, two.values, strict=True):
        np.testing.assert_array_equal(x["x"], y["x"])
    np.testing.assert_array_equal(one.values[0]["x"], back.values[4]["x"])
    np.testing.assert_array_equal(one.values[5]["x"], back.values[1]["x"])
    assert not np.array_equal(one.values[0]["x"], one.values[1]["x"])
    assert [p["a"] for p in one.points] == [0, 0, 1, 1, 2, 2]


def test_failed_points_are_recorded_and_tried_again(tmp_path):
    found = ln.sweep(sometimes, GRID, directory=tmp_path, rng=0, **QUIET)
    assert found.values == [0, None, 2]
    assert "not this one" in found.errors[1]
    assert "failed=1" in repr(found)
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_the_same_call_does_only_what_is_missing(tmp_path, monkeypatch):
    first = ln.sweep(draw, GRID, directory=tmp_path, **QUIET)
    files = sorted(tmp_path.glob("*.npz"))
    files[0].unlink()
    times = {path: path.stat().st_mtime_ns for path in files[1:]}
    again = ln.sweep(draw, GRID, directory=tmp_path, **QUIET)
    assert {path: path.stat().st_mtime_ns for path in files[1:]} == times
    for x, y in zip(first.values, again.values, strict=True):
        np.testing.assert_array_equal(x["x"], y["x"])


def test_another_sweep_is_refused(tmp_path):
    ln.sweep(draw, GRID, directory=tmp_path, rng=0, **QUIET)
    with pytest.raises(ValueError, match="another sweep"):
        ln.sweep(draw, GRID, directory=tmp_path, rng=1, **QUIET)
    with pytest.raises(ValueError, match="another sweep"):
        ln.sweep(sometimes, GRID, directory=tmp_path, rng=0, **QUIET)


def test_results_of_lyapnet_come_back_from_files(tmp_path):
    found = ln.sweep(spectrum, {"gain": [0.5]}, directory=tmp_path, rng=0, **QUIET)
    again = ln.sweep(spectrum, {"gain": [0.5]}, directory=tmp_path, rng=0, **QUIET)
    assert type(again.values[0]) is ln.Spectrum
    np.testing.assert_array_equal(found.values[0].exponents, again.values[0].exponents)


def test_points_may_be_listed_and_become_a_table():
    frame = ln.sweep(draw, [{"a": 3}, {"a": 4}], rng=0, **QUIET).to_dataframe()
    assert list(frame["a2"]) == [9, 16]


@pytest.mark.parametrize("grid", [3, "a", {"a": 3}, {"a": "text"}, [3], [{"rng": 1}]])
def test_bad_grids_are_named(grid):
    with pytest.raises(TypeError, match="grid"):
        ln.sweep(draw, grid, **QUIET)


def test_what_a_sweep_has_done_so_far_can_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="no sweep"):
        ln.load_sweep(tmp_path)
    done = ln.sweep(sometimes, GRID, directory=tmp_path, rng=0, **QUIET)
    found = ln.load_sweep(tmp_path)
    assert sorted(map(str, found.points)) == sorted(map(str, done.points))
    assert sum(error is not None for error in found.errors) == sum(
        e is not None for e in done.errors
    )


def leisurely(x, folder, rng):
    """Leave a trace of having begun, and take a while."""
    (Path(folder) / f"{x}-{time.time_ns()}").touch()
    time.sleep(0.1)
    return {"x2": x**2, "draw": rng.standard_normal()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_worker_of_dask_that_is_killed_loses_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    import joblib

    traces = tmp_path / "traces"
    traces.mkdir()
    grid = {"x": range(20), "folder": [str(traces)]}
    local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        before = client.run(os.getpid)

        def kill():
            while len(list(traces.iterdir())) < 5:
                time.sleep(0.01)
            os.kill(next(iter(before.values())), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with joblib.parallel_config(backend="dask"):
            found = ln.sweep(leisurely, grid, directory=tmp_path / "runs", rng=0, **QUIET)
        killer.join()
        assert set(client.run(os.getpid).values()) != set(before.values())
    assert found.errors == [None] * 20
    assert 20 <= len(list(traces.iterdir())) <= 22  # what was done is not done again
    assert found.values == ln.sweep(leisurely, grid, rng=0, **QUIET).values
    assert ln.sweep(leisurely, grid, directory=tmp_path / "runs", **QUIET).values == found.values


GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "sweeps.md"


@pytest.mark.slow
def test_the_scripts_of_the_guide_run(tmp_path):
    """Those for one machine; the one for Slurm differs from Dask's by its cluster alone."""
    pytest.importorskip("distributed")
    scripts = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    local = [script for script in scripts if "SLURMCluster" not in script]
    assert len(local) == len(scripts) - 1 == 1
    (tmp_path / "script.py").write_text(local[0])
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "failed=0" in done.stdout
    (slurm,) = set(scripts) - set(local)
    assert slurm.split("if __name__")[0].count("SLURMCluster") == 1
    compile(slurm, "slurm", "exec")
