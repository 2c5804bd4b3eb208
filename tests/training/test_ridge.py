"""Readouts by ridge regression, and closed loops that learn."""

import sys
import warnings

import numpy as np
import pytest

import lyapnet as ln

N, T, WASHOUT = 12, 400, 50


@pytest.fixture(scope="module")
def driven():
    rng = np.random.default_rng(0)
    esn = ln.EchoStateNetwork.random(N, n_inputs=2, gain=0.9, bias=0.5, rng=rng)
    u = rng.standard_normal((T, 2))
    y = np.stack([u[:, 0] + 0.3 * np.roll(u[:, 1], 1), rng.standard_normal(T) + 2], axis=1)
    states = esn.orbit(np.zeros(N), u, T).states[1:]
    return esn, u, y, states


def ridge_by_rows(x, y, ridge):
    """Solve the same problem as ordinary least squares with further rows, bias unpenalised."""
    extra = np.sqrt(len(x) * ridge) * np.eye(x.shape[1])
    A = np.block([[x, np.ones((len(x), 1))], [extra, np.zeros((x.shape[1], 1))]])
    found = np.linalg.lstsq(A, np.vstack([y, np.zeros((x.shape[1], y.shape[1]))]), rcond=None)[0]
    return found[:-1].T, found[-1]


@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 1.0])
def test_one_strength_is_least_squares_with_further_rows(driven, ridge):
    esn, u, y, states = driven
    fit = ln.fit_readout(esn, u, y, ridge=ridge, washout=WASHOUT)
    x, target = states[WASHOUT:], y[WASHOUT:]
    W, b = ridge_by_rows(x, target, ridge)
    np.testing.assert_allclose(fit.readout.W, W, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(fit.readout.b, b, rtol=1e-7, atol=1e-8)
    residual = x @ W.T + b - target
    want = np.sqrt(np.sum(residual**2) / np.sum((target - target.mean(0)) ** 2))
    np.testing.assert_allclose(fit.error, want, rtol=1e-7)
    np.testing.assert_array_equal(fit.state, states[-1])
    np.testing.assert_allclose(fit.outputs(states[:3]), states[:3] @ W.T + b, atol=1e-7)
    assert np.isnan(fit.scores).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (point,) = (line for line in fit.plot().lines if line.get_label() == "of the fit itself")
    assert (point.get_xdata(), point.get_ydata()) == ([ridge], [fit.error])


def test_cross_validation_is_that_by_hand(driven, tmp_path):
    esn, u, y, states = driven
    ridges = [1e-4, 1e-2, 1e-1, 10.0]
    fit = ln.fit_readout(esn, u, y, ridge=ridges, washout=WASHOUT, folds=3)
    edges = np.linspace(WASHOUT, T, 4).astype(int)
    scores = []
    for ridge in ridges:
        errors = []
        for i in range(3):
            out = np.zeros(T, dtype=bool)
            out[edges[i] : edges[i + 1]] = True
            kept = ~out & (np.arange(T) >= WASHOUT)
            W, b = ridge_by_rows(states[kept], y[kept], ridge)
            residual = states[out] @ W.T + b - y[out]
            errors.append(np.sum(residual**2) / np.sum((y[out] - y[out].mean(0)) ** 2))
        scores.append(np.sqrt(np.mean(errors)))
    np.testing.assert_allclose(fit.scores, scores, rtol=1e-6)
    assert fit.ridge == ridges[int(np.argmin(scores))]
    again = ln.load(fit.save(tmp_path / "fit.npz"))
    np.testing.assert_array_equal(again.readout.W, fit.readout.W)
    assert fit.plot().get_xlabel() == "ridge"


def test_long_runs_are_gathered_in_stretches(driven, monkeypatch):
    esn, u, y, _ = driven
    whole = ln.fit_readout(esn, u, y, ridge=[1e-3, 1e-1], washout=WASHOUT)
    monkeypatch.setattr(sys.modules[ln.fit_readout.__module__], "_STRETCH", 17)
    parts = ln.fit_readout(esn, u, y, ridge=[1e-3, 1e-1], washout=WASHOUT)
    np.testing.assert_allclose(parts.readout.W, whole.readout.W, rtol=1e-9)


def test_other_cells_and_their_closed_loops():
    u = np.sin(0.2 * np.arange(800))[:, None]
    for cell in (ln.GRU.random(20, rng=0), ln.LSTM.random(20, rng=0)):
        fit = ln.fit_readout(cell, u[:-1], u[1:], ridge=1e-8)
        assert fit.error < 0.01
        assert fit.readout.W.shape == (1, 20)
        loop, x, heard = fit.closed_loop(), fit.state, []
        for _ in range(20):
            heard.append(loop.output(x)[0])
            x = loop.step(x)
        np.testing.assert_allclose(heard, np.sin(0.2 * np.arange(799, 819)), atol=0.1)


@pytest.mark.parametrize(
    ("kwargs", "error", "named"),
    [
        ({"targets": np.ones((T - 1, 1))}, ValueError, "as many"),
        ({"targets": np.ones(T)}, ValueError, "`targets`"),
        ({"ridge": -1.0}, ValueError, "`ridge`"),
        ({"ridge": []}, ValueError, "`ridge`"),
        ({"washout": T}, ValueError, "washout"),
        ({"folds": 1, "ridge": [1, 2]}, ValueError, "`folds`"),
        ({"x0": np.ones((2, N))}, ValueError, "`x0`"),
    ],
)
def test_bad_arguments_are_named(driven, kwargs, error, named):
    esn, u, y, _ = driven
    settings = {"inputs": u, "targets": y, **kwargs}
    with pytest.raises(error, match=named):
        ln.fit_readout(esn, settings.pop("inputs"), settings.pop("targets"), **settings)


@pytest.mark.slow
def test_lorenz_is_learnt_with_its_exponents():
    lorenz = ln.catalog.lorenz63(dt=0.02)
    x = lorenz.orbit(np.array([1.0, 2.0, 20.0]), None, 500).states[-1]
    u = lorenz.orbit(x, None, 20_000).states
    u = (u - u.mean(axis=0)) / u.std(axis=0)
    esn = ln.EchoStateNetwork.random(
        300, spectral_radius=0.1, degree=6, n_inputs=3, input_scale=0.1, bias=0.5, dt=0.02, rng=1
    )
    fit = ln.fit_readout(esn, u[:-1], u[1:], ridge=1e-10)
    conditional = ln.lyapunov_spectrum(esn, inputs=u[:2000], k=1, rng=0)
    target = ln.lyapunov_spectrum(lorenz, 20_000, rng=0)
    assert ln.reservoir_criterion(conditional, target).verdict == "holds"
    closed = ln.lyapunov_spectrum(
        fit.closed_loop(), 8000, k=4, x0=fit.state, transient=100, basis_transient=200, rng=0
    )
    truth = np.array([0.9056, 0.0, -14.5723])  # of the catalog
    assert (
        np.abs(closed.exponents[:3] - truth) < 0.05 * np.abs(truth) + 4 * closed.stderr[:3]
    ).all()
    assert abs(closed.exponents[2] / truth[2] - 1) < 0.05
    assert closed.exponents[3] < -40  # the reservoir's own, faster than any of the target's
