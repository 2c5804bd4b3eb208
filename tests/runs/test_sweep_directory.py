"""What a directory of a sweep belongs to: nothing stale, nothing lost."""

import functools
import json
import os
import threading
import time

import numpy as np
import pytest
from swept import GRID, QUIET, draw

import lyapnet as ln
from lyapnet.runs.sweep_run import Run

pytest.importorskip("joblib")


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
    refused(rf"{one.name}.*truncated or damaged.*delete it, and the same sweep")
    one.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    refused(rf"{one.name}.*checksum.*delete it, and the same sweep")
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
