"""All exponents of large random networks: exact cases, and finite networks beside the theory."""

import numpy as np
import pytest
from scipy.integrate import quad

import lyapnet as ln


def test_without_slopes_it_is_newman_s_law():
    n = 40
    tau = (np.arange(n) + 0.5) / n
    found = ln.mean_field_spectrum(1.3, n, activation="linear")
    np.testing.assert_allclose(found, np.log(1.3) + 0.5 * np.log(1 - tau), atol=1e-9)


def test_rectifiers_have_half_of_the_directions():
    n = 40
    tau = (np.arange(n) + 0.5) / n
    found = ln.mean_field_spectrum(0.9, n, input_variance=1.0, activation="relu")
    assert np.isneginf(found[20:]).all()
    # half of the units have the slope 1: tau = s / (2 (1 + s))
    want = np.log(0.9) + 0.5 * np.log(0.5 - tau[:20])
    np.testing.assert_allclose(found[:20], want, atol=1e-9)


def test_the_first_is_the_mean_field_exponent():
    for gain, variance in ((0.7, 0.0), (1.5, 1.0), (3.0, 0.0)):
        found = ln.mean_field_spectrum(gain, 1000, input_variance=variance)[0]
        want = ln.mean_field_exponent(gain, input_variance=variance)
        assert found == pytest.approx(want, abs=5e-3)
        assert found < want


@pytest.mark.parametrize(("gain", "variance"), [(3.0, 0.0), (1.5, 1.0), (1.0, 0.25)])
def test_a_finite_network_beside_it(gain, variance):
    n = 150
    cell = ln.VanillaRNN.random(n, gain=gain, n_inputs=60, rng=0)
    # many weak inputs, so that the drive differs from unit to unit
    u = np.sqrt(variance / 60) * np.random.default_rng(1).standard_normal((500, 60))
    lam = ln.lyapunov_spectrum(
        cell, inputs=u, n_steps=300, transient=100, basis_transient=100, rng=0
    ).exponents
    theory = ln.mean_field_spectrum(gain, n, input_variance=variance)
    # a single network of 150 units: the last exponents, of nearly singular directions, apart
    np.testing.assert_allclose(lam[: n // 2], theory[: n // 2], atol=0.1)
    np.testing.assert_allclose(lam.mean(), theory.mean(), rtol=0.03)


@pytest.mark.parametrize(
    ("kind", "bias", "rate"),
    [
        (
            "gru",
            {"reset": 1.0, "update": -0.5},
            lambda g, o: o["update"] + (1 - o["update"]) * o["reset"] * g,
        ),
        (
            "lstm",
            {"forget": 1.0, "output": 0.5},
            lambda g, o: o["forget"] + o["input"] * o["output"] * g,
        ),
    ],
)
def test_the_zero_state_of_gated_networks(kind, bias, rate):
    n = 300
    cls = {"gru": ln.GRU, "lstm": ln.LSTM}[kind]
    critical = ln.quiescent_gain(kind, bias=bias)
    names = ("input", "forget", "output", "reset", "update")
    opened = {name: 1 / (1 + np.exp(-bias.get(name, 0.0))) for name in names}
    for gain in (0.8 * critical, critical, 1.2 * critical):
        cell = cls.random(n, gain=gain, n_inputs=0, bias=bias, rng=1)
        radius = np.abs(np.linalg.eigvals(cell.jacobian(np.zeros(cell.dim)))).max()
        assert radius == pytest.approx(rate(gain, opened), abs=0.05)
        if gain != critical:
            assert (radius > 1) == (gain > critical)


def test_bad_arguments_are_named():
    for call, named in [
        (lambda: ln.mean_field_spectrum(0.0, 3), "`gain`"),
        (lambda: ln.mean_field_spectrum(1.0, 0), "`n`"),
        (lambda: ln.quiescent_gain("rnn"), "`kind`"),
        (lambda: ln.quiescent_gain("gru", bias={"new": 1.0}), "`bias` must be of reset, update"),
        (lambda: ln.quiescent_gain("vanilla", leak=0.0), "`leak`"),
    ]:
        with pytest.raises(ValueError, match=named):
            call()


def test_steep_networks_solve_the_equation_of_the_module():
    gain, n = 1e3, 200
    q = gain**2 * (1 - 1 / gain)  # E tanh^2 = 1 - E sech^2, nearly
    lam = ln.mean_field_spectrum(gain, n)
    for i in (0, 3):
        tau = (i + 0.5) / n
        s = gain**2 * tau / np.exp(2 * lam[i])

        def share(h, s=s):
            slope = np.cosh(h) ** -4.0
            return s * slope / (1 + s * slope) * np.exp(-0.5 * h**2 / q) / np.sqrt(2 * np.pi * q)

        found = 2 * quad(share, 0, 60, points=[1, 5, 20], limit=200)[0]
        assert found == pytest.approx(tau, rel=2e-3)
