"""Mistakes that other tools have shipped: each has a test here that fails if it is made.

Some are caught beside the module that could make them:

- transposed Jacobians, or in the wrong order: `spectrum/test_measure.py` (periodic, short
  products),
  `spectrum/test_invariants.py` (one's own Jacobian, which keeps the volume);
- an LSTM without its cell state: `cells/test_gated.py`;
- covariant vectors off by one step: `spectrum/test_covariant.py`;
- the tent map that dies after 53 halvings in float64: `catalog/test_catalog.py`;
- an interval that does not divide the run: `spectrum/test_measure.py`, and more of it here.
"""

import gc
import tracemalloc

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.systems.engine import missing

# --- misplaced Jacobians -----------------------------------------------------------------------


@pytest.mark.parametrize("interval", [1, 3])
def test_jacobian_is_taken_where_the_step_starts(interval):
    # Exact: in one dimension the exponent is the mean of log|f'(x_s)| over the steps s.
    s = ln.lyapunov_spectrum(
        ln.Map(lambda x: 3.9 * x * (1 - x), 1),
        10,
        x0=[0.3],
        transient=4,
        basis_transient=3,
        qr_interval=interval,
        rng=0,
    )
    x, slopes = 0.3, []
    for _ in range(18):
        slopes.append(np.log(abs(3.9 * (1 - 2 * x))))
        x = 3.9 * x * (1 - x)
    assert_allclose(s.exponents[0], np.mean(slopes[7:17]), atol=1e-12)
    for shift in (-1, 1):
        assert abs(np.mean(slopes[7 + shift : 17 + shift]) - s.exponents[0]) > 0.01


def test_input_belongs_to_the_step_that_it_enters():
    # Exact: x' = u x has the mean of log|u| over the averaged steps.
    u = np.exp(np.random.default_rng(0).standard_normal((30, 1)))
    scale = ln.Map(lambda x, u: u * x, 1, n_inputs=1)
    s = ln.lyapunov_spectrum(
        scale, inputs=u, x0=[1.0], transient=5, basis_transient=4, qr_interval=4, rng=0
    )
    assert_allclose(s.exponents[0], np.log(u[9:]).mean(), atol=1e-12)
    lam = ln.finite_time_exponents(
        scale, np.ones(1), np.eye(1), inputs=u, transient=5, basis_transient=4
    )
    assert_allclose(lam[0], np.log(u[9:]).mean(), atol=1e-12)
    longer = s.extend(10, inputs=u[:10])
    assert_allclose(longer.exponents[0], np.log(np.r_[u[9:], u[:10]]).mean(), atol=1e-12)


def test_gated_and_vanilla_cells_take_the_input_of_their_step():
    # Two inputs take turns: a shift by one would exchange which of them comes first.
    for kind in (ln.VanillaRNN, ln.LSTM, ln.GRU):
        cell = kind.random(4, gain=2.0, rng=0)
        u = np.tile([[0.0], [3.0]], (5, 1))[:9]
        x0 = np.random.default_rng(1).standard_normal(cell.dim)
        lam = ln.finite_time_exponents(cell, x0, np.eye(cell.dim), inputs=u)
        x, D = x0, []
        for given in u:
            D.append(cell.jacobian(x, given))
            x = cell.step(x, given)
        assert_allclose(lam, truths.slow_exponents(D, np.eye(cell.dim)), atol=1e-10)


# --- blocks and times --------------------------------------------------------------------------


@pytest.mark.parametrize("record", [True, False])
@pytest.mark.parametrize(("n_steps", "interval"), [(10, 4), (7, 10), (1, 3), (12, 4)])
def test_last_block_counts_with_its_own_length(n_steps, interval, record):
    # Exact: growth is different in each step, so that a dropped step or a wrong time shows.
    u = np.exp(np.arange(1.0, 1 + n_steps))[:, None]
    scale = ln.Map(lambda x, u: u * x, 1, n_inputs=1)
    kwargs = dict(x0=[1e-9], transient=0, basis_transient=0, qr_interval=interval, rng=0)
    s = ln.lyapunov_spectrum(scale, inputs=u, record=record, **kwargs)
    assert_allclose(s.exponents[0], (n_steps + 1) / 2, rtol=1e-13)
    if record:
        assert s.times[-1] == n_steps
        assert_allclose(s.log_growth.sum(), n_steps * (n_steps + 1) / 2, rtol=1e-13)
        assert_allclose(s.running()[-1], s.exponents, rtol=1e-13)


@pytest.mark.parametrize("record", [True, False])
def test_early_stop_divides_by_the_steps_done(record):
    # Exact: constant growth 1.3 per unit time, found long before n_steps are over.
    flow = ln.Flow(lambda x: 1.3 * x, 1, dt=0.01, jacobian=lambda x: [[1.3]])
    factor = sum((1.3 * 0.01) ** j / f for j, f in enumerate([1, 1, 2, 6, 24]))
    s = ln.lyapunov_spectrum(flow, 50_000, x0=[1e-300], tol=1e-3, record=record, rng=0)
    assert s.converged
    assert s.settings["n_steps"] < 25_000
    assert_allclose(s.exponents[0], np.log(factor) / 0.01, rtol=1e-9)
    if record:
        assert_allclose(s.times[-1], s.settings["n_steps"] * 0.01)


def test_failure_divides_by_the_steps_done():
    # Exact, of the partial result: perturbations grow by 1.1 in each step.
    growing = ln.VanillaRNN(1.1 * np.eye(1), activation="linear")
    with pytest.raises(ln.DivergedError) as caught:
        ln.lyapunov_spectrum(growing, 100_000, x0=[1e-300], transient=0, basis_transient=0, rng=0)
    partial = caught.value.partial
    assert 4000 < partial.settings["n_steps"] < 14_700  # whole stretches of it
    assert_allclose(partial.exponents[0], np.log(1.1), rtol=1e-12)


# --- windows -----------------------------------------------------------------------------------


def test_basis_goes_on_from_window_to_window():
    # Exact: of A every window but the first has its eigenvalues; a basis that is reset would
    # begin each window with the transient growth of the first.
    A = np.array([[1.1, 30.0], [0.0, 0.4]])
    s = ln.lyapunov_spectrum(
        truths.matrix_map(A),
        200,
        x0=np.zeros(2),
        basis=np.eye(2)[:, ::-1],
        transient=0,
        basis_transient=0,
        qr_interval=5,
    )
    windows = s.finite_time(20)
    assert windows[0, 0] > np.log(1.1) + 0.1
    assert_allclose(windows[2:], np.log([[1.1, 0.4]] * 8), atol=1e-9)
    assert_allclose(windows.mean(axis=0), s.exponents, atol=1e-12)


# --- signs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [-0.5, 0.5])
def test_flossing_target_is_missed_on_either_side(exponent):
    cell = ln.VanillaRNN(np.exp(exponent) * np.eye(2), activation="linear")
    still = ln.Adam(learning_rate=1e-9)
    found = ln.floss(cell, 12, k=2, n_steps=5, optimizer=still, tol=0.1, rng=0)
    assert "not met" in found.verdict
    zero = ln.VanillaRNN(np.eye(2), activation="linear")
    met = ln.floss(zero, 12, k=2, n_steps=5, optimizer=still, tol=0.1, rng=0)
    assert "not met" not in met.verdict


@pytest.mark.parametrize("sign", [-1, 1])
def test_drift_is_seen_in_either_direction(sign):
    u = np.exp(sign * np.linspace(-1, 1, 2000) + np.random.default_rng(0).normal(0, 0.1, 2000))
    scale = ln.Map(lambda x, u: u * anp.tanh(x), 1, n_inputs=1)
    s = ln.lyapunov_spectrum(
        scale, inputs=u[:, None], x0=[0.0], transient=0, basis_transient=0, rng=0
    )
    assert not s.diagnose().converged


@pytest.mark.parametrize("sign", [-1, 1])
def test_tolerance_is_about_widths_not_about_values(sign):
    # Strongly negative exponents are no more converged than strongly positive ones.
    u = np.exp(10 * sign + np.random.default_rng(0).normal(0, 1, 3000))[:, None]
    scale = ln.Map(lambda x, u: u * x, 1, n_inputs=1)
    s = ln.lyapunov_spectrum(
        scale, inputs=u, x0=[0.0], transient=0, basis_transient=0, tol=1e-3, rng=0
    )
    assert s.converged is False


# --- flows: the error falls with dt, at the order of the method ----------------------------------


def limit_cycle(x):
    """Hopf's limit cycle r = 1 with a third direction that grows as its states say.

    Exact: x = cos t on the cycle, so the mean of 0.1 + x^2 + 0.3 x^3 is 0.6; and -2 across it.
    """
    a, b, y = x[0], x[1], x[2]
    r2 = a * a + b * b
    return anp.array([a - b - a * r2, a + b - b * r2, (0.1 + a * a + 0.3 * a**3) * y])


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_error_of_a_flow_falls_at_the_order_of_its_method(method, order):
    state, first, last = [], [], []
    for per_period in (128, 256):
        flow = ln.Flow(limit_cycle, 3, dt=2 * np.pi / per_period, method=method)
        s = ln.lyapunov_spectrum(
            flow,
            8 * per_period,  # whole periods
            x0=[1.0, 0.0, 0.0],
            transient=4 * per_period,
            basis_transient=4 * per_period,
            rng=0,
        )
        state.append(abs(np.linalg.norm(s.state[:2]) - 1))
        first.append(abs(s.exponents[0] - 0.6))
        last.append(abs(s.exponents[2] + 2.0))
    for name, (coarse, fine) in {"state": state, "last": last}.items():
        assert abs(np.log2(coarse / fine) - order) < 0.35, (name, coarse, fine)
    if method != "euler":  # whose two errors, of state and tangent, nearly cancel in this one
        assert abs(np.log2(first[0] / first[1]) - order) < 0.35, first
    assert first[1] < 2 * last[1]


# --- size --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "system",
    [ln.catalog.henon(), ln.VanillaRNN.random(16, gain=1.5, rng=0)],
    ids=["map", "network"],
)
def test_memory_does_not_grow_with_the_run(system):
    def peak(n_steps):
        gc.collect()
        tracemalloc.start()
        try:
            ln.lyapunov_spectrum(
                system,
                n_steps,
                transient=100,
                basis_transient=100,
                record=False,
                qr_interval=5,
                rng=0,
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2_000)
    # Compiled loops run up to 65 536 steps at once, NumPy as many as have 2^18 numbers.
    lengths = (2**19 // system.dim, 2**20 // system.dim) if missing() else (80_000, 200_000)
    # The lesser of two: what is made once, by whichever run is first to need it, is no growth.
    short, long = (min(peak(n) for _ in range(1 if missing() else 2)) for n in lengths)
    assert long < 1.2 * short + 50_000  # states alone would be 0.3 or 2.3 MB more


@pytest.mark.slow
def test_thousands_of_units():
    cell = ln.VanillaRNN.random(4096, n_inputs=0, rng=0)
    s = ln.lyapunov_spectrum(cell, 20, k=32, transient=5, basis_transient=5, rng=0)
    assert s.exponents.shape == (32,)
    assert s.exponents[0] < 0.1  # at a gain of 1 perturbations neither grow nor die quickly
    assert s.exponents[-1] > -0.3


def test_given_jacobians_at_an_interval_that_they_bear():
    jacobians = np.tile(np.diag([1.5, 0.5]), (400, 1, 1))
    with pytest.raises(ln.DegenerateBasisError, match='qr_interval="auto"'):
        ln.spectrum_from_jacobians(jacobians, qr_interval=100, rng=0)
    s = ln.spectrum_from_jacobians(jacobians, qr_interval="auto", basis_transient=20, rng=0)
    assert 1 < s.settings["qr_interval"] < 100
    assert_allclose(s.exponents, np.log([1.5, 0.5]), rtol=1e-8)


def test_given_jacobians_keep_what_was_measured_before_one_that_overflows():
    jacobians = np.tile(np.diag([2.0, 0.5]), (6, 1, 1))
    jacobians[5] = 1.7e308  # its columns are longer than the largest number
    with pytest.raises(ln.DivergedError, match="step 6") as caught:
        ln.spectrum_from_jacobians(jacobians, basis=np.eye(2))
    assert_allclose(caught.value.partial.exponents, np.log([2.0, 0.5]), rtol=1e-14)


def test_prediction_without_a_surviving_direction_is_infinite_and_not_nan():
    dead = ln.VanillaRNN(np.eye(3), None, -9 * np.ones(3), activation="relu")
    spectrum = ln.lyapunov_spectrum(dead, 50, rng=0)
    assert np.isneginf(spectrum.exponents).all()
    assert spectrum.log10_condition_number([0, 10], 2).tolist() == [0, np.inf]
    assert spectrum.usable_dimensions(10, 3) == 0
    assert spectrum.usable_dimensions(0, 3) == 3


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("params", [None, {"a": np.array(0.5)}])
@pytest.mark.parametrize("kind", ["map", "flow"])
def test_driven_system_without_inputs_gets_zeros(kind, params, vectorized):
    # a vectorized one was called with None in place of its input, and failed
    V = np.array([[1.0, -1.0, 0.5], [0.3, 0.2, 0.1]])

    def rule(x, u, p=None):
        return (0.5 if p is None else p["a"]) * anp.tanh(x) + u @ V

    given = {"params": params, "vectorized": vectorized, "n_inputs": 2}
    system = ln.Map(rule, 3, **given) if kind == "map" else ln.Flow(rule, 3, dt=0.1, **given)
    x0 = np.ones((2, 3))
    zeros = ln.lyapunov_spectrum(system, 50, inputs=np.zeros((250, 2)), x0=x0, rng=0)
    without = ln.lyapunov_spectrum(system, 50, x0=x0, rng=0)
    np.testing.assert_array_equal(without.exponents, zeros.exponents)
    c = ln.condition_number(system, 20, x0=np.ones(3), rng=0)
    assert c.resolved.all()
