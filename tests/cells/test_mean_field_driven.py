"""Critical gains under noise: against the theory without memory, and finite networks."""

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cells import mean_field_driven


@pytest.fixture(autouse=True)
def few_units(monkeypatch):
    """Let fewer units do: quicker, and about one and a half times as uncertain."""
    monkeypatch.setattr(mean_field_driven, "_UNITS", 1000)


@pytest.mark.parametrize("variance", [0.1, 8.0])
def test_without_memory_it_is_the_theory_of_one_step(variance):
    found = ln.driven_gain("vanilla", input_variance=variance)
    exponent = ln.mean_field_exponent(found, input_variance=variance)
    assert abs(exponent) < 0.015  # what some ten thousand drawn numbers tell


@pytest.mark.parametrize(
    ("kind", "cell", "options"),
    [
        ("vanilla", ln.VanillaRNN, {"leak": 0.3}),
        ("gru", ln.GRU, {}),
        ("lstm", ln.LSTM, {"bias": {"forget": 1.0}}),
    ],
    ids=str,
)
def test_finite_networks_are_critical_there(kind, cell, options):
    gain = ln.driven_gain(kind, **options)
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((700, 50)) / np.sqrt(50)  # of variance 1 in each unit's field

    def leading(gain):
        network = cell.random(150, gain=gain, n_inputs=50, rng=1, **options)
        return ln.lyapunov_spectrum(
            network, inputs=inputs, k=1, transient=100, basis_transient=50, rng=2
        ).exponents[0]

    low, at, high = (leading(factor * gain) for factor in (0.6, 1.0, 1.6))
    assert low < -0.03
    assert abs(at) < 0.015
    assert high > 0.01


def test_the_gain_is_the_same_each_time_and_hardly_another_for_another_seed():
    first, again, other = (ln.driven_gain("gru", rng=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert other == pytest.approx(first, rel=3e-2)


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("rnn", {}, "`kind` must be one of"),
        ("gru", {"input_variance": -1.0}, "`input_variance` must be"),
        ("gru", {"leak": 0.0}, "`leak` must lie in"),
        ("vanilla", {"bias": {"reset": 1.0}}, "`bias` must be of no gate"),
        ("lstm", {"bias": {"output": -600.0}}, "no gain between 0.05 and 100 is critical"),
    ],
)
def test_bad_arguments_are_named(kind, options, named):
    with pytest.raises(ValueError, match=named):
        ln.driven_gain(kind, **options)


def test_the_gains_that_are_tried_are_shown(capsys):
    shown = ln.driven_gain("vanilla", progress=True)
    assert "gain/s" in capsys.readouterr().err
    assert shown == ln.driven_gain("vanilla")
    assert capsys.readouterr().err == ""
