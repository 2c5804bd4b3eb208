"""A run killed at any moment and started again ends bit for bit like an undisturbed one."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from checkpointed import assert_equal, cell, floss, train

import lyapnet as ln
from lyapnet.results import files
from lyapnet.runs import checkpoint
from lyapnet.runs.checkpoint import Checkpoint


class Stopped(Exception):
    pass


def stopping(after):
    """Return a callback that stops a run."""
    calls = []

    def callback(record):
        calls.append(record)
        if len(calls) == after:
            raise Stopped

    return callback


@pytest.mark.parametrize("run", [train, floss])
@pytest.mark.parametrize("after", [1, 4, 8])
@pytest.mark.usefixtures("always")
def test_goes_on_bit_for_bit(tmp_path, run, after):
    whole, path = run(None), tmp_path / "run.npz"
    with pytest.raises(Stopped):
        run(path, callback=stopping(after))
    assert_equal(whole, run(path))
    assert_equal(whole, run(path))  # and once done, the result is only read


@pytest.mark.parametrize("run", [train, floss])
@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937])
@pytest.mark.parametrize("at", [2, 4, 6])
def test_an_interrupt_within_an_epoch_saves_the_one_before(tmp_path, monkeypatch, run, kind, at):
    """Ctrl-C after all that an epoch changes in place, without a save that was due."""

    def rng():
        return np.random.Generator(kind(3))

    whole, path = run(None, rng=rng()), tmp_path / "run.npz"
    update, calls = ln.Adam.update, []

    def interrupted(self, params, grads):
        found = update(self, params, grads)
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(ln.Adam, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(path, rng=rng())
    assert path.exists()
    del calls[:]
    at = 3  # and again
    with pytest.raises(KeyboardInterrupt):
        run(path, rng=rng())
    monkeypatch.setattr(ln.Adam, "update", update)
    saved = len(calls)
    assert_equal(whole, run(path, rng=rng()))
    assert saved == 3


@pytest.mark.parametrize("at", [2, 5, 7])
def test_an_interrupt_after_an_epoch_that_is_not_yet_kept(tmp_path, monkeypatch, at):
    """Flossing epochs before training and within it, and a training epoch."""
    whole, path = train(None), tmp_path / "run.npz"
    keep, calls = Checkpoint.keep, []

    def interrupted(self, state):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        keep(self, state)

    monkeypatch.setattr(Checkpoint, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(path)
    monkeypatch.setattr(Checkpoint, "keep", keep)
    assert_equal(whole, train(path))


def test_an_interrupt_within_a_save_leaves_the_last_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    whole, path = floss(None), tmp_path / "run.npz"
    replace, calls = os.replace, []

    def interrupted(a, b):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        replace(a, b)

    monkeypatch.setattr(files.os, "replace", interrupted)
    seen = []
    with pytest.raises(KeyboardInterrupt):
        floss(path, callback=seen.append)
    assert_equal(whole, floss(path, callback=seen.append))
    assert [p.epoch for p in seen] == list(range(1, 10))  # no epoch twice, none left out


def test_a_failure_saves_the_last_good_epoch(tmp_path, monkeypatch):
    update, calls = ln.Adam.update, []

    def failing(self, params, grads):
        calls.append(1)
        if len(calls) == 6:
            raise ln.DivergedError("too far")
        return update(self, params, grads)

    whole, path = floss(None), tmp_path / "run.npz"
    monkeypatch.setattr(ln.Adam, "update", failing)
    with pytest.raises(ln.DivergedError):
        floss(path)
    seen = []
    assert_equal(whole, floss(path, callback=seen.append))
    assert [p.epoch for p in seen] == [6, 7, 8, 9]


def test_stops_anywhere_in_an_episode(tmp_path, monkeypatch):
    """Stop at every single save, flossing epochs included."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    whole, path = train(None), tmp_path / "run.npz"
    save, count = Checkpoint.save, []

    def save_and_stop(self, state):
        save(self, state)
        count.append(1)
        raise Stopped

    monkeypatch.setattr(Checkpoint, "save", save_and_stop)
    for _ in range(9 + 3 + 5):
        with pytest.raises(Stopped):
            train(path)
    monkeypatch.setattr(Checkpoint, "save", save)
    assert_equal(whole, train(path))
    assert len(count) == 17


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox])
@pytest.mark.usefixtures("always")
def test_every_generator_is_restored_and_left_as_after_an_undisturbed_run(tmp_path, kind):
    def rng():
        return np.random.Generator(kind(5))

    first = rng()
    whole = train(None, rng=first)
    with pytest.raises(Stopped):
        train(tmp_path / "x.npz", rng=rng(), callback=stopping(5))
    again = rng()
    assert_equal(whole, train(tmp_path / "x.npz", rng=again))
    assert again.random() == first.random()


@pytest.mark.usefixtures("always")
def test_a_run_without_a_seed_goes_on_with_its_own(tmp_path):
    path, seen = tmp_path / "run.npz", []

    def callback(record):
        seen.append(record.loss.copy())
        if len(seen) == 5:
            raise Stopped

    with pytest.raises(Stopped):
        train(path, rng=None, callback=callback)
    r = train(path, rng=None)
    assert (r.loss[:4] == seen[3]).all()


SCRIPT = """
    import sys
    import numpy as np
    import lyapnet as ln
    from lyapnet.runs import checkpoint

    checkpoint.EVERY = 0.0
    cell = ln.VanillaRNN.random(10, bias=0.1, rng=0)
    schedule = ln.FlossingSchedule(before=40, at=[60], epochs=40, k=8, n_steps=20)
    print("ready", flush=True)
    r = ln.train(cell, ln.tasks.TemporalXOR(4), 200, n_steps=30, batch_size=4, rng=0,
                 schedule=schedule, checkpoint=sys.argv[1])
    np.savez(sys.argv[2], *r.cell.params.values(), r.loss, r.exponents, r.x0, *r.readout)
"""


def test_sigkill_and_interrupt(tmp_path):
    """Kill the process, whatever it is doing, until a run comes to its end."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))

    def start(name):
        command = [sys.executable, str(script), str(tmp_path / f"{name}.run"), str(tmp_path / name)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            # What runs in the background of a shell is told to ignore interrupts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def finish(process):
        assert process.wait(timeout=60) == 0
        process.stdout.close()

    begun = time.monotonic()
    finish(start("whole.npz"))
    duration = time.monotonic() - begun
    rng = np.random.default_rng(0)
    for kind in [*[signal.SIGKILL] * 3, signal.SIGINT, *[signal.SIGKILL] * 3]:
        process = start("killed.npz")
        try:
            process.wait(timeout=rng.uniform(0.0, 0.25) * duration)
        except subprocess.TimeoutExpired:
            process.send_signal(kind)
            ended = process.wait(timeout=60) == 0  # in the moment before the signal came
            assert not ended or (tmp_path / "killed.npz").exists()
        process.stdout.close()
    finish(start("killed.npz"))
    with np.load(tmp_path / "whole.npz") as a, np.load(tmp_path / "killed.npz") as b:
        assert a.files == b.files
        for name in a.files:
            assert a[name].tobytes() == b[name].tobytes(), name


@pytest.mark.parametrize("run", [train, floss])
def test_an_interrupt_says_where_the_run_is_saved(tmp_path, run):
    path, done = tmp_path / "state.npz", []

    def interrupt(record):
        done.append(record)
        if len(done) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run(path, callback=interrupt)
    (note,) = caught.value.__notes__
    assert "with 3 epochs done: the same call goes on" in note
    assert repr(str(path)) in note
    assert_equal(run(path), run(None))
    with pytest.raises(Stopped) as caught:
        run(None, callback=stopping(2))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("name", ["train", "floss"])
def test_a_finished_run_says_how_to_go_on(tmp_path, name):
    path = tmp_path / "state.npz"
    settings = dict(n_steps=8, rng=1)
    if name == "train":
        first = functools.partial(ln.train, cell(), ln.tasks.TemporalXOR(4), batch_size=2)
    else:
        first = functools.partial(ln.floss, cell(), k=2)
    r = first(n_epochs=3, checkpoint=path, **settings)
    with pytest.raises(ValueError, match="n_epochs=3, not 5") as caught:
        first(n_epochs=5, checkpoint=path, **settings)
    advice = "then r.cell, optimizer=r.optimizer"
    advice += ", readout=r.readout, x0=r.x0" if name == "train" else ""
    assert f"{advice}, n_epochs=2, another rng" in str(caught.value)
    if name == "train":
        more = ln.train(
            r.cell, ln.tasks.TemporalXOR(4), 2, batch_size=2, n_steps=8, rng=2,
            optimizer=r.optimizer, readout=r.readout, x0=r.x0,
        )  # fmt: skip
        assert more.optimizer.t == 5
    with pytest.raises(ValueError, match="different call"):
        first(n_epochs=2, checkpoint=path, **settings)
