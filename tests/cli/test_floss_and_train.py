"""`lyapnet floss` and `train`: what goes in, what is saved, and how a run goes on."""

import errno
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import main
from lyapnet.results import files
from lyapnet.weights import write_arrays


def test_train_calls_the_accuracy_what_it_is(capsys):
    call = ["train", "--delay", "2", "--units", "4", "--epochs", "3", "--n-steps", "12", "--task"]
    assert main([*call, "delayed-copy"]) == 0
    printed = capsys.readouterr().out
    assert "R²" in printed
    assert "%" not in printed
    assert "accuracy" not in printed
    assert main([*call, "temporal-xor"]) == 0
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert "%" in printed


def test_floss_then_look_again(tmp_path, capsys):
    cell = ln.VanillaRNN.random(8, gain=0.5, n_inputs=2, rng=0)
    path = str(cell.save(tmp_path / "cell.npz"))
    out, state = str(tmp_path / "flossed.npz"), str(tmp_path / "state.npz")
    # With no more than the defaults: 200 epochs take the exponents most of the way.
    assert main(["floss", path, "-k", "2", "-o", out, "--torch", state]) == 0
    printed = capsys.readouterr().out.splitlines()
    first, last = np.array([line.split()[1:3] for line in printed[1:3]], dtype=float).T
    assert (abs(last) < 0.2 * abs(first)).all()
    flossed = ln.load(out).cell
    settings = {"n_steps": 40, "basis_transient": 15, "clip_norm": 1.0, "rng": 0}
    expected = ln.floss(cell, 200, k=2, optimizer=ln.Adam(3e-3), **settings)
    np.testing.assert_array_equal(flossed.params["W"], expected.cell.params["W"])
    for name, x in flossed.params.items():
        np.testing.assert_array_equal(ln.from_torch(state).params[name], x)
    # Its inputs were standard normal, so are those it is measured with.
    np.save(tmp_path / "inputs.npy", np.random.default_rng(0).standard_normal((2000, 2)))
    after = ["spectrum", out, "-k", "1", "--inputs", str(tmp_path / "inputs.npy"), "--json"]
    assert main(after) == 0
    assert abs(json.loads(capsys.readouterr().out)["exponents"][0]) < 0.2


def test_another_optimizer_may_be_asked_for(tmp_path, capsys):
    path = str(ln.VanillaRNN.random(5, n_inputs=1, rng=0).save(tmp_path / "cell.npz"))
    for name, arguments in (
        ("floss", [path, "-k", "2", "--epochs", "3"]),
        ("train", ["--task", "delayed-copy", "--delay", "2", "--epochs", "3", "--weights", path]),
    ):
        out = str(tmp_path / f"{name}.npz")
        assert main([name, *arguments, "--optimizer", "soap", "-o", out]) == 0
        assert isinstance(ln.load(out).optimizer, ln.SOAP)


@pytest.mark.parametrize("cell", ["orthogonal", "lstm", "gru"])
def test_defaults_of_floss_do_for_others(tmp_path, capsys, cell):
    rng = np.random.default_rng(0)
    one = {
        "orthogonal": ln.VanillaRNN.random(12, init="orthogonal", gain=0.5, rng=rng),
        "lstm": ln.LSTM.random(8, rng=rng),
        "gru": ln.GRU.random(8, rng=rng),
    }[cell]
    assert main(["floss", str(one.save(tmp_path / "cell.npz")), "-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    first, last = (np.abs(found[f"{name}_exponents"]).max() for name in ("first", "last"))
    assert last < 0.3 * first


def test_a_state_dict_may_be_written_where_it_was_read(tmp_path, capsys):
    state = {**ln.to_torch(ln.GRU.random(4, rng=0), prefix="rnn"), "head": np.ones(3)}
    path = str(write_arrays(tmp_path / "state.npz", state))
    assert main(["floss", path, "-k", "1", "--epochs", "3", "--torch", path]) == 0
    assert "verdict" not in capsys.readouterr().err
    with np.load(path) as found:
        assert set(found.files) == set(state)
        assert (found["rnn.weight_hh_l0"] != state["rnn.weight_hh_l0"]).any()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("spectrum {w} -o {w}", "-o {w!r} is the file of weights"),
        ("spectrum {w} -o {folder}/./weights.npz", "is the file of weights"),
        ("spectrum {w} --inputs {u} -o {u}", "-o {u!r} is the file of --inputs"),
        ("condition {w} -o {w}", "is the file of weights"),
        ("floss {w} -k 1 -o {w}", "is the file of weights"),
        ("floss {w} -k 1 --torch {w}", "--torch {w!r} is the file of weights, no state dict"),
        ("floss {w} -k 1 --inputs {u} --torch {u}", "--torch {u!r} is the file of inputs"),
        ("floss {w} -k 1 -o {new} --torch {new}", "-o {new!r} is the file of --torch"),
        ("floss {w} -k 1 -o {new} --checkpoint {new}", "-o {new!r} is the file of --checkpoint"),
        ("train --task delayed-copy --delay 3 --weights {w} -o {w}", "is the file of weights"),
    ],
)
def test_no_output_replaces_an_input(tmp_path, capsys, call, said):
    rng = np.random.default_rng(0)
    paths = {name: str(tmp_path / file) for name, file in (
        ("w", "weights.npz"), ("u", "inputs.npz"), ("new", "new.npz"), ("folder", ""),
    )}  # fmt: skip
    np.savez(paths["w"], W=np.eye(2) / 2, V=np.ones((2, 1)), b=np.zeros(2))
    np.savez(paths["u"], u=rng.standard_normal((200, 1)))
    before = [(tmp_path / file).read_bytes() for file in ("weights.npz", "inputs.npz")]
    assert main(call.format(**paths).split()) == 2
    assert said.format(**paths) in capsys.readouterr().err
    assert before == [(tmp_path / file).read_bytes() for file in ("weights.npz", "inputs.npz")]
    assert not (tmp_path / "new.npz").exists()


def test_floss_with_inputs_of_ones_own_is_resumable(weights, capsys):
    call = ["floss", str(weights / "weights.npz"), "--inputs", str(weights / "inputs.npy")]
    call += ["-k", "2", "--epochs", "6", "--batch-size", "2", "--json"]
    call += ["--checkpoint", str(weights / "run")]
    assert main(call) == 0
    first = capsys.readouterr().out
    assert main(call) == 0
    assert capsys.readouterr().out == first
    assert main([*call, "--n-steps", "600"]) == 2
    assert "takes 615" in capsys.readouterr().err


def test_flossed_weights_go_back_into_their_state_dict(tmp_path, capsys):
    module = {
        **ln.to_torch(ln.GRU.random(4, rng=0), prefix="model.rnn"),
        "model.head.weight": np.ones((1, 4)),
    }
    path = str(write_arrays(tmp_path / "state.npz", module))
    back = str(tmp_path / "back.npz")
    assert main(["floss", path, "-k", "1", "--epochs", "3", "--torch", back, "--json"]) == 0
    capsys.readouterr()
    with np.load(back) as found:
        assert set(found.files) == set(module)
        assert (found["model.head.weight"] == 1).all()
        assert (found["model.rnn.weight_hh_l0"] != module["model.rnn.weight_hh_l0"]).any()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_train(tmp_path, capsys, cell):
    out, state = str(tmp_path / "trained.npz"), str(tmp_path / "state.npz")
    call = ["train", "--task", "delayed-copy", "--delay", "2", "--units", "6", "--cell", cell]
    call += ["--epochs", "20", "--preflossing", "3", "-k", "2", "-o", out, "--torch", state]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert "3 epochs of flossing" in printed
    r = ln.load(out)
    assert len(r.loss) == 20
    assert type(r.cell) is type(ln.from_torch(state))
    again = ["train", "--weights", out, "--task", "delayed-copy", "--delay", "2", "--epochs", "2"]
    assert main([*again, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["loss"]) == 2


def hear_interrupts():
    """Undo that what runs in the background of a shell is told to ignore them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
@pytest.mark.parametrize("command", ["floss cell.npz -k 3", "train --task delayed-copy --delay 2"])
@pytest.mark.parametrize("saving", [True, False])
def test_ctrl_c_says_how_to_go_on(tmp_path, command, saving):
    ln.VanillaRNN.random(8, rng=0).save(tmp_path / "cell.npz")
    call = [sys.executable, "-m", "lyapnet", *command.split(), "--epochs", "1000000"]
    call += ["--progress", *(["--checkpoint", "run"] if saving else [])]
    run = subprocess.Popen(
        call, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    while not re.search(r"[1-9]\d*/1000000", seen := _some(run.stderr)):
        assert seen, run.wait()  # it has ended before its first epoch
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert out == ""
    said = err.splitlines()[-1]
    if saving:
        assert "saved in run: the same command goes on from there" in said
        assert (tmp_path / "run").stat().st_size > 0
    else:
        assert "nothing is saved: with --checkpoint FILE it could go on" in said


def _some(stream):
    """Return the next piece of a progress bar, which ends none of its lines."""
    piece = ""
    while not piece.endswith("\n"):  # as text mode reads "\r"
        letter = stream.read(1)
        if not letter:
            break
        piece += letter
    return piece


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_a_full_disk_does_not_cost_the_weights_that_are_there(
    tmp_path, capsys, monkeypatch, ending
):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    ln.VanillaRNN.random(4, rng=0).save("w.npz")
    call = ["floss", "w.npz", "-k", "1", "--epochs", "1", "-n", "5", "--torch", f"out.{ending}"]
    assert main(call) == 0
    before = (tmp_path / f"out.{ending}").read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    assert main([*call, "--seed", "1"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / f"out.{ending}").read_bytes() == before
    assert sorted(os.listdir()) == sorted(["w.npz", f"out.{ending}"])
