"""Spectra against exact answers, invariants and published values."""

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from numpy.testing import assert_allclose

import lyapnet as ln

# --- exact -------------------------------------------------------------------------------------


def test_diagonal_map_has_the_logs_of_its_entries():
    s = ln.lyapunov_spectrum(
        truths.matrix_map(np.diag([0.5, 2.0, 0.1])), 300, x0=np.zeros(3), rng=0
    )
    assert_allclose(s.exponents, np.log([2.0, 0.5, 0.1]), atol=1e-12)


def test_rotating_contracting_flow_has_its_real_parts():
    A = np.array([[-0.1, 3.0, 0.0], [-3.0, -0.1, 0.0], [0.0, 0.0, -2.0]])
    flow = ln.Flow(lambda x: A @ x, 3, dt=0.01, jacobian=lambda x: A)
    # The basis aligns like exp(-1.9 t): 20 units of time are enough.
    s = ln.lyapunov_spectrum(flow, 4000, x0=np.ones(3), basis_transient=2000, rng=0)
    # RK4 at dt=0.01 multiplies by 1 + z + z^2/2 + z^3/6 + z^4/24: exact up to z^5/120 per step.
    z = np.array([-0.1 + 3j, -0.1 - 3j, -2.0]) * 0.01
    factor = sum(z**j / f for j, f in enumerate([1, 1, 2, 6, 24]))
    assert_allclose(s.exponents, np.log(np.abs(factor)) / 0.01, rtol=0, atol=1e-9)


def test_period_three_product_gives_log_eigenvalues_over_the_period():
    # Catches transposed Jacobians and a wrong order: the eigenvalues of D2 D1 D0 are not those
    # of D0 D1 D2 transposed pairwise, and the three do not commute.
    D = np.random.default_rng(3).standard_normal((3, 4, 4))
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(D[2] @ D[1] @ D[0]))) / 3)[::-1]
    s = ln.spectrum_from_jacobians(np.tile(D, (4000, 1, 1)), basis_transient=3000, rng=0)
    # A complex pair shares its exponent only on average over its rotation.
    assert_allclose(s.exponents, expected, atol=2e-4)


def test_short_nonnormal_product_against_its_own_volumes():
    # The first j growth factors multiply to the volume of T Q_j: exact for any finite product.
    rng = np.random.default_rng(0)
    D = rng.standard_normal((5, 4, 4)) @ np.diag([3.0, 1.0, 0.5, 0.2])
    Q = np.linalg.qr(rng.standard_normal((4, 3)))[0]
    T = np.linalg.multi_dot(list(D[::-1]))
    s = ln.spectrum_from_jacobians(D, basis=Q)
    # By singular values: a Gram determinant squares the condition number, and its errors.
    volumes = [np.log(np.linalg.svd(T @ Q[:, :j])[1]).sum() for j in (1, 2, 3)]
    assert_allclose(np.cumsum(s.log_growth.sum(axis=0)), volumes, rtol=1e-10)
    transposed = np.linalg.norm(np.linalg.multi_dot(list(D.swapaxes(1, 2)[::-1])) @ Q[:, 0])
    assert abs(np.log(transposed) - volumes[0]) > 0.1


def test_full_basis_singular_values_of_a_diagonalised_product():
    # With the right singular vectors as basis the growth factors are the singular values.
    D = np.random.default_rng(1).standard_normal((3, 3, 3))
    T = D[2] @ D[1] @ D[0]
    sigma, Vt = np.linalg.svd(T)[1:]
    s = ln.spectrum_from_jacobians(D, basis=Vt.T)
    assert_allclose(s.exponents, np.log(sigma) / 3, atol=1e-12)


def test_linear_rnn_has_log_eigenvalues_of_its_weights():
    cell = ln.VanillaRNN.random(12, gain=0.9, activation="linear", rng=5)
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(cell.params["W"]))))[::-1]
    s = ln.lyapunov_spectrum(cell, 20_000, transient=0, basis_transient=2000, rng=0)
    assert_allclose(s.exponents, expected, atol=2e-3)
    low, high = s.confidence_interval(0.999)
    assert ((low - 1e-3 < expected) & (expected < high + 1e-3)).all()


@pytest.mark.parametrize("interval", [1, 3, "auto"])
def test_sum_of_exponents_is_the_mean_log_determinant(interval):
    henon = ln.lyapunov_spectrum(truths.henon(), 1000, x0=[0.1, 0.1], qr_interval=interval, rng=0)
    assert_allclose(henon.exponents.sum(), np.log(0.3), atol=1e-9)
    cell = ln.VanillaRNN.random(10, gain=2.0, rng=1)
    s = ln.lyapunov_spectrum(
        cell, 500, transient=0, basis_transient=0, qr_interval=interval, x0=np.ones(10), rng=0
    )
    x, total = np.ones(10), 0.0
    for _ in range(500):
        total += np.linalg.slogdet(cell.jacobian(x))[1]
        x = cell.step(x)
    assert_allclose(s.exponents.sum(), total / 500, atol=1e-9)


def test_sum_of_lorenz_exponents_is_its_divergence():
    s = ln.lyapunov_spectrum(truths.lorenz(), 2000, x0=[1.0, 1.0, 20.0], rng=0)
    # Up to the integrator: RK4 at dt = 0.01 misses the divergence by 1e-4.
    assert_allclose(s.exponents.sum(), -41 / 3, atol=5e-4)


# --- published ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["henon", "lorenz63", "roessler"])
def test_published_values_lie_within_the_error_bars(name):
    system = getattr(ln.catalog, name)()
    rng = np.random.default_rng(0)
    members = 1000 if name == "roessler" else 100  # its first exponent fluctuates most
    x0 = system.default_state(rng) + 1e-3 * rng.standard_normal((members, system.dim))
    s = ln.lyapunov_spectrum(
        system, 10_000, x0=x0, transient=5000, basis_transient=5000, record=False, rng=0
    ).pooled()
    truth = np.array(system.reference.exponents)
    half = np.maximum(s.confidence_interval(0.999)[1] - s.exponents, 6e-5)  # digits published
    assert (np.abs(s.exponents - truth) < half).all(), (s.exponents, truth, half)
    scale = np.maximum(np.abs(truth), np.abs(truth).max() / 100)
    assert (np.abs(s.exponents - truth) < 0.01 * scale).all(), (s.exponents, truth)


# --- the run -----------------------------------------------------------------------------------


def test_qr_intervals_agree_to_rounding():
    u = np.random.default_rng(0).standard_normal((600, 1))
    cell = ln.VanillaRNN.random(20, gain=1.3, rng=0)
    runs = [
        ln.lyapunov_spectrum(cell, inputs=u, k=15, qr_interval=q, rng=0) for q in (1, 2, 7, "auto")
    ]
    for s in runs[1:]:
        assert_allclose(s.exponents, runs[0].exponents, atol=1e-8)


def test_last_block_counts_when_the_interval_does_not_divide_the_run():
    a = ln.lyapunov_spectrum(truths.henon(), 103, x0=[0.1, 0.1], qr_interval=1, rng=0)
    b = ln.lyapunov_spectrum(truths.henon(), 103, x0=[0.1, 0.1], qr_interval=4, rng=0)
    assert b.log_growth.shape == (26, 2)
    assert b.times[-1] == 103
    assert_allclose(a.exponents, b.exponents, atol=1e-10)


def test_collapse_raises_with_step_and_remedy():
    with pytest.raises(ln.DegenerateBasisError, match="smaller qr_interval") as caught:
        ln.lyapunov_spectrum(truths.henon(), 500, x0=[0.1, 0.1], qr_interval=100, rng=0)
    assert caught.value.step == 200
    assert caught.value.exponent == 1


def test_automatic_interval_is_recorded_and_longer_than_one_where_it_can():
    s = ln.lyapunov_spectrum(truths.lorenz(), 2000, x0=[1.0, 1.0, 20.0], rng=0)
    assert s.settings["qr_interval"] >= 10
    assert s.settings["transient"] == s.settings["basis_transient"] == 200


def test_rotations_at_a_fixed_point_have_errors_and_truths_within_them():
    # In blocks of 5 or 10 steps, which the basis would stand, ten of the forty drift for ever.
    without = 0
    for seed in range(40):
        cell = ln.VanillaRNN.random(10, gain=0.8, n_inputs=0, bias=0.0, rng=seed)
        warm = dict(transient=500, basis_transient=500)
        s = ln.lyapunov_spectrum(cell, 1000, **warm, rng=seed)
        assert s.settings["qr_interval"] == 1
        exact = np.sort(np.log(np.abs(np.linalg.eigvals(cell.params["W"]))))[::-1]
        without += not np.isfinite(s.stderr).all()
        if exact[0] < 0:  # else its fixed point is not zero
            assert (np.abs(s.exponents - exact) < 4 * s.stderr + 1e-9).all()
    assert without <= 1  # one rotates so slowly that 1000 steps are too few


@pytest.mark.parametrize(("r", "interval"), [(2.9, 1), (3.2, 1), (3.5, 1), (3.9, 5)])
def test_a_short_cycle_counts_as_a_fixed_point(r, interval):
    s = ln.lyapunov_spectrum(ln.catalog.logistic(r=r), 5000, transient=2000, rng=0)
    assert s.settings["qr_interval"] == interval


def test_divergence_names_the_step_and_keeps_what_was_computed():
    cell = ln.VanillaRNN(2.0 * np.eye(2), None, None, activation="linear")
    with pytest.raises(ln.DivergedError, match="not finite after step 1024") as caught:
        ln.lyapunov_spectrum(cell, 5000, x0=np.ones(2), transient=0, basis_transient=0, rng=0)
    assert caught.value.step == 1024

    # A map that explodes late: the exponents of the steps before are kept.
    late = ln.VanillaRNN(1.1 * np.eye(2), None, None, activation="linear")
    with pytest.raises(ln.DivergedError) as caught:
        ln.lyapunov_spectrum(late, 10_000, x0=np.ones(2), transient=0, basis_transient=0, rng=0)
    assert_allclose(caught.value.partial.exponents, np.log(1.1), atol=1e-12)


def test_singular_jacobian_gives_minus_infinity_not_nan():
    W = np.array([[0.5, 0.1, 0.3], [0.2, 0.4, 0.1], [0.7, 0.5, 0.4]])  # third row: sum of both
    W[2] = W[0] + W[1]
    cell = ln.VanillaRNN(W, None, None, activation="linear")
    s = ln.lyapunov_spectrum(cell, 200, rng=0)
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(W))))[::-1]
    assert_allclose(s.exponents[:2], expected[:2], atol=1e-6)
    assert s.exponents[2] == -np.inf
    assert np.isnan(s.stderr[2])
    assert np.isfinite(s.stderr[:2]).all()


def test_extend_is_one_long_run():
    kwargs = dict(x0=[0.1, 0.1], transient=50, basis_transient=50, qr_interval=5, rng=0)
    short = ln.lyapunov_spectrum(truths.henon(), 400, **kwargs).extend(600)
    long = ln.lyapunov_spectrum(truths.henon(), 1000, **kwargs)
    assert_allclose(short.log_growth, long.log_growth, rtol=0, atol=0)
    assert_allclose(short.exponents, long.exponents, atol=0, rtol=1e-14)
    assert short.settings["n_steps"] == 1000
    assert_allclose(short.stderr, long.stderr, rtol=1e-9)


def test_extend_takes_as_many_steps_as_there_are_inputs():
    cell = ln.VanillaRNN.random(5, rng=0)
    inputs = np.random.default_rng(0).standard_normal((400, 1))
    run = ln.lyapunov_spectrum(cell, inputs=inputs[:300], rng=0)
    told = run.extend(100, inputs=inputs[300:])
    assert_allclose(run.extend(inputs=inputs[300:]).exponents, told.exponents, rtol=0)
    assert told.n_steps == run.n_steps + 100


def test_windows_average_to_the_exponents_without_resetting_the_basis():
    s = ln.lyapunov_spectrum(truths.henon(), 1000, x0=[0.1, 0.1], rng=0)
    windows = s.finite_time(100)
    assert windows.shape == (10, 2)
    assert_allclose(windows.mean(axis=0), s.exponents, atol=1e-12)
    # Volumes are kept in each; that the basis is not reset is shown in test_regressions.py.
    assert_allclose(windows.sum(axis=1), np.log(0.3), atol=1e-9)
    assert_allclose(s.running()[-1], s.exponents, atol=1e-12)


def test_record_false_keeps_only_statistics():
    a = ln.lyapunov_spectrum(truths.henon(), 5000, x0=[0.1, 0.1], rng=0)
    b = ln.lyapunov_spectrum(truths.henon(), 5000, x0=[0.1, 0.1], record=False, rng=0)
    assert b.log_growth.shape == (0, 2)
    assert_allclose(a.exponents, b.exponents, rtol=1e-12)
    assert_allclose(a.stderr, b.stderr, rtol=1e-9)
    with pytest.raises(ValueError, match="record=True"):
        b.finite_time(100)


def test_tolerance_stops_and_divides_by_the_steps_used():
    s = ln.lyapunov_spectrum(truths.henon(), 200_000, x0=[0.1, 0.1], tol=0.02, rng=0)
    assert s.converged
    assert s.settings["n_steps"] < 50_000
    assert_allclose(s.exponents.sum(), np.log(0.3), atol=1e-9)
    low, high = s.confidence_interval()
    assert (high - low < 0.04).all()
    short = ln.lyapunov_spectrum(truths.henon(), 300, x0=[0.1, 0.1], tol=1e-6, rng=0)
    assert short.converged is False


def test_ensemble_equals_its_members():
    cell = ln.VanillaRNN.random(8, gain=1.5, rng=0)
    rng = np.random.default_rng(1)
    x0, basis = rng.standard_normal((3, 8)), rng.standard_normal((3, 8, 5))
    u = rng.standard_normal((300, 3, 1))
    kwargs = dict(transient=20, basis_transient=20, qr_interval=1)
    together = ln.lyapunov_spectrum(cell, inputs=u, x0=x0, basis=basis, **kwargs)
    assert together.exponents.shape == (3, 5)
    for i in range(3):
        alone = ln.lyapunov_spectrum(cell, inputs=u[:, i], x0=x0[i], basis=basis[i], **kwargs)
        assert_allclose(together.exponents[i], alone.exponents, atol=1e-10)


def test_many_networks_in_one_call():
    cells = [ln.VanillaRNN.random(6, gain=1.2, rng=i) for i in range(4)]
    params = {k: np.stack([c.params[k] for c in cells]) for k in cells[0].params}
    many = ln.VanillaRNN(**params)
    kwargs = dict(x0=np.ones(6), basis=np.eye(6)[:, :4], qr_interval=1)
    together = ln.lyapunov_spectrum(many, 300, **kwargs)
    for i, cell in enumerate(cells):
        alone = ln.lyapunov_spectrum(cell, 300, **kwargs)
        assert_allclose(together.exponents[i], alone.exponents, atol=1e-9)


def test_bifurcation_diagram_in_one_call():
    r = np.array([2.5, 3.2, 4.0])
    logistic = ln.Map(lambda x, r: r[..., None] * x * (1 - x), 1, params=r, vectorized=True)
    s = ln.lyapunov_spectrum(logistic, 20_000, x0=[0.3], rng=0)
    # Fixed point and two-cycle: the logs of their multipliers; r = 4: ln 2.
    cycle = 0.5 * np.log(abs(4 + 2 * 3.2 - 3.2**2))
    assert_allclose(s.exponents[:, 0], [np.log(0.5), cycle, np.log(2)], atol=2e-3)


def henon_family(x, a):
    return anp.stack([1 - a * x[..., 0] ** 2 + x[..., 1], 0.3 * x[..., 0]], axis=-1)


def decays(x, a):
    return anp.stack([-a * x[..., 0] + x[..., 1], 0.1 * x[..., 0] - 2 * x[..., 1]], axis=-1)


@pytest.mark.parametrize("kind", ["map", "flow", "driven map"])
def test_components_that_are_stacked_under_parameters_of_each_member(kind):
    # All members come to rest, which is looked at one by one, where np.stack cannot join a number
    # of one state with those of all. Exact: logs of eigenvalues.
    a, D = np.array([0.2, 0.25, 0.3]), np.zeros((3, 2, 2))
    if kind == "flow":
        system = ln.Flow(decays, 2, dt=0.02, params=a, vectorized=True)
        D[:, 0, 0], D[:, 0, 1], D[:, 1] = -a, 1, [0.1, -2]
        expected = np.linalg.eigvals(D)
    else:
        rest = (-0.7 + np.sqrt(0.49 + 4 * a)) / (2 * a)
        D[:, 0, 0], D[:, 0, 1], D[:, 1] = -2 * a * rest, 1, [0.3, 0]
        expected = np.log(np.abs(np.linalg.eigvals(D)))
        system = ln.Map(henon_family, 2, params=a, vectorized=True)
    if kind == "driven map":
        system = ln.Map(
            lambda x, u, a: henon_family(x, a) + u, 2, n_inputs=2, params=a, vectorized=True
        )
    x0 = np.full((3, 2), [0.1, 0.2])
    s = ln.lyapunov_spectrum(system, 1000, x0=x0, transient=2000, basis_transient=1000, rng=0)
    assert_allclose(s.exponents, np.sort(expected)[:, ::-1], atol=1e-6)
    assert ln.check_invariants(system, 500, x0=x0, rng=0).passed
    ln.covariant_vectors(system, 50, x0=x0, rng=0)
    with pytest.raises(ValueError, match="give `x0` its axes in front"):
        ln.lyapunov_spectrum(system, 100, x0=x0[0], rng=0)


def test_numbers_of_each_member_that_are_no_parameters():
    a = np.array([0.2, 0.25, 0.3])
    system = ln.Map(lambda x: henon_family(x, a), 2, vectorized=True)
    with pytest.raises(ValueError, match="are given as `params`"):
        ln.lyapunov_spectrum(system, 100, x0=np.full((3, 2), 0.1), rng=0)


def test_same_seed_same_answer_and_no_global_state():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - to see that it is left alone
    cell = ln.VanillaRNN.random(5, rng=3)
    a = ln.lyapunov_spectrum(cell, 200, rng=7)
    b = ln.lyapunov_spectrum(cell, 200, rng=np.random.default_rng(7))
    assert_allclose(a.exponents, b.exponents, atol=0)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002  # the state of others


def test_foreign_object_with_the_protocol_has_exponents():
    class Doubling:
        dim, n_inputs, dt = 2, 0, 1.0

        def step(self, x, u=None):
            return 0.5 * x

        def jacobian(self, x, u=None):
            return np.broadcast_to(0.5 * np.eye(2), (*x.shape, 2))

        def pushforward(self, x, Q, u=None):
            return 0.5 * Q

    s = ln.lyapunov_spectrum(Doubling(), 100, x0=np.ones(2), rng=0)
    assert_allclose(s.exponents, np.log(0.5), atol=1e-12)


def test_theory_of_the_condition_number():
    s = ln.spectrum_from_jacobians(np.tile(np.diag([2.0, 1.0, 0.5]), (50, 1, 1)), basis=np.eye(3))
    assert_allclose(s.log10_condition_number(10, 3), 20 * np.log10(2))
    assert_allclose(s.log10_condition_number([0, 10], 2), [0, 10 * np.log10(2)])
    assert s.usable_dimensions(10, 3.1) == 2
    assert s.usable_dimensions(10, 0.0) == 1
