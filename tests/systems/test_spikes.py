"""Maps from spike to spike of networks of neurons, against loops with Jacobians by hand."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

N, CURRENT, PULSE = 8, 1.5, 0.8
RNG = np.random.default_rng(3)
WIRED = (RNG.random((N, N)) < 0.4) & ~np.eye(N, dtype=bool)


def leaky(v):
    i = anp.argmax(v)
    v = CURRENT - (CURRENT - v) * (CURRENT - 1) / (CURRENT - v[i])
    return anp.where(anp.arange(N) == i, 0.0, v - 0.03 * WIRED[:, i])


def leaky_by_hand(v):
    i = np.argmax(v)
    factor = (CURRENT - 1) / (CURRENT - v[i])
    D = factor * np.eye(N)
    D[:, i] -= (CURRENT - v) * factor / (CURRENT - v[i])
    D[i] = 0
    v = CURRENT - (CURRENT - v) * factor - 0.03 * WIRED[:, i]
    v[i] = 0
    return v, D


def theta(phase):
    fires = phase == anp.max(phase)
    phase = phase + np.pi - anp.max(phase)
    after = 2 * anp.arctan(anp.tan(phase / 2) - PULSE * (WIRED @ (1.0 * fires)))
    return anp.where(fires, -np.pi, after)


def theta_by_hand(phase):
    i = np.argmax(phase)
    t = np.tan((phase + np.pi - phase[i]) / 2)
    after = t - PULSE * WIRED[:, i]
    slope = (1 + t**2) / (1 + after**2)
    D = np.diag(slope)
    D[:, i] -= slope
    D[i] = 0
    phase = 2 * np.arctan(after)
    phase[i] = -np.pi
    return phase, D


@pytest.mark.parametrize(
    ("step", "by_hand", "x0"),
    [(leaky, leaky_by_hand, RNG.random(N)), (theta, theta_by_hand, 6 * RNG.random(N) - 3)],
    ids=["leaky", "theta"],
)
def test_exponents_per_spike(step, by_hand, x0):
    x, Q, growth = x0, np.eye(N)[:, :4], np.zeros(4)
    for s in range(200):  # rounding parts chaotic orbits later
        x, D = by_hand(x)
        Q, R = np.linalg.qr(D @ Q)
        growth += np.log(np.abs(np.diag(R))) * (s >= 50)
    system = ln.Map(step, N)
    assert_allclose(system.orbit(x0, None, 50).states[-1], _after(by_hand, x0, 50), atol=1e-9)
    s = ln.lyapunov_spectrum(
        system, 150, k=4, x0=x0, basis=np.eye(N)[:, :4], transient=0, basis_transient=50,
        qr_interval=1,
    )  # fmt: skip
    assert_allclose(np.sort(s.exponents)[::-1], np.sort(growth / 150)[::-1], atol=1e-8)


def _after(by_hand, x, n):
    for _ in range(n):
        x = by_hand(x)[0]
    return x


def test_spikes_are_run_by_compiled_loops():
    pytest.importorskip("numba")
    for step, high in ((leaky, 1.0), (theta, 3.0)):
        s = ln.lyapunov_spectrum(ln.Map(step, N), 5000, k=3, x0=high * RNG.random(N), rng=0)
        assert s.settings["engine"] == "compiled"
