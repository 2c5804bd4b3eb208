"""Mean-field theory: an independent prediction of large networks' exponents."""

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.cells.mean_field import critical_gain, mean_field_exponent


def test_without_input_the_fixed_point_loses_stability_at_one():
    assert critical_gain() == pytest.approx(1.0, abs=1e-3)
    assert mean_field_exponent(0.7) == pytest.approx(np.log(0.7), abs=1e-9)


def test_linear_network_is_its_gain_whatever_the_input():
    found = mean_field_exponent(0.7, input_variance=3.0, activation="linear")
    assert found == pytest.approx(np.log(0.7))


def test_relu_halves_the_slopes():
    # Half of the units are on: g^2 / 2 per step; Poole et al. 2016, He et al. 2015.
    found = mean_field_exponent(1.2, input_variance=0.5, activation="relu")
    assert found == pytest.approx(0.5 * np.log(0.5 * 1.2**2), abs=2e-3)
    with pytest.raises(ValueError, match="without bound"):
        mean_field_exponent(2.0, activation="relu")


@pytest.mark.parametrize(("gain", "variance"), [(2.0, 0.0), (1.5, 1.0), (3.0, 1.0)])
def test_large_networks_follow(gain, variance):
    rng = np.random.default_rng(0)
    n_inputs = 20 if variance else 0  # many inputs: Gaussian drive to each unit
    cell = ln.VanillaRNN.random(800, gain=gain, n_inputs=n_inputs, rng=rng)
    u = rng.standard_normal((700, n_inputs)) * np.sqrt(variance / max(n_inputs, 1))
    s = ln.lyapunov_spectrum(
        cell, 500, k=1, inputs=u if n_inputs else None, transient=100, basis_transient=100, rng=rng
    )
    expected = mean_field_exponent(gain, input_variance=variance)
    # One network of 800 units differs from the limit by about 1/sqrt(800).
    assert s.exponents[0] == pytest.approx(expected, abs=0.05)


def test_no_critical_gain_is_said():
    with pytest.raises(ValueError, match="no gain"):
        critical_gain(activation=ln.Activation(np.zeros_like, np.zeros_like))
