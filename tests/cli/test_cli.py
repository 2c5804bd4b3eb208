"""The commands as a whole: bad calls, exit codes, help, progress and the demo."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import _parser, main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.npz"], "no such file"),
        (["weights.npz", "-k", "9"], "`k` must be at most 6"),
        (["weights.npz", "--inputs", "weights.npz"], "inputs"),
        (["weights.npz", "--leak", "2"], "leak"),
        (["text.npz"], "text.npz"),
        (["weights.txt"], "no such file"),
        (["text.npz", "-o", "here.txt"], "'here.txt' must end in .npz"),
        (["text.npz", "-o", "no/where.npz"], "no such folder"),
        (["text.npz", "-o", "taken.npz"], "cannot write 'taken.npz'"),
        (["weights.npz", "-n", "0"], "`n_steps` must be at least 1"),
        (["weights.npz", "--transient", "-1"], "`transient` must be at least 0"),
        (["weights.npz", "--basis-transient", "-1"], "`basis_transient` must be at least 0"),
        (["weights.npz", "--qr-interval", "0"], "`qr_interval` must be at least 1"),
        (["weights.npz", "--inputs", "inputs.npy", "-n", "400"], "longer sequence"),
        (["cell.npz", "--inputs", "inputs.npy"], "shape (n_steps, ..., 1)"),
        (["alone.npz", "--inputs", "inputs.npy"], "n_inputs=0: leave them out"),
        (["cell.npz", "--activation", "relu"], "leave them out"),
    ],
)
def test_bad_calls_are_one_line_without_traceback(weights, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(weights)
    (weights / "text.npz").write_text("words")
    (weights / "taken.npz").mkdir()
    ln.VanillaRNN.random(3, rng=0).save("cell.npz")
    np.savez("alone.npz", W=np.eye(2))
    assert main(["spectrum", *arguments]) == 2
    printed = capsys.readouterr()
    error = [line for line in printed.err.splitlines() if ": note: " not in line]
    assert len(error) == 1
    assert message in error[0]
    assert printed.out == ""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder where nobody may write")
@pytest.mark.parametrize(
    "arguments",
    [
        "demo -o /proc",
        "reproduce 2a -o /proc",
        "spectrum cell.npz -o /proc/x.npz",
        "floss cell.npz -k 2 --torch /proc/x.npz",
    ],
)
def test_places_that_take_no_file_are_refused_before_the_work(
    tmp_path, capsys, monkeypatch, arguments
):
    # Before: rights were asked for, which the system's own folders, and read-only disks, grant.
    monkeypatch.chdir(tmp_path)
    ln.VanillaRNN.random(3, rng=0).save("cell.npz")
    assert main(arguments.split()) == 2
    printed = capsys.readouterr()
    assert "cannot write into '/proc'" in printed.err
    assert printed.out == ""


def test_failed_computation_has_its_own_exit_code(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", W=3.0 * np.eye(2))
    call = ["spectrum", str(tmp_path / "w.npz"), "--activation", "linear"]
    assert main(call) == 1
    assert "not finite after step" in capsys.readouterr().err


def test_help_and_version_from_outside():
    run = subprocess.run(
        [sys.executable, "-m", "lyapnet", "spectrum", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PyTorch (its state dict), Keras" in run.stdout
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


@pytest.mark.parametrize("arguments", ["spectrum cell.npz -n 100", "spectrum --help"])
def test_a_reader_that_leaves_is_no_error(tmp_path, arguments):
    ln.VanillaRNN.random(4, n_inputs=0, rng=0).save(tmp_path / "cell.npz")
    run = subprocess.Popen(
        [sys.executable, "-m", "lyapnet", *arguments.split()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    run.stdout.close()  # before a line is written
    assert run.stderr.read() == b""
    run.stderr.close()
    assert run.wait() == 0


@pytest.mark.parametrize("command", ["spectrum", "condition", "floss", "train"])
def test_help_teaches_with_examples_that_parse(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "weights: a network or result saved by lyapnet" in text
    examples = re.findall(r"^  lyapnet (.*)$", text, re.MULTILINE)
    assert len(examples) >= 3
    for example in examples:
        _parser().parse_args(example.split(" >")[0].split())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("floss weights.npz -k 9", "`k` must be at most 6"),
        ("floss weights.npz -k 2 -o no/where.npz", "no such folder"),
        ("floss weights.npz -k 2 --torch a.pt", "must end in .npz or .safetensors"),
        ("floss weights.npz -k 2 --torch no/a.npz", "no such folder"),
        ("floss weights.npz -k 2 --checkpoint no/run", "`checkpoint` must be a file"),
        ("floss weights.npz -k 2 --checkpoint text.npy", "not a checkpoint of lyapnet"),
        ("floss weights.npz -k 2 --epochs -1", "`n_epochs` must be at least 0"),
        ("floss weights.npz -k 2 --batch-size 0", "`batch_size` must be at least 1"),
        ("floss weights.npz -k 2 --learning-rate 0", "`learning_rate` must be positive"),
        ("floss weights.npz -k 2 --clip-norm -1", "`clip_norm`"),
        ("floss weights.npz -k 2 --tol 0", "`tol` must be positive"),
        ("floss weights.npz -k 2 --inputs inputs.npy -n 900", "takes 915"),
        ("floss weights.npz -k 2 --leak 0.5 --torch a.npz", "leak=0.5"),
        ("floss weights.npz -k 2 --inputs text.npy", "not an array of inputs"),
        ("condition weights.npz --precision 10", "precision"),
        ("condition weights.npz --times 200", "times"),
        ("condition other.npz", "holds no network"),
        ("train --task temporal-xor --delay 3", "even"),
        ("train --task temporal-xor --delay 4 --weights weights.npz", "n_inputs=2"),
        ("train --task temporal-xor --delay 4 --cell gru --leak 0.5", "--cell rnn"),
        ("train --task spatial-xor --delay 4 --weights weights.npz --units 9", "--units is for"),
        ("train --task spatial-xor --delay 4 --n-steps 4", "`n_steps` must be at least 5"),
        ("train --task spatial-xor --delay 4 --units 0", "must be at least 1"),
        ("train --task spatial-xor --delay 4 --preflossing 5 -k 99", "`k` must be at most 64"),
        ("train --task spatial-xor --delay -4", "`delay` must be at least"),
    ],
)
def test_bad_calls_of_the_other_commands(weights, capsys, monkeypatch, call, message):
    monkeypatch.chdir(weights)
    (weights / "text.npy").write_text("words")
    np.savez(weights / "other.npz", a=np.eye(2))
    assert main(call.split()) == 2
    error = capsys.readouterr().err
    error = [line for line in error.splitlines() if ": note: " not in line]
    assert len(error) == 1
    assert message in error[0]


@pytest.mark.parametrize("call", ["condition w.npz", "floss w.npz -k 1 --epochs 2"])
def test_failed_computations_exit_with_one(tmp_path, capsys, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", W=1e30 * np.eye(2))
    assert main([*call.split(), "--activation", "linear", "--layer", "0"]) == 1
    error = capsys.readouterr().err
    assert "not finite" in error
    assert "Traceback" not in error


def test_progress_goes_to_stderr(weights, capsys):
    call = ["floss", str(weights / "weights.npz"), "-k", "1", "--epochs", "3", "--json"]
    assert main([*call, "--progress"]) == 0
    printed = capsys.readouterr()
    json.loads(printed.out)
    assert "epoch" in printed.err
    assert main([*call, "--no-progress"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_demo_shows_what_it_promises(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "demo.json").read_text())
    assert (tmp_path / "out" / "demo.png").stat().st_size > 20_000
    for system in found["known systems"].values():
        low, high = np.array(system["low"]), np.array(system["high"])
        published = np.array(system["published"])
        assert (low - 1e-3 < published).all()
        assert (published < high + 1e-3).all()
    before, after = found["random"], found["flossed"]
    assert before["log10_measured"][-1] - after["log10_measured"][-1] > 50
    for one in (before, after):
        np.testing.assert_allclose(one["log10_measured"], one["log10_predicted"], atol=4)
    assert np.mean(before["accuracy"][-50:]) < 0.55
    assert np.mean(after["accuracy"][-50:]) > 0.95
    assert "orders of magnitude" in capsys.readouterr().out
