"""Regular dynamics: finite errors that hold the truth, and none for what is merely short."""

import autograd.numpy as anp
import numpy as np
import pytest
from series import REPLICATIONS, ar1

import lyapnet as ln
from lyapnet import catalog, cli
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.phases import is_regular
from lyapnet.spectrum.uncertainty.regular import regular_bound
from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr

QR_ROUNDING = 1e-11  # of a column 1e-5 as long as the first before it is orthonormalised


def holds(spectrum, truth):
    low, high = spectrum.confidence_interval()
    finite = np.isfinite(spectrum.exponents)
    inside = (low - QR_ROUNDING <= truth) & (truth <= high + QR_ROUNDING)
    return inside[finite].all()


def log_moduli(W):
    return np.sort(np.log(np.abs(np.linalg.eigvals(W))))[::-1]


# 26 of the first 40 seeds pass at both lengths: the others have moduli that nearly agree, or
# rotations that beat slowly with the batches, and are too short or drift (`regular_bound`).
@pytest.mark.parametrize("n", [5000, 20_000])
@pytest.mark.parametrize("seed", [0, 3, 4, 6, 7, 9])
def test_stable_network(seed, n):
    cell = ln.VanillaRNN.random(20, gain=0.5, n_inputs=0, rng=seed)  # its origin attracts all
    spectrum = ln.lyapunov_spectrum(cell, n, rng=seed)
    assert np.isfinite(spectrum.stderr).all()
    assert holds(spectrum, log_moduli(cell.params["W"]))
    assert spectrum.diagnose().converged
    stopped = ln.lyapunov_spectrum(cell, n, tol=1e-3, rng=seed)
    assert stopped.converged
    assert stopped.diagnose(tol=1e-3).converged
    assert holds(stopped, log_moduli(cell.params["W"]))


def test_tolerance_stops_a_stable_network_before_the_end():
    cell = ln.VanillaRNN.random(20, gain=0.5, n_inputs=0, rng=0)
    spectrum = ln.lyapunov_spectrum(cell, 100_000, tol=1e-3, rng=0)
    assert spectrum.settings["n_steps"] < 20_000


@pytest.mark.parametrize("n", [5000, 20_000])
def test_complex_pairs(n):
    angles, moduli = np.array([1.0, np.sqrt(2), 2.5]), np.array([0.9, 0.8, 0.7])
    W = np.zeros((6, 6))
    for i, (a, r) in enumerate(zip(angles, moduli, strict=True)):
        turn = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        W[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = r * np.array(turn)
    P = np.random.default_rng(0).standard_normal((6, 6))
    W = np.linalg.solve(P, W @ P)
    spectrum = ln.spectrum_from_jacobians(np.tile(W, (n, 1, 1)), rng=0)
    assert spectrum.diagnose().converged
    assert holds(spectrum, np.repeat(np.log(moduli), 2))


def ikeda(x):
    t = 0.4 - 6 / (1 + x[0] ** 2 + x[1] ** 2)
    c, s = anp.cos(t), anp.sin(t)
    return anp.array([1 + 0.55 * (x[0] * c - x[1] * s), 0.55 * (x[0] * s + x[1] * c)])


@pytest.mark.parametrize("n", [5000, 20_000])
@pytest.mark.parametrize("interval", ["auto", 1])
def test_cycle_of_the_ikeda_map(n, interval):
    system, x0 = ln.Map(ikeda, 2), np.array([0.1, 0.1])
    spectrum = ln.lyapunov_spectrum(system, n, x0=x0, qr_interval=interval, rng=0)
    long = ln.lyapunov_spectrum(system, 50_000, x0=x0, transient=10_000, rng=1)
    assert np.all(spectrum.stderr < 1e-4)
    assert holds(spectrum, long.exponents)
    assert spectrum.diagnose().verdict.startswith("converged: regular growth")


@pytest.mark.parametrize("n", [20_000, 50_000])
def test_fixed_point_of_the_lorenz_system(n):
    rho, sigma, beta = 10.0, 10.0, 8 / 3
    x = np.sqrt(beta * (rho - 1))
    A = np.array([[-sigma, sigma, 0], [1, -1, -x], [x, x, -beta]])
    system = catalog.lorenz63(rho=rho)
    spectrum = ln.lyapunov_spectrum(system, n, rng=0)
    step = np.eye(3)  # of the numerical flow, Runge-Kutta of order 4
    for j in (4, 3, 2, 1):
        step = np.eye(3) + system.dt / j * A @ step
    assert spectrum.diagnose().verdict.startswith("converged: regular growth")
    assert holds(spectrum, log_moduli(step) / system.dt)


def test_limit_cycle():
    van_der_pol = ln.Flow(lambda x: anp.array([x[1], (1 - x[0] ** 2) * x[1] - x[0]]), 2, dt=0.01)
    x0 = np.array([1.0, 0.0])
    short = ln.lyapunov_spectrum(van_der_pol, 20_000, x0=x0, transient=5000, rng=0)
    assert np.isfinite(short.stderr).all()
    assert holds(short, [0.0, -1.0593769])  # both: period averages, by quadrature
    assert short.diagnose().converged


@pytest.mark.parametrize("angle", [1.0, np.sqrt(2), np.pi * (np.sqrt(5) - 1), 0.05])
@pytest.mark.parametrize("n", [2000, 5000, 100_000])
def test_rotation_by_an_irrational_angle(angle, n):
    phase = np.arange(n + 1) * angle + 2 * np.pi * np.random.default_rng(0).random((200, 1))
    phi = 0.5 * np.log(1 + 0.9 * np.cos(phase.T))
    estimate = mean_and_stderr(np.diff(phi, axis=0) - 0.3, np.ones(n))
    low, high = estimate.confidence_interval()
    assert np.all((low <= -0.3) & (high >= -0.3))
    assert np.median(estimate.stderr) < 3 * np.ptp(phi) / n


@pytest.mark.parametrize("tail", ["constant", "rotating", "rounded"])
def test_decay(tail):
    n, truth = 400, -0.7
    b = np.arange(n)
    growth = truth + np.exp(-b / 30)
    if tail == "rotating":
        growth += np.diff(0.1 * np.cos(2.2 * np.arange(n + 1)))
    if tail == "rounded":
        growth = truth + 1e-10 * np.exp(-b / 5) + 1e-14 * np.sin(b**2)
    estimate = mean_and_stderr(growth, np.ones(n))
    low, high = estimate.confidence_interval()
    assert low < truth < high
    assert diagnose(growth[:, None], np.ones(n)).converged


def test_decay_slower_than_the_run_is_not_regular():
    growth = np.exp(-np.arange(200) / 100)[:, None]
    assert not regular_bound(growth, np.ones(200))[0].any()


@pytest.mark.parametrize("n", [12, 31, 100])
def test_noise_of_rounding_neither_drifts_nor_is_too_short(n):
    rng = np.random.default_rng(1)
    walk = np.cumsum(rng.standard_normal((n, 50)), axis=0)
    growth = np.float64([[0.7] * 25 + [-40.0] * 25]) * (1 + 2e-14 * walk / np.abs(walk).max())
    for truth, part in ((0.7, growth[:, :25]), (-40.0, growth[:, 25:])):
        found = diagnose(part, np.ones(n))
        assert found.verdict.startswith("converged: regular growth")
        assert np.all(found.stderr < 1e-11)
        error = np.abs(found.exponents - truth)
        assert np.all(error <= 2 * found.stderr + 2e-14 * abs(truth))


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("n", [64, 200, 1000])
def test_noise_is_hardly_ever_taken_for_regular(rho, n):
    growth = ar1(np.random.default_rng(2), rho, n, 5 * REPLICATIONS)
    regular, bound = regular_bound(growth, np.ones(n))
    # 10 000 replications; diffusing sums, whose bound is a good interval, are so more often
    assert np.mean(regular) < (0.06 if (1 + rho) / (1 - rho) < n / 40 else 5e-3)
    if regular.sum() > 100:
        assert np.mean(np.abs(growth.mean(axis=0)) <= 2 * bound, where=regular) > 0.85


@pytest.mark.parametrize("rho", [0.9, 0.95, 0.99])
def test_short_runs_stay_too_short(rho):
    growth = ar1(np.random.default_rng(3), rho, round(5 * (1 + rho) / (1 - rho)))
    assert np.mean(mean_and_stderr(growth, np.ones(len(growth))).too_short) > 0.9


def test_drift_within_the_tolerance_is_no_obstacle():
    n = 4000
    growth = 1e-3 * np.random.default_rng(4).standard_normal((n, 1)) + 0.3
    growth[:, 0] += 4e-4 * np.exp(-np.arange(n) / 400)
    assert diagnose(growth, np.ones(n)).verdict.startswith("drifting")
    assert diagnose(growth, np.ones(n), tol=2e-5).verdict.startswith("drifting")
    assert diagnose(growth, np.ones(n), tol=1e-3).converged


def test_command_line_on_a_stable_network(tmp_path, capsys):
    rng = np.random.default_rng(0)
    W = 0.5 * rng.standard_normal((20, 20)) / np.sqrt(20)
    np.savez(tmp_path / "W.npz", W=W)
    assert cli.main(["spectrum", str(tmp_path / "W.npz")]) == 0
    out = capsys.readouterr().out
    assert "converged:" in out
    assert "inf" not in out


def test_trends_within_rounding_are_no_long_correlations():
    # Before: "too short", as rounding of phases that run on changes slowly.
    rng = np.random.default_rng(11)
    slow = np.cumsum(rng.standard_normal((800, 20)), axis=0) * 1e-13
    growth = -3.83 + slow
    estimate = mean_and_stderr(growth, np.full(800, 2.5))
    assert np.isfinite(estimate.stderr).all()
    assert (estimate.half_width() < 1e-10).all()
    assert is_regular(growth, np.full(800, 2.5)).all()
    drift = 1 + 1e-6 * np.arange(800)[:, None]  # a trend that rounding does not explain
    assert not is_regular(-3.83 * drift, np.ones(800)).any()


def test_a_wave_whose_phases_run_on_for_ever():
    pytest.importorskip("numba")
    wave = 2 * np.pi * np.arange(6) / 6  # a rotating one

    def ring(th):
        return th + 0.1 + 0.3 * (np.sin(np.roll(th, 1) - th) + np.sin(np.roll(th, -1) - th))

    s = ln.lyapunov_spectrum(ln.Map(ring, 6), 200_000, x0=wave + 1e-3 * np.sin(wave), rng=0)
    truth = -np.sort(-np.log(1 - 0.3 * (1 - np.cos(wave))))
    low, high = s.confidence_interval()
    assert ((low - 1e-12 <= truth) & (truth <= high + 1e-12)).all()
    assert (high - low < 1e-8).all()
    assert s.diagnose().converged
