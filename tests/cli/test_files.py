"""Files that commands read: tables of inputs, damaged ones, layers and batches."""

import json

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cli import main


@pytest.mark.parametrize("command", ["spectrum", "condition"])
def test_zeros_for_inputs_are_not_kept_quiet(weights, capsys, command):
    call = [command, str(weights / "weights.npz"), "-n", "100", "-k", "1"]
    assert main(call) == 0
    assert "note: no --inputs, so that zeros drive the network's 2" in capsys.readouterr().err
    np.savez(weights / "alone.npz", W=np.load(weights / "weights.npz")["W"])
    assert main([command, str(weights / "alone.npz"), *call[2:]]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("choice", [["--layer", "3"], ["--layer", "gru"], ["--reverse"]])
def test_a_layer_of_what_has_none_is_refused(weights, capsys, choice):
    saved = ln.VanillaRNN.random(3, n_inputs=0, rng=0).save(weights / "cell.npz")
    for path in (weights / "weights.npz", saved):
        assert main(["spectrum", str(path), "-n", "50", *choice]) == 2
        assert f"{choice[0]}: " in capsys.readouterr().err
    assert main(["spectrum", str(saved), "-n", "50", "--layer", "all"]) == 0


def test_a_module_of_a_whole_network_is_named_by_its_prefix(tmp_path, capsys, monkeypatch):
    # Before: the message asked for `prefix`, which no option gave.
    monkeypatch.chdir(tmp_path)
    cells = {"enc": ln.GRU.random(4, rng=0), "dec": ln.VanillaRNN.random(3, rng=1)}
    arrays = {f"{k}.{name}": x for k, c in cells.items() for name, x in ln.to_torch(c).items()}
    np.savez("net.npz", **arrays, **{"out.weight": np.ones((1, 3))})
    call = ["spectrum", "net.npz", "-n", "50", "--json"]
    assert main(call) == 2
    assert "`prefix` must be one of ['enc', 'dec']" in capsys.readouterr().err
    for name, cell in cells.items():
        assert main([*call, "--prefix", name]) == 0
        printed = capsys.readouterr()
        assert len(json.loads(printed.out)["exponents"]) == cell.dim
        assert "layers" not in printed.err
    written = ["floss", "net.npz", "-k", "1", "--epochs", "2", "--torch", "new.npz"]
    assert main([*written, "--prefix", "dec"]) == 0
    new = dict(np.load("new.npz"))
    assert new.keys() == {*arrays, "out.weight"}
    assert all(np.array_equal(new[k], x) for k, x in arrays.items() if k.startswith("enc"))
    assert not np.array_equal(new["dec.weight_hh_l0"], arrays["dec.weight_hh_l0"])
    cells["enc"].save("cell.npz")
    capsys.readouterr()
    assert main(["spectrum", "cell.npz", "--prefix", "enc"]) == 2
    assert "is none" in capsys.readouterr().err


def test_one_input_is_one_input(tmp_path, capsys):
    path = ln.VanillaRNN.random(3, rng=0).save(tmp_path / "cell.npz")
    assert main(["spectrum", str(path), "-n", "50"]) == 0
    assert "network's 1 input\n" in capsys.readouterr().err


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
