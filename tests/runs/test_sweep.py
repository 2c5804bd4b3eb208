"""Sweeps: what they compute does not depend on how."""

import functools
import json
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

import lyapnet as ln
from lyapnet.runs.sweep_run import Run

pytest.importorskip("joblib")


def draw(a, rng):
    return {"a2": a**2, "x": rng.standard_normal(3)}


def sometimes(a, rng):
    if a == 1:
        raise RuntimeError("not this one")
    return a


def spectrum(gain, rng):
    return ln.lyapunov_spectrum(ln.VanillaRNN.random(4, gain=gain, rng=rng), 50, rng=rng)


GRID = {"a": [0, 1, 2]}
QUIET = {"progress": False}


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


def test_parts_in_one_directory_make_a_whole(tmp_path):
    whole = ln.sweep(draw, GRID, seeds=2, rng=5, **QUIET)
    for a in GRID["a"]:
        ln.sweep(draw, {"a": [a]}, seeds=2, rng=5, directory=tmp_path, **QUIET)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*-*.npz")}
    last = ln.sweep(draw, GRID, seeds=2, rng=5, directory=tmp_path, **QUIET)
    assert len(stamps) == 6
    assert all(path.stat().st_mtime_ns == then for path, then in stamps.items())
    for x, y in zip(whole.values, last.values, strict=True):
        np.testing.assert_array_equal(x["x"], y["x"])


def test_a_run_that_has_left_its_file_is_read(tmp_path):
    calls = []

    def once(a, rng):
        calls.append(a)
        return {"a": a, "x": rng.standard_normal()}

    run = Run({"a": 1}, 0, 5, tmp_path)
    assert run(once) == run(once)  # as a cluster asks again that has lost a worker
    assert calls == [1]


# ---- tables and pictures


def both(a, b, rng):
    return {"sum": a + b, "pair": np.array([a, b])}


def number(a, rng):
    return a + 0.1 * rng.random()


def test_a_full_grid_becomes_a_dataset():
    pytest.importorskip("xarray")
    grid = {"a": [3, 1], "b": [0.5, 1.5, 2.5]}
    data = ln.sweep(both, grid, seeds=2, rng=0, **QUIET).to_xarray()
    assert data["sum"].dims == ("a", "b", "seed")
    assert data["pair"].dims == ("a", "b", "seed", "pair_0")
    assert list(data["a"].values) == [3, 1]
    assert data["sum"].sel(a=1, b=2.5, seed=1) == 3.5
    assert list(data["pair"].sel(a=3, b=0.5, seed=0)) == [3, 0.5]


def test_runs_that_failed_are_nan_in_a_dataset():
    pytest.importorskip("xarray")
    data = ln.sweep(sometimes, GRID, rng=0, **QUIET).to_xarray()
    np.testing.assert_array_equal(data["value"].sel(seed=0), [0, np.nan, 2])


def test_what_is_no_grid_says_so():
    pytest.importorskip("xarray")
    some = ln.sweep(both, [{"a": 1, "b": 1}, {"a": 2, "b": 2}], rng=0, **QUIET)
    with pytest.raises(ValueError, match=r"2 x 2 x 1 \(a, b, seed\): use `to_dataframe`"):
        some.to_xarray()
    whole = ln.sweep(spectrum, {"gain": [0.5]}, rng=0, **QUIET)
    with pytest.raises(TypeError, match="a Spectrum, and only numbers"):
        whole.to_xarray()
    ragged = ln.sweep(lambda a, rng: np.ones(a), {"a": [1, 2]}, rng=0, **QUIET)
    with pytest.raises(ValueError, match="different shapes"):
        ragged.to_xarray()
    with pytest.raises(ValueError, match="'a' is both"):
        ln.sweep(lambda a, rng: {"a": a}, GRID, rng=0, **QUIET).to_xarray()
    with pytest.raises(ValueError, match="all runs have failed"):
        ln.sweep(sometimes, {"a": [1]}, rng=0, **QUIET).to_xarray()


def test_a_sweep_over_one_number_draws_its_median():
    pytest.importorskip("matplotlib")
    found = ln.sweep(number, GRID, seeds=3, rng=0, **QUIET)
    ax = found.plot()
    dots, median = ax.lines
    assert len(dots.get_xdata()) == 9
    expected = np.median(np.reshape(found.values, (3, 3)), axis=1)
    np.testing.assert_array_equal(median.get_ydata(), expected)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "value")
    named = ln.sweep(both, {"a": [1, 2], "b": [0]}, rng=0, **QUIET).plot(value="sum")
    assert named.get_ylabel() == "sum"


def test_what_cannot_be_drawn_says_so():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="one parameter that varies, got 'a', 'b'"):
        ln.sweep(both, {"a": [1, 2], "b": [1, 2]}, rng=0, **QUIET).plot()
    with pytest.raises(ValueError, match="not 'a'"):
        ln.sweep(lambda a, rng: 1, {"a": ["x", "y"]}, rng=0, **QUIET).plot()
    with pytest.raises(ValueError, match=r"`value` must be one of \['sum'\]"):
        ln.sweep(both, {"a": [1, 2], "b": [0]}, rng=0, **QUIET).plot(value="pair")


def test_a_table_has_the_errors_of_runs_that_failed_and_no_column_for_what_they_lack():
    frame = ln.sweep(sometimes, GRID, rng=0, **QUIET).to_dataframe()
    assert frame["error"][1] == "RuntimeError: not this one"
    assert frame["error"].isna().sum() == 2

    def fails(a, rng):
        return {"b": 1 / a}

    frame = ln.sweep(fails, {"a": [0, 1]}, rng=0, **QUIET).to_dataframe()
    assert list(frame.columns) == ["a", "seed", "error", "b"]
    assert "error" not in ln.sweep(number, GRID, rng=0, **QUIET).to_dataframe()


# ---- what a directory belongs to


def test_a_value_that_no_file_can_hold_is_its_runs_failure(tmp_path):
    def holds(a, rng):
        return (lambda: a) if a == 1 else np.array([a, None]) if a == 2 else a

    found = ln.sweep(holds, GRID, directory=tmp_path, rng=0, **QUIET)
    assert found.values == [0, None, None]
    assert "cannot save a function" in found.errors[1]
    assert "failed=2" in repr(ln.load_sweep(tmp_path))


def written(source, name="measure"):
    """Return a function as a script would define it."""
    space = {"__name__": "__main__"}
    exec(source, space)
    return space[name]


def test_a_function_that_has_changed_is_refused(tmp_path):
    first = written("def measure(a, rng):\n    'One.'\n    return a + 1 if a in {3, 4} else a")
    same = written(
        "def measure(a, rng):\n    'Two.'\n\n    # why\n    return a + 1 if a in {3, 4} else a"
    )
    ln.sweep(first, GRID, directory=tmp_path, rng=0, **QUIET)
    ln.sweep(same, GRID, directory=tmp_path, rng=0, **QUIET)
    for change in (
        "return a + 2 if a in {3, 4} else a",
        "return max(a, 1)",
        "return (lambda: a)()",
    ):
        other = written(f"def measure(a, rng):\n    {change}")
        with pytest.raises(ValueError, match="before its code, or what it holds, changed"):
            ln.sweep(other, GRID, directory=tmp_path, rng=0, **QUIET)


def test_what_has_no_description_is_refused(tmp_path):
    first = written("def measure(a, rng):\n    return a")
    ln.sweep(first, GRID, directory=tmp_path, rng=0, **QUIET)
    note = tmp_path / "sweep.json"
    head = json.loads(note.read_text())
    first_version = {name: head[name] for name in ("function", "entropy")}
    note.write_text(json.dumps(first_version))
    with pytest.raises(ValueError, match="before its code, or what it holds, changed"):
        ln.sweep(first, GRID, directory=tmp_path, **QUIET)
    note.write_text(json.dumps({**head, "entropy": 1}))
    with pytest.raises(ValueError, match=r"sweep\.json.*checksum"):
        ln.sweep(first, GRID, directory=tmp_path, **QUIET)


def test_functions_of_lyapnet_may_change(tmp_path):
    for source in ("def learn(a, rng):\n    return a", "def learn(a, rng):\n    return 2 * a"):
        function = written(source, "learn")
        function.__module__ = "lyapnet.paper.learning"
        ln.sweep(function, GRID, directory=tmp_path, rng=0, **QUIET)
    assert "code" not in json.loads((tmp_path / "sweep.json").read_text())["description"]


def test_a_sweep_of_a_partial_function_goes_on(tmp_path):
    def measure(a, rng, *, gain):
        return gain * a

    for gain in (2.0, 2.0):
        function = functools.partial(measure, gain=gain)
        found = ln.sweep(function, GRID, directory=tmp_path, rng=0, **QUIET)
    assert found.values == [2.0 * point["a"] for point in found.points]
    other = functools.partial(measure, gain=3.0)
    with pytest.raises(ValueError, match="before its code, or what it holds, changed"):
        ln.sweep(other, GRID, directory=tmp_path, rng=0, **QUIET)


# ---- on a cluster


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


# ---- nothing stale, nothing lost


class Scale:
    def __init__(self, by):
        self.by = by

    def measure(self, a, rng):
        return a * self.by

    def __call__(self, a, rng):
        return a * self.by


def closing_over(x):
    def measure(a, rng):
        return np.sum(x[0] if isinstance(x, list) else x["x"] if isinstance(x, dict) else x)

    return measure


def by_default(x):
    def measure(a, rng, x=x):
        return np.sum(x)

    return measure


STALE = {
    "list of arrays": lambda n: closing_over([np.full(3, n)]),
    "dictionary of arrays": lambda n: closing_over({"x": np.full(3, n)}),
    "cell": lambda n: by_default(ln.VanillaRNN.random(2, rng=n).params["W"]),
    "default array": lambda n: by_default(np.full(3, n)),
    "default number of numpy": lambda n: by_default(np.int64(n)),
    "self": lambda n: Scale(n).measure,
    "callable": Scale,
}


@pytest.mark.parametrize("kind", STALE)
def test_what_a_function_holds_is_part_of_it(tmp_path, kind):
    found = ln.sweep(STALE[kind](1), GRID, directory=tmp_path, rng=0, **QUIET)
    again = ln.sweep(STALE[kind](1), GRID, directory=tmp_path, rng=0, **QUIET)
    assert again.values == found.values
    with pytest.raises(ValueError, match="before its code, or what it holds, changed"):
        ln.sweep(STALE[kind](2), GRID, directory=tmp_path, rng=0, **QUIET)


def test_points_of_other_types_are_other_points(tmp_path):
    def kind(a, rng):
        return f"{type(a).__name__} {getattr(a, 'dtype', '')} {a}"

    points = [1, 1.0, True, "1", [1], (1,), np.array([1]), np.array([1.0]), np.float32(1), None]
    points += [{"1": 2}, {1: 2}, np.array([[1]])]
    found = ln.sweep(kind, {"a": points}, directory=tmp_path, rng=0, **QUIET)
    assert len({str(value) for value in found.values}) == len(points)
    backward = ln.sweep(kind, {"a": points[::-1]}, directory=tmp_path, rng=0, **QUIET)
    assert backward.values == found.values[::-1]
    # What a linspace holds is as good as a number.
    numbers = ln.sweep(kind, {"a": [np.float64(1.0)]}, directory=tmp_path, rng=0, **QUIET)
    assert numbers.values == [found.values[1]]


VALUES = {
    "dictionary of a mark": {"__array__": "x"},
    "dictionary of a class": {"__class__": "Spectrum", "state": {}},
    "tuple": (1, (2.0, "a")),
    "keys": {1: "a", "1": "b"},
    "number of numpy": np.float32(0.1),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_directory_changes_no_value(tmp_path, kind):
    value = VALUES[kind]

    def give(a, rng):
        return value

    fresh = ln.sweep(give, {"a": [1]}, rng=0, **QUIET).values[0]
    for _ in range(2):
        again = ln.sweep(give, {"a": [1]}, directory=tmp_path, rng=0, **QUIET).values[0]
        assert (type(again), again) == (type(value), value) == (type(fresh), fresh)
    assert ln.load_sweep(tmp_path).values == [value]


def test_what_no_file_can_hold_is_an_error_with_a_directory_or_without(tmp_path):
    def eigen(a, rng):
        return np.linalg.eigh(np.eye(2)) if a == 1 else a

    for directory in (None, tmp_path, tmp_path):
        found = ln.sweep(eigen, GRID, directory=directory, rng=0, **QUIET)
        assert found.values == [0, None, 2]
        assert "EighResult: a named tuple: give its _asdict()" in found.errors[1]
    assert ln.load_sweep(tmp_path).errors[0::2] != [None, None]


def test_files_in_another_ones_place_and_damaged_ones_are_named(tmp_path):
    ln.sweep(draw, GRID, directory=tmp_path, rng=0, **QUIET)
    one, two, _ = sorted(tmp_path.glob("*.npz"))
    good = one.read_bytes()

    def refused(message):
        for read in (
            lambda: ln.load_sweep(tmp_path),
            lambda: ln.sweep(draw, GRID, directory=tmp_path, rng=0, **QUIET),
        ):
            with pytest.raises(ValueError, match=message):
                read()

    one.write_bytes(two.read_bytes())
    refused(rf"{one.name}.*is the file of another run")
    ln.VanillaRNN.random(3, rng=0).save(one)
    refused(rf"{one.name}.*but not that of a run")
    one.write_bytes(good[:100])
    refused(rf"{one.name}.*truncated or damaged")
    one.unlink()
    assert len(ln.sweep(draw, GRID, directory=tmp_path, rng=0, **QUIET).values) == 3
    assert one.read_bytes()[:100] == good[:100]
    note = tmp_path / "sweep.json"
    for text in (b"", b"{", b"[]", note.read_bytes().replace(b"draw", b"drew"), b"\xff"):
        note.write_bytes(text)
        refused(r"sweep\.json.*truncated or damaged")


def slow(a, log, rng):
    with open(log, "a") as file:
        file.write(f"{a}\n")
    time.sleep(0.02)
    return rng.standard_normal()


def test_threads_that_sweep_one_directory_share_the_work(tmp_path):
    grid, found = {"a": list(range(8)), "log": [str(tmp_path / "log")]}, []

    def work():
        found.append(ln.sweep(slow, grid, directory=tmp_path / "s", rng=0, **QUIET))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((tmp_path / "log").read_text().split()) == [str(a) for a in range(8)]
    assert [x.values for x in found[1:]] == [found[0].values] * 2
    assert len(os.listdir(tmp_path / "s")) == 9


def test_without_a_seed_all_who_sweep_a_directory_have_one(tmp_path):
    grid, found = {"a": list(range(4))}, []

    def work():
        found.append(ln.sweep(draw, grid, directory=tmp_path, **QUIET))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = [value["x"].tolist() for value in found[0].values]
    assert all([value["x"].tolist() for value in x.values] == first for x in found)
