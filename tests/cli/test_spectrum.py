"""`lyapnet spectrum`, and `condition`: networks and inputs from files."""

import importlib.util
import json

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import main
from lyapnet.weights import write_arrays


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


def test_keras_and_flax_and_layers(tmp_path, capsys):
    stack = ln.Stack([ln.GRU.random(3, rng=0), ln.GRU.random(2, n_inputs=3, rng=1)])
    path = str(write_arrays(tmp_path / "keras.npz", ln.to_keras(stack)))
    for layer, dim in (("0", 3), ("1", 2), ("all", 5)):
        assert main(["spectrum", path, "--layer", layer, "-n", "100", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["exponents"]) == dim
    assert main(["spectrum", path, "--layer", "gru"]) == 2
    assert "no layer of the name 'gru'" in capsys.readouterr().err


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


def lines(text, *, header=None, mark=","):
    rows = [mark.join(map(str, row)) for row in text]
    return "\n".join([*([header] if header else []), *rows]) + "\n"
