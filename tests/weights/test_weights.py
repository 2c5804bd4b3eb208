"""Networks from elsewhere: which layer, what is refused, and what files hold."""

import sys

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.weights import read_arrays, read_cell, write_arrays


def same(one, other):
    """Say whether two cells have the same parameters."""
    return type(one) is type(other) and all(
        np.allclose(one.params[name], other.params[name], atol=1e-15) for name in one.params
    )


@pytest.fixture
def cells():
    """Return one cell of each kind, with a recurrent bias c."""
    rng = np.random.default_rng(0)
    drawn = ln.GRU.random(3, n_inputs=2, bias=1.0, rng=rng).params
    return {
        "rnn": ln.VanillaRNN.random(3, n_inputs=2, bias=1.0, rng=rng),
        "lstm": ln.LSTM.random(3, n_inputs=2, bias=1.0, rng=rng),
        "gru": ln.GRU(**{**drawn, "c": rng.standard_normal(3)}),
    }


# ---- which layer


def test_torch_module_direction_and_layer_are_chosen(cells):
    other = ln.GRU.random(3, n_inputs=6, rng=1)
    state = {
        **ln.to_torch(cells["gru"], prefix="encoder.rnn"),
        **ln.to_torch(cells["lstm"], prefix="decoder"),
        **ln.to_torch(cells["gru"], prefix="decoder", reverse=True),
        **ln.to_torch(other, prefix="decoder", layer=1),
    }
    assert same(ln.from_torch(state, prefix="encoder.rnn"), cells["gru"])
    assert same(ln.from_torch(state, layer=0, prefix="decoder", reverse=False), cells["lstm"])
    assert same(ln.from_torch(state, prefix="decoder", reverse=True), cells["gru"])
    # Before, the forward direction was taken without a word.
    with pytest.raises(ValueError, match=r"`state_dict` is bidirectional.*`reverse=False` or"):
        ln.from_torch(state, prefix="decoder")
    assert same(ln.from_torch(state, prefix="decoder", layer=1), other)
    with pytest.raises(ValueError, match=r"`prefix` must be one of \['encoder.rnn', 'decoder'\]"):
        ln.from_torch(state)
    with pytest.raises(ValueError, match=r"`layer` must be a number .* layers above the first see"):
        ln.from_torch(state, prefix="decoder", layer=None, reverse=False)
    one_way = {name: x for name, x in state.items() if not name.endswith("_reverse")}
    with pytest.raises(ValueError, match="n_inputs=6, but the cell below has 3"):
        ln.from_torch(one_way, prefix="decoder", layer=None)
    with pytest.raises(ValueError, match="no weight_ih_l2"):
        ln.from_torch(state, prefix="decoder", layer=2)
    with pytest.raises(ValueError, match="of a module 'other'"):
        ln.from_torch(state, prefix="other")


def test_of_several_layers_the_first_is_not_taken_without_a_word(cells):
    below, above = cells["rnn"], ln.VanillaRNN.random(3, n_inputs=3, rng=1)
    stack = ln.Stack([below, above])
    for take, weights in (
        (ln.from_torch, ln.to_torch(stack)), (ln.from_keras, ln.to_keras(stack)),
        (ln.from_flax, ln.to_flax(stack)),
    ):  # fmt: skip
        with pytest.warns(UserWarning, match="first of 2 layers alone.*layer=None") as caught:
            assert same(take(weights), below)
        assert caught[0].filename == __file__
        assert same(take(weights, layer=0), below)  # as it was asked for
        assert take(weights, layer=None).dim == 6


def test_torch_cell_modules_number_no_layers(cells):
    state = {name.removesuffix("_l0"): x for name, x in ln.to_torch(cells["gru"]).items()}
    assert same(ln.from_torch(state), cells["gru"])


def test_keras_layers_are_ordered_by_number_and_chosen_by_name(cells):
    keras = ln.to_keras
    weights = {
        f"model/{layer}/gru_cell/{name}": x
        for layer, cell in (("gru_10", "lstm"), ("gru_2", "gru"), ("gru", "rnn"))
        for name, x in keras(cells[cell]).items()
    }
    assert [type(ln.from_keras(weights, layer=i)).__name__ for i in range(3)] == [
        "VanillaRNN", "GRU", "LSTM",
    ]  # fmt: skip
    assert same(ln.from_keras(weights, layer="gru_10"), cells["lstm"])
    with pytest.raises(ValueError, match="no layer of the name 'lstm'"):
        ln.from_keras(weights, layer="lstm")
    with pytest.raises(ValueError, match="`layer` is 3, but there are 3 layers"):
        ln.from_keras(weights, layer=3)
    mixed = {**weights, **{f"model/other/cell/{n}": x for n, x in keras(cells["rnn"]).items()}}
    with pytest.raises(ValueError, match="`layer` must be a name here"):
        ln.from_keras(mixed)
    assert same(ln.from_keras(mixed, layer="other"), cells["rnn"])


def test_keras_backward_layer(cells):
    weights = {
        f"bidirectional/{way}_gru/gru_cell/{name}": x
        for way, cell in (("forward", "gru"), ("backward", "lstm"))
        for name, x in ln.to_keras(cells[cell]).items()
    }
    assert same(ln.from_keras(weights, reverse=False), cells["gru"])
    assert same(ln.from_keras(weights, reverse=True), cells["lstm"])
    with pytest.raises(ValueError, match=r"`weights` is bidirectional.*`reverse=False` or"):
        ln.from_keras(weights)
    above = {f"gru/gru_cell/{name}": x for name, x in ln.to_keras(cells["gru"]).items()}
    with pytest.raises(ValueError, match="`layer` must be a number or name where `weights` is"):
        ln.from_keras({**weights, **above}, layer=None, reverse=False)
    with pytest.raises(ValueError, match="of a backward layer"):
        ln.from_keras(ln.to_keras(cells["gru"]), reverse=True)


def test_keras_list_of_weights(cells):
    for cell in cells.values():
        assert same(ln.from_keras(list(ln.to_keras(cell).values())), cell)
    with pytest.raises(ValueError, match="got 1 arrays"):
        ln.from_keras([np.eye(3)])


def test_keras_says_where_the_reset_gate_acts(cells):
    found = ln.to_keras(cells["gru"])
    assert ln.from_keras(found).reset_after
    kernels = {name: x for name, x in found.items() if name != "bias"}
    assert not ln.from_keras(kernels, reset_after=False).reset_after
    with pytest.raises(ValueError, match="`reset_after` is False, but the bias"):
        ln.from_keras(found, reset_after=False)


def test_flax_nested_flat_and_wrapped(cells):
    for cell in cells.values():
        for api in ("linen", "nnx"):
            if api == "nnx" and cell is cells["gru"]:
                continue
            found = ln.to_flax(cell, api=api)
            flat = {f"{a}/{b}": x for a, own in found.items() for b, x in own.items()}
            tuples = {tuple(name.split("/")): x for name, x in flat.items()}
            for given in (found, flat, tuples, {"params": {"RNN_0": {"cell": found}}}):
                assert same(ln.from_flax(given), cell)


def test_flax_layers_are_chosen(cells):
    params = {
        f"GRUCell_{i}": ln.to_flax(cell)
        for i, cell in ((10, cells["lstm"]), (9, cells["gru"]), (0, cells["rnn"]))
    }
    params["Dense_0"] = {"kernel": np.eye(3), "bias": np.zeros(3)}
    assert same(ln.from_flax(params, layer=1), cells["gru"])
    assert same(ln.from_flax({"params": params}, layer="GRUCell_10"), cells["lstm"])
    with pytest.raises(ValueError, match="no recurrent cell"):
        ln.from_flax({"Dense_0": params["Dense_0"]})


# ---- what cannot be expressed


@pytest.mark.parametrize("to", [ln.to_torch, ln.to_keras, ln.to_flax])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (ln.VanillaRNN(np.eye(2), np.eye(2), leak=0.5), "leak=0.5"),
        (
            ln.VanillaRNN(np.eye(2), np.eye(2), activation=ln.Activation(np.sin, np.cos)),
            "'custom'",
        ),
        (ln.VanillaRNN(np.zeros((3, 2, 2)), np.eye(2)), r"ensemble of \(3,\) networks"),
        (ln.VanillaRNN(np.eye(2)), "has no inputs"),
        (ln.catalog.henon(), "must be a VanillaRNN, LSTM or GRU"),
    ],
)
def test_what_no_framework_expresses_is_refused(to, cell, message):
    with pytest.raises(ValueError, match=message):
        to(cell)


def test_what_one_framework_does_not_express_is_refused(cells):
    before = ln.GRU.random(3, reset_after=False, rng=0)
    assert not ln.from_keras(ln.to_keras(before)).reset_after
    for to in (ln.to_torch, ln.to_flax):
        with pytest.raises(ValueError, match="reset_after=False"):
            to(before)
    with pytest.raises(ValueError, match="use linen"):
        ln.to_flax(cells["gru"], api="nnx")
    with pytest.raises(ValueError, match="'linear'"):
        ln.to_torch(ln.VanillaRNN.random(2, activation="linear", rng=0))
    unequal = ln.Stack([ln.GRU.random(3, rng=0), ln.GRU.random(2, n_inputs=3, rng=0)])
    with pytest.raises(ValueError, match="different kinds or sizes"):
        ln.to_torch(unequal)
    assert same(ln.from_keras(ln.to_keras(unequal), layer=None), unequal)
    assert same(ln.from_flax(ln.to_flax(unequal), layer=None), unequal)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ln.from_torch({"a": np.eye(2)}), "no weight_ih_l0"),
        (lambda: ln.from_torch({"weight_ih_l0": np.eye(2), "weight_hh_l0": np.ones(2)}), "shape"),
        (
            lambda: ln.from_torch(
                {"weight_ih_l0": np.ones((4, 1)), "weight_hh_l0": np.ones((4, 2))}
            ),
            "2 gates",
        ),
        (
            lambda: ln.from_torch(
                {**ln.to_torch(ln.LSTM.random(2, rng=0)), "weight_hr_l0": np.eye(2)}
            ),
            "proj_size",
        ),
        (lambda: ln.from_torch(ln.to_torch(ln.GRU.random(2, rng=0)), activation="relu"), "tanh"),
        (lambda: ln.from_torch({}, layer=-1), "`layer` must be at least 0"),
        (lambda: ln.from_keras({"kernel": np.eye(2)}), "no kernel and recurrent_kernel"),
        (lambda: ln.from_keras([np.ones((1, 6)), np.ones((2, 6)), np.ones((3, 6))]), "`bias`"),
        (lambda: ln.to_flax(ln.LSTM.random(2, rng=0), api="haiku"), "`api` must be one of"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- files


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_files_of_each_framework_are_told_apart(tmp_path, cells, kind, ending):
    if ending == ".safetensors":
        pytest.importorskip("safetensors")
    flax = {f"{a}/{b}": x for a, own in ln.to_flax(cells[kind]).items() for b, x in own.items()}
    for arrays in (ln.to_torch(cells[kind]), ln.to_keras(cells[kind]), flax):
        path = write_arrays(tmp_path / f"weights{ending}", arrays)
        assert same(read_cell(path), cells[kind])


def test_result_with_a_network_is_read_as_the_network(tmp_path, cells):
    r = ln.floss(cells["rnn"], 2, k=1, n_steps=5, rng=0)
    assert same(read_cell(r.save(tmp_path / "flossed.npz")), r.cell)
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 100, rng=0)
    with pytest.raises(ValueError, match="holds a Spectrum, not a network"):
        read_cell(s.save(tmp_path / "spectrum.npz"))


def test_files_that_cannot_be_read(tmp_path, cells):
    (tmp_path / "text.safetensors").write_text("words")
    (tmp_path / "text.weights.h5").write_text("words")
    (tmp_path / "text.keras").write_text("words")
    np.savez(tmp_path / "other.npz", a=np.eye(2))
    np.savez(tmp_path / "more.npz", W=np.eye(2), c=np.ones(2))
    for name, message in (
        ("none.npz", "no such file"),
        ("other.npz", "holds no network that lyapnet knows"),
        ("more.npz", "beside W, V and b"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            read_cell(tmp_path / name)
    pytest.importorskip("safetensors")
    pytest.importorskip("h5py")
    for name in ("text.safetensors", "text.weights.h5", "text.keras"):
        with pytest.raises(ValueError, match="not a whole"):
            read_cell(tmp_path / name)
    with pytest.raises(ValueError, match=r"must end in \.npz or \.safetensors"):
        write_arrays(tmp_path / "weights.pt", {})
    with pytest.raises(TypeError, match="must be a mapping of names to arrays, or the path"):
        read_arrays(3)


def test_missing_packages_name_the_extra(tmp_path, monkeypatch):
    for package, name in (("h5py", "a.h5"), ("safetensors", "a.safetensors")):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f"{package}.numpy", None)
        (tmp_path / name).touch()
        with pytest.raises(ImportError, match=r"lyapnet\[io\]"):
            read_arrays(tmp_path / name)
