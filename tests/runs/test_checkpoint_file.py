"""What a checkpoint belongs to: other calls and files are refused, full disks found."""

import errno
import json
import os
import sys
import threading

import numpy as np
import pytest
from checkpointed import assert_equal, cell, floss, train

import lyapnet as ln
from lyapnet.results import files, storage
from lyapnet.runs.checkpoint import Checkpoint


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rng": 2}, "rng"),
        ({"clip_norm": 0.2}, "clip_norm"),
        ({"n_steps": 13}, "n_steps"),
        ({"optimizer": ln.Adam(0.1)}, "optimizer"),
        ({"x0": np.ones(6)}, "x0"),
        ({"schedule": ln.FlossingSchedule(before=3, at=[5], epochs=5, k=4, n_steps=8)}, "schedule"),
        ({"penalty": ("spectral_radius", 1.0)}, "penalty"),
    ],
)
def test_a_different_call_is_refused(tmp_path, change, named):
    path = tmp_path / "run.npz"
    train(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"different call \(other {named}\)"):
        train(path, **change)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="different call"):
        floss(path)


def test_other_files_are_refused_and_kept(tmp_path):
    path = tmp_path / "mine.npz"
    for content in (b"precious", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a checkpoint of lyapnet"):
            train(path)
        assert path.read_bytes() == content
    np.savez(path, a=1)
    with pytest.raises(ValueError, match="is not a checkpoint of lyapnet"):
        train(path)
    with pytest.raises(ValueError, match="existing folder"):
        train(tmp_path / "none" / "run.npz")
    with pytest.raises(ValueError, match="existing folder"):
        train(tmp_path)


def test_the_file_is_arrays_and_json(tmp_path):
    path = tmp_path / "run.npz"
    train(path)
    with np.load(path, allow_pickle=False) as file:
        head = json.loads(file["lyapnet.json"])
        assert file["state/params/W"].shape == (6, 6)
    assert head["kind"] == "checkpoint"
    assert head["tree"]["state"]["epoch"] == 9
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.npz"]


def rotation(turns):
    """Return a map that nothing but a function's closure tells from another."""
    return ln.Map(lambda x, p: [p["a"] * x[1], turns * x[0]], dim=2, params={"a": 1.0})


@pytest.mark.usefixtures("always")
def test_maps_with_other_functions_are_another_call(tmp_path):
    path = tmp_path / "run.npz"

    def run(system):
        return ln.floss(system, 2, k=1, n_steps=4, x0=np.ones(2), rng=0, checkpoint=path)

    run(rotation(0.5))
    run(rotation(0.5))
    with pytest.raises(ValueError, match=r"different call \(other cell"):
        run(rotation(0.6))


class Delays(ln.tasks.DelayedCopy):
    def __init__(self, delays):
        super().__init__(2)
        self.delays = delays


@pytest.mark.parametrize("pair", [({2}, {8}), (frozenset({2}), frozenset({8})), (b"2", b"8")])
def test_another_task_is_another_call(tmp_path, pair):
    def run(delays):
        path = tmp_path / "run.npz"
        return ln.train(
            cell(), Delays(delays), 2, n_steps=4, batch_size=1, rng=0, checkpoint=path
        )  # fmt: skip

    run(pair[0])
    run(pair[0])
    with pytest.raises(ValueError, match="different call"):
        run(pair[1])


def test_a_call_that_cannot_be_told_from_another_is_refused_before_the_work(tmp_path):
    task = ln.tasks.DelayedCopy(2)
    task.lock = threading.Lock()
    seen = []
    with pytest.raises(TypeError, match=r"`task\.lock` holds a lock, which cannot be told"):
        ln.train(
            cell(), task, 2, n_steps=4, batch_size=1, callback=seen.append,
            checkpoint=tmp_path / "run.npz",
        )  # fmt: skip
    assert not seen
    assert list(tmp_path.iterdir()) == []


def full(handle):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("run", [train, floss])
def test_a_disk_that_is_full_from_the_start_is_found_before_the_work(tmp_path, monkeypatch, run):
    monkeypatch.setattr(files.os, "fsync", full)
    seen = []
    with pytest.raises(OSError, match=r"No space left on device: '.*run\.npz'"):
        run(tmp_path / "run.npz", callback=seen.append)
    assert not seen
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run", [train, floss])
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.usefixtures("always")
def test_a_disk_that_fills_up_costs_no_result(tmp_path, monkeypatch, run, again):
    whole, path = run(None), tmp_path / "run.npz"
    sync, seen = os.fsync, []

    def callback(record):
        seen.append(record)
        if len(seen) == 3:
            monkeypatch.setattr(files.os, "fsync", full)
        if len(seen) == 6 and again:
            monkeypatch.setattr(files.os, "fsync", sync)

    with pytest.warns(RuntimeWarning, match="which has 2 epochs of it: .*No space") as caught:
        found = run(path, callback=callback)
    assert len(caught) == 1  # not one each epoch
    assert_equal(found, whole)
    monkeypatch.setattr(files.os, "fsync", sync)
    done = len(seen)
    assert_equal(run(path, callback=seen.append), whole)
    assert len(seen) == done + (0 if again else 7)  # from the last save on


def test_a_run_that_never_began_leaves_no_file(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"

    def inputs(rng):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        floss(path, inputs=inputs)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_on_one_file_is_told(tmp_path):
    path, told = tmp_path / "run.npz", []
    link = tmp_path / "link.npz"

    def callback(record):
        for name in (path, link):
            with pytest.raises(ValueError, match="is in use by a run that goes on") as caught:
                floss(name)
            told.append(caught.value)

    if sys.platform != "win32":
        link.symlink_to(path)
    else:
        link = path
    whole = floss(None)
    assert_equal(floss(path, callback=callback), whole)
    assert len(told) == 18
    assert_equal(floss(path), whole)


def test_a_checkpoint_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    monkeypatch.setattr(storage, "FORMAT", storage.FORMAT + 1)
    floss(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"run\.npz.*install a newer lyapnet"):
        floss(path)


def test_an_argument_that_one_version_lacks_counts_as_none(tmp_path):
    path = tmp_path / "run.npz"
    with Checkpoint(path, {"a": 1, "old": None}) as first:
        assert first.load() is None
        first.save({"epoch": 1})
    with Checkpoint(path, {"a": 1, "new": None}) as second:
        assert second.load() == {"epoch": 1}
    with pytest.raises(ValueError, match="other new"):
        Checkpoint(path, {"a": 1, "new": 2}).load()
