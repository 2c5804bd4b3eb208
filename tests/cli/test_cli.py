"""The command line, by running it."""

import errno
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import _parser, main
from lyapnet.results import files
from lyapnet.weights import write_arrays


@pytest.fixture
def weights(tmp_path):
    rng = np.random.default_rng(0)
    W, V, b = rng.standard_normal((6, 6)) / 2, rng.standard_normal((6, 2)), rng.standard_normal(6)
    np.savez(tmp_path / "weights.npz", W=W, V=V, b=b)
    np.save(tmp_path / "inputs.npy", rng.standard_normal((500, 2)))
    return tmp_path


def test_spectrum_of_ones_own_weights_and_inputs(weights, capsys):
    code = main(
        [
            "spectrum",
            str(weights / "weights.npz"),
            "--inputs",
            str(weights / "inputs.npy"),
            "--json",
        ]
    )
    printed = json.loads(capsys.readouterr().out)
    arrays = np.load(weights / "weights.npz")
    s = ln.lyapunov_spectrum(ln.VanillaRNN(**arrays), inputs=np.load(weights / "inputs.npy"), rng=0)
    assert code == 0
    assert printed["n_steps"] == 400
    np.testing.assert_allclose(printed["exponents"], s.exponents)


def test_table_and_saved_result(weights, capsys):
    out = weights / "s.npz"
    assert (
        main(["spectrum", str(weights / "weights.npz"), "-n", "300", "-k", "2", "-o", str(out)])
        == 0
    )
    assert "300 steps" in capsys.readouterr().out
    assert ln.load(out).exponents.shape == (2,)


def test_warm_ups_interval_and_verdict(weights, capsys):
    call = ["spectrum", str(weights / "weights.npz"), "--inputs", str(weights / "inputs.npy")]
    call += ["--transient", "20", "--basis-transient", "30", "--qr-interval", "2", "--json"]
    assert main(call) == 0
    printed = capsys.readouterr()
    s = ln.lyapunov_spectrum(
        ln.VanillaRNN(**np.load(weights / "weights.npz")),
        inputs=np.load(weights / "inputs.npy"),
        transient=20,
        basis_transient=30,
        qr_interval=2,
        rng=0,
    )
    found = json.loads(printed.out)
    assert printed.err == ""
    assert found["exponents"] == s.exponents.tolist()
    assert found["verdict"] == s.diagnose().verdict
    settings = {"n_steps": 450, "transient": 20, "basis_transient": 30, "qr_interval": 2}
    assert settings.items() <= found.items()
    assert found["seed"] == 0
    assert set(found) == {
        "verdict", "exponents", "stderr", "low", "high", "system", "driven", "k", "n_steps",
        "transient", "basis_transient", "qr_interval", "dt", "tol", "engine", "seed",
    }  # fmt: skip


@pytest.mark.parametrize("command", ["spectrum", "condition"])
def test_zeros_for_inputs_are_not_kept_quiet(weights, capsys, command):
    call = [command, str(weights / "weights.npz"), "-n", "100", "-k", "1"]
    assert main(call) == 0
    assert "note: no --inputs, so that zeros drive the network's 2" in capsys.readouterr().err
    np.savez(weights / "alone.npz", W=np.load(weights / "weights.npz")["W"])
    assert main([command, str(weights / "alone.npz"), *call[2:]]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_torch_state_dict_is_the_same_network(tmp_path, capsys, ending):
    rng = np.random.default_rng(1)
    state = {
        "rnn.weight_ih_l0": rng.standard_normal((5, 1)),
        "rnn.weight_hh_l0": rng.standard_normal((5, 5)) / 2,
        "rnn.bias_ih_l0": rng.standard_normal(5),
        "rnn.bias_hh_l0": rng.standard_normal(5),
    }
    path = tmp_path / f"state{ending}"
    if ending == ".npz":
        np.savez(path, **state)
    else:
        pytest.importorskip("safetensors.numpy").save_file(state, path)
    cell = ln.from_torch(path)
    r, u = np.tanh(rng.standard_normal(5)), rng.standard_normal(1)
    h = cell.step(np.arctanh(r), u)
    torch_step = np.tanh(
        state["rnn.weight_ih_l0"] @ u
        + state["rnn.bias_ih_l0"]
        + state["rnn.weight_hh_l0"] @ r
        + state["rnn.bias_hh_l0"]
    )
    np.testing.assert_allclose(np.tanh(h), torch_step, rtol=1e-13)
    assert main(["spectrum", str(path), "-n", "200"]) == 0
    capsys.readouterr()


def test_cell_saved_by_lyapnet(tmp_path, capsys):
    path = ln.VanillaRNN.random(4, rng=0).save(tmp_path / "cell.npz")
    assert main(["spectrum", str(path), "-n", "200"]) == 0
    assert "exponent" in capsys.readouterr().out


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


@pytest.mark.parametrize("choice", [["--layer", "3"], ["--layer", "gru"], ["--reverse"]])
def test_a_layer_of_what_has_none_is_refused(weights, capsys, choice):
    saved = ln.VanillaRNN.random(3, n_inputs=0, rng=0).save(weights / "cell.npz")
    for path in (weights / "weights.npz", saved):
        assert main(["spectrum", str(path), "-n", "50", *choice]) == 2
        assert f"{choice[0]}: " in capsys.readouterr().err
    assert main(["spectrum", str(saved), "-n", "50", "--layer", "all"]) == 0


def test_one_input_is_one_input(tmp_path, capsys):
    path = ln.VanillaRNN.random(3, rng=0).save(tmp_path / "cell.npz")
    assert main(["spectrum", str(path), "-n", "50"]) == 0
    assert "network's 1 input\n" in capsys.readouterr().err


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


def test_keras_and_flax_and_layers(tmp_path, capsys):
    stack = ln.Stack([ln.GRU.random(3, rng=0), ln.GRU.random(2, n_inputs=3, rng=1)])
    path = str(write_arrays(tmp_path / "keras.npz", ln.to_keras(stack)))
    for layer, dim in (("0", 3), ("1", 2), ("all", 5)):
        assert main(["spectrum", path, "--layer", layer, "-n", "100", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["exponents"]) == dim
    assert main(["spectrum", path, "--layer", "gru"]) == 2
    assert "no layer of the name 'gru'" in capsys.readouterr().err


def test_one_line_of_inputs_needs_no_axis(tmp_path, capsys):
    ln.VanillaRNN.random(4, rng=0).save(tmp_path / "cell.npz")
    np.save(tmp_path / "u.npy", np.random.default_rng(0).standard_normal(300))
    np.savez(tmp_path / "u.npz", u=np.load(tmp_path / "u.npy"))
    found = []
    for name in ("u.npy", "u.npz"):
        call = ["spectrum", str(tmp_path / "cell.npz"), "--inputs", str(tmp_path / name), "--json"]
        assert main(call) == 0
        found.append(json.loads(capsys.readouterr().out)["exponents"])
    assert found[0] == found[1]


def test_condition(weights, capsys):
    call = ["condition", str(weights / "weights.npz"), "--inputs", str(weights / "inputs.npy")]
    out = weights / "c.npz"
    assert main([*call, "-k", "4", "--times", "50", "100", "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    c = ln.condition_number(
        ln.VanillaRNN(**np.load(weights / "weights.npz")),
        100,
        k=4,
        inputs=np.load(weights / "inputs.npy"),
        times=[50, 100],
        rng=0,
    )
    np.testing.assert_array_equal(ln.load(out).log10_measured, c.log10_measured)
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["50", f"{c.log10_measured[0]:.6f}"],
        ["100", f"{c.log10_measured[1]:.6f}"],
    ]
    assert "256 bits" in lines[3]
    assert main([*call, "--precision", "auto", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resolved"] == [True] * 8


def test_condition_certified_and_unresolved(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", W=np.diag([0.9, 1e-3]))
    call = ["condition", str(tmp_path / "w.npz"), "--activation", "linear", "-n", "200"]
    if importlib.util.find_spec("flint") is None:
        assert main([*call, "--certify"]) == 2
        assert "lyapnet[precision]" in capsys.readouterr().err
        pytest.skip("python-flint is not installed")
    assert main([*call, "--certify", "--precision", "auto", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    pairs = zip(found["log10_lower"], found["log10_upper"], strict=True)
    for t, (low, high) in zip(found["times"], pairs, strict=True):
        assert low <= high < low + 1e-9
        assert abs(low - t * np.log10(900)) < 10  # a random basis is not the eigenbasis
    assert main([*call, "--certify"]) == 0
    assert "proved bounds" in capsys.readouterr().out


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


def test_output_may_be_the_file_that_was_read(tmp_path, capsys):
    state = {**ln.to_torch(ln.GRU.random(4, rng=0), prefix="rnn"), "head": np.ones(3)}
    path = str(write_arrays(tmp_path / "state.npz", state))
    back = str(tmp_path / "back.npz")
    call = ["floss", path, "-k", "1", "--epochs", "3", "-o", path, "--torch", back]
    assert main(call) == 0
    assert "verdict" not in capsys.readouterr().err
    with np.load(back) as found:
        assert set(found.files) == set(state)
    assert isinstance(ln.load(path), ln.FlossResult)


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


# ---- files


def lines(text, *, header=None, mark=","):
    rows = [mark.join(map(str, row)) for row in text]
    return "\n".join([*([header] if header else []), *rows]) + "\n"


TABLES = {
    "u.csv": {},
    "header.csv": {"header": "first,second"},
    "semicolons.csv": {"mark": ";"},
    "spaces.txt": {"mark": " "},
    "tabs.tsv": {"mark": "\t"},
}


@pytest.mark.parametrize("name", TABLES)
def test_inputs_from_tables(tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    ln.VanillaRNN.random(4, n_inputs=2, rng=0).save("w.npz")
    u = np.random.default_rng(0).standard_normal((60, 2))
    np.save("u.npy", u)
    (tmp_path / name).write_text(lines(u.tolist(), **TABLES[name]))
    call = ["spectrum", "w.npz", "-k", "2", "--json", "--inputs"]
    printed = []
    for file in (name, "u.npy"):
        assert main([*call, file]) == 0
        printed.append(json.loads(capsys.readouterr().out)["exponents"])
    assert printed[0] == printed[1]


@pytest.mark.parametrize("command", ["spectrum", "condition", "floss"])
def test_ensembles_are_refused_before_the_run(tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    cell = ln.VanillaRNN.random(4, rng=0)
    cell.save("one.npz")
    ln.VanillaRNN(np.stack([cell.params["W"]] * 3), cell.params["V"]).save("three.npz")
    np.save("u.npy", np.zeros((90, 3, 1)))
    for call, message in (
        ("one.npz --inputs u.npy", "must have shape (steps, inputs), 'u.npy' has (90, 3, 1)"),
        ("three.npz", "'three.npz' holds an ensemble of networks of shape (3,)"),
    ):
        assert main([command, *call.split(), "-k", "2"]) == 2
        assert message in capsys.readouterr().err


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


def test_damaged_files_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ln.VanillaRNN.random(4, rng=0).save("w.npz")
    good = (tmp_path / "w.npz").read_bytes()
    for at in (10, len(good) // 2, len(good) - 30):
        (tmp_path / "bad.npz").write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert main(["spectrum", "bad.npz"]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "'bad.npz'" in error
    tables = {"u.csv": b"1,2\n3\n", "v.csv": b"\xff\xfe", "w.csv": b""}
    for name, content in {"u.npy": good, **tables}.items():
        (tmp_path / name).write_bytes(content)
        assert main(["spectrum", "w.npz", "--inputs", name]) == 2
        assert f"'{name}'" in capsys.readouterr().err


def test_one_layer_of_several_is_said(tmp_path, capsys):
    cells = [ln.LSTM.random(4, n_inputs=1, rng=0), ln.LSTM.random(4, n_inputs=4, rng=1)]
    arrays = ln.to_torch(ln.Stack(cells))
    path = str(tmp_path / "two.npz")
    np.savez(path, **arrays)
    for more, noted in (([], True), (["--layer", "all"], False)):
        assert main(["spectrum", path, "-n", "20", "-k", "1", *more]) == 0
        assert ("layer 0 alone, the first of 2" in capsys.readouterr().err) == noted
