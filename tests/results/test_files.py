"""The one writer: whole or not at all, whoever else writes there, and on whatever system."""

import errno
import os
import re
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.results import files, storage
from lyapnet.results.files import Hold, replacing
from lyapnet.weights import write_arrays

posix = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")


def put(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


def fail(path, failure):
    with replacing(path) as file:
        file.write(b"half")
        raise failure


def test_a_failure_leaves_the_file_and_nothing_else(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure):
            fail(path, failure)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


WRITERS = {
    "result": lambda path: ln.VanillaRNN.random(4, rng=0).save(path),
    "weights": lambda path: write_arrays(path, {"W": np.eye(300)}),
    "safetensors": lambda path: write_arrays(path.with_suffix(".safetensors"), {"W": np.eye(9)}),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_costs_no_file(tmp_path, monkeypatch, kind):
    if kind == "safetensors":
        pytest.importorskip("safetensors")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    WRITERS[kind](tmp_path / "x.npz")
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=re.escape(repr(str(path)))) as caught:
        WRITERS[kind](path)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


@posix
def test_a_disk_that_is_really_full(tmp_path):
    """A limit of the process on the sizes of its files stands for it."""
    script = (
        "import resource, sys, numpy as np, lyapnet as ln\n"
        "from lyapnet.weights import write_arrays\n"
        "write_arrays(sys.argv[1], {'W': np.eye(10)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_arrays(sys.argv[1], {'W': np.eye(100)})"
    )
    path = tmp_path / "w.npz"
    run = [sys.executable, "-c", script, path]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{path}'"
    with np.load(path) as file:
        assert file["W"].shape == (10, 10)
    assert [*tmp_path.iterdir()] == [path]


def test_writers_at_once_leave_one_of_theirs(tmp_path):
    path = tmp_path / "x.npz"

    def write(number):
        for _ in range(5):
            storage.write(path, {"number": number, "x": np.full(1000 * number, number)})

    threads = [threading.Thread(target=write, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            found = storage.read(path)
            assert len(found["x"]) == 1000 * found["number"]
            assert (found["x"] == found["number"]).all()
    assert os.listdir(tmp_path) == ["x.npz"]


@posix
def test_links_are_followed_and_modes_kept(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "x", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    put(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    put(tmp_path / "fresh")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("fresh", "plain")}
    assert len(modes) == 1
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "there" / "y")
    put(dangling)
    assert (tmp_path / "there" / "y").read_bytes() == b"new"


def test_a_file_of_the_user_is_left_alone_and_leftovers_are_not(tmp_path):
    path, own = tmp_path / "x.npz", tmp_path / "x.npz.tmp"
    own.write_bytes(b"mine")
    names = [f"{files._mark(path)}-{i}.tmp" for i in ("old", "young", "locked")]
    old, young, locked = (tmp_path / name for name in names)
    lock = Hold(path).path
    for left in (old, young, locked, lock):
        left.write_bytes(b"half")
    for left in (old, locked, lock):
        os.utime(left, (0, 0))
    with open(locked, "r+b") as file:
        assert files.try_lock(file)
        put(path)
    assert own.read_bytes() == b"mine"
    assert not any(left.exists() for left in (old, lock))
    assert all(left.exists() for left in (young, locked))


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    monkeypatch.setattr(files.os, "access", lambda *args: False)  # root may write everywhere
    with pytest.raises(PermissionError, match="x' is write-protected"):
        put(path)
    assert path.read_bytes() == b"old"
    with pytest.raises(FileNotFoundError, match=re.escape(repr(str(tmp_path / "no" / "x")))):
        put(tmp_path / "no" / "x")
    with pytest.raises(IsADirectoryError, match="give a file"):
        put(tmp_path)


def test_where_a_file_that_is_open_cannot_be_replaced(tmp_path, monkeypatch):
    """Windows refuses while another program has it open: again, and in the end it says so."""
    monkeypatch.setattr(files, "_WINDOWS", True)
    replace, calls = os.replace, []

    def busy(a, b):
        calls.append(1)
        if len(calls) < 4:
            raise PermissionError(errno.EACCES, "Access is denied", str(a), None, str(b))
        replace(a, b)

    path = tmp_path / "x"
    path.write_bytes(b"old")
    monkeypatch.setattr(files.os, "replace", busy)
    put(path)
    assert path.read_bytes() == b"new"
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    monkeypatch.setattr(files.os, "replace", busy_for_ever)
    with pytest.raises(PermissionError, match=re.escape(repr(str(path)))):
        put(path, b"newer")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["x"]


def busy_for_ever(a, b):
    raise PermissionError(errno.EACCES, "Access is denied", str(a), None, str(b))


def test_names_that_differ_in_case_are_one_where_the_system_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_CASELESS", True)
    one, other = Hold(tmp_path / "Run.npz"), Hold(tmp_path / "run.NPZ")
    assert one.take()
    assert not other.take()
    one.release()
    monkeypatch.setattr(files, "_CASELESS", False)
    assert Hold(tmp_path / "Run.npz").path != Hold(tmp_path / "run.npz").path


def test_the_names_that_we_make_are_good_on_every_system(tmp_path):
    """No reserved name, no character that Windows knows otherwise, and short."""
    path, seen = tmp_path / ("x" * 200 + ".npz"), set()
    with replacing(path):
        seen |= set(os.listdir(tmp_path))
    hold = Hold(path)
    hold.take()
    seen |= set(os.listdir(tmp_path)) - {path.name}
    hold.release()
    ln.sweep(lambda a, rng: a, {"a": ["CON", "a/b", 1]}, directory=tmp_path / "s", progress=False)
    seen |= set(os.listdir(tmp_path / "s"))
    assert len(seen) == 6
    assert all(re.fullmatch(r"[a-z0-9.-]{3,60}", name) for name in seen), seen
    assert not {"con", "nul", "aux", "prn"} & {name.partition(".")[0] for name in seen}


def test_a_hold_is_of_one_and_ends_with_its_process(tmp_path):
    hold, other = Hold(tmp_path / "x"), Hold(tmp_path / "x")
    assert hold.take()
    assert not other.take()
    hold.release()
    assert other.take()
    other.release()
    assert os.listdir(tmp_path) == []
    script = (
        "import sys, time\n"
        "from lyapnet.results.files import Hold\n"
        "hold = Hold(sys.argv[1])\n"
        "assert hold.take()\n"
        "print('held', flush=True)\n"
        "time.sleep(60)"
    )
    run = [sys.executable, "-c", script, tmp_path / "x"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert not hold.take()
        process.kill()
    assert hold.take()
    hold.release()


def test_waiting_for_a_hold(tmp_path):
    hold, order = Hold(tmp_path / "x"), []

    def late():
        with Hold(tmp_path / "x").waiting():
            order.append("late")

    assert hold.take()
    thread = threading.Thread(target=late)
    thread.start()
    time.sleep(0.05)
    order.append("first")
    hold.release()
    thread.join()
    assert order == ["first", "late"]
