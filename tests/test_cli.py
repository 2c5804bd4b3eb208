"""The command line, by running it."""

import json
import subprocess
import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import main


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
    ],
)
def test_bad_calls_are_one_line_without_traceback(weights, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(weights)
    (weights / "text.npz").write_text("words")
    assert main(["spectrum", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


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
    assert "state dict of a torch.nn.RNN" in run.stdout.replace("\n", " ").replace("  ", " ")
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


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
