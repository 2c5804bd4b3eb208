"""Mean-field theory: an independent prediction of large networks' exponents."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf, erfc

import lyapnet as ln
from lyapnet.cells.mean_field import critical_gain, mean_field_exponent


def test_without_input_the_fixed_point_loses_stability_at_one():
    assert critical_gain() == pytest.approx(1.0, abs=1e-3)
    assert mean_field_exponent(0.7) == pytest.approx(np.log(0.7), abs=1e-9)


def test_linear_network_is_its_gain_whatever_the_input():
    found = mean_field_exponent(0.7, input_variance=3.0, activation="linear")
    assert found == pytest.approx(np.log(0.7))


@pytest.mark.parametrize("variance", [0.0, 1e-9, 0.5, 7.0])
@pytest.mark.parametrize("gain", [0.3, 1.2, 1.41, 2.0])
def test_relu_halves_the_slopes(gain, variance):
    # Half of the units are on: g^2 / 2 per step; Poole et al. 2016, He et al. 2015. Above sqrt(2)
    # the state grows without bound, and its perturbations with it.
    found = mean_field_exponent(gain, input_variance=variance, activation="relu")
    assert found == pytest.approx(0.5 * np.log(0.5 * gain**2), abs=1e-12)


def test_leaky_rectifiers_average_their_two_slopes():
    leaky = ln.Activation(
        lambda h: np.where(h > 0, h, 0.2 * h), lambda h: np.where(h > 0, 1.0, 0.2)
    )
    slope = (1 + 0.2**2) / 2
    assert mean_field_exponent(0.9, activation=leaky) == pytest.approx(0.5 * np.log(0.81 * slope))
    assert critical_gain(activation=leaky) == pytest.approx(slope**-0.5)


@pytest.mark.parametrize("variance", [0.0, 0.1, 3.0])
def test_scale_free_networks_are_critical_at_the_gain_of_their_slopes(variance):
    assert critical_gain(input_variance=variance, activation="linear") == pytest.approx(1.0)
    assert critical_gain(input_variance=variance, activation="relu") == pytest.approx(np.sqrt(2))


def test_arrays_broadcast_and_agree_with_numbers():
    gains, variances = np.array([[0.5], [2.0]]), np.array([0.0, 1.0, 4.0])
    found = mean_field_exponent(gains, input_variance=variances)
    assert found.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        alone = mean_field_exponent(float(gains[i, 0]), input_variance=float(variances[j]))
        assert isinstance(alone, float)
        assert found[i, j] == alone
    critical = critical_gain(input_variance=variances)
    np.testing.assert_allclose(
        mean_field_exponent(critical, input_variance=variances), 0, atol=1e-6
    )


@pytest.mark.parametrize("gain", [-1.0, [1.0, -2.0], np.nan, "much"])
def test_bad_gains_are_named(gain):
    with pytest.raises((ValueError, TypeError), match="gain"):
        mean_field_exponent(gain)


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


@pytest.mark.parametrize(
    ("gain", "expected"), [(300, 2.53693), (1e3, 3.13845), (3e3, 3.68762), (1e4, 4.28956)]
)
def test_steep_networks(gain, expected):
    # by mpmath's quadrature; slopes are not 0 within 1 / gain of zero
    assert mean_field_exponent(gain) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("gain", [1e5, 1e6, 1e7])
def test_the_limit_of_steep_networks(gain):
    # Exact limit: q = g^2, and the integral of sech^4 is 4 / 3.
    expected = 0.5 * np.log(gain * 4 / 3 / np.sqrt(2 * np.pi))
    assert mean_field_exponent(gain) == pytest.approx(expected, abs=10 / gain)


@pytest.mark.parametrize(
    ("variance", "expected"), [(1e5, 24.4185), (1e6, 43.379), (1e8, 137.118), (1e12, 1371.12)]
)
def test_critical_gains_under_strong_inputs(variance, expected):
    # the first two by mpmath's quadrature, the others by g^2 (4/3) / sqrt(2 pi variance) = 1
    found = critical_gain(input_variance=variance)
    assert found == pytest.approx(expected, rel=1e-5 if variance < 1e7 else 1e-4)


@pytest.mark.parametrize("width", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("gain", [0.7, 2.0, 50.0, 1e4])
def test_hard_tanh_is_exact(gain, width):
    hard = ln.Activation(
        lambda h: np.clip(h, -width, width), lambda h: np.where(np.abs(h) < width, 1.0, 0.0)
    )

    def square(q):  # E clip(h)^2 of h ~ N(0, q)
        a = width / np.sqrt(q)
        inside = erf(a / np.sqrt(2)) - np.sqrt(2 / np.pi) * a * np.exp(-0.5 * a**2)
        return q * inside + width**2 * erfc(a / np.sqrt(2))

    variance = 0.5
    high = variance + gain**2 * width**2 + 1
    q = brentq(lambda q: gain**2 * square(q) + variance - q, variance, high, rtol=1e-14)
    expected = 0.5 * np.log(gain**2 * erf(width / np.sqrt(2 * q)))
    found = mean_field_exponent(gain, input_variance=variance, activation=hard)
    assert found == pytest.approx(expected, abs=1e-9)
