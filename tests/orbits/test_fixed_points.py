"""Fixed points, slow points and cycles against what is known of them."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.optimize import fsolve

import lyapnet as ln


def test_henon_has_its_two_fixed_points():
    found = ln.fixed_points(ln.catalog.henon(), 40, x0=[0.1, 0.1], spread=0.5, rng=0)
    a, b = 1.4, 0.3
    x = ((b - 1) + np.array([1, -1]) * np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    order = np.argsort(-found.points[:, 0])
    assert_allclose(found.points[order], np.stack([x, b * x], axis=1), atol=1e-9)
    assert found.kinds == ["saddle", "saddle"]
    for point, mu in zip(found.points, found.eigenvalues, strict=True):
        assert_allclose(np.sort(mu), np.sort(np.linalg.eigvals(ln.catalog.henon().jacobian(point))))
    assert (found.speed < 1e-10).all()
    assert found.counts.sum() <= 40


@pytest.mark.parametrize("method", ["rk4", "dop853", "implicit"])
def test_lorenz_has_three_whatever_the_method(method):
    def field(x):
        return anp.array(
            [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
        )

    flow = ln.Flow(field, 3, dt=0.01, method=method)
    x0 = [0, 0, 22] + [8, 8, 5] * np.random.default_rng(0).standard_normal((12, 3))
    found = ln.fixed_points(flow, 12, x0=x0, rng=0)
    points = found.points[np.argsort(found.points[:, 0])]
    c = np.sqrt(72)
    for expected in ([-c, -c, 27], [c, c, 27]):
        assert np.abs(points - expected).max(axis=1).min() < 1e-7
    at = int(np.argmin(np.abs(found.points - [c, c, 27]).max(axis=1)))
    exact = np.linalg.eigvals([[-10, 10, 0], [1, -1, -c], [c, c, -8 / 3]]).real
    assert_allclose(found.exponents[at], np.sort(exact)[::-1], rtol=3e-5)


def test_hopfield_network_has_its_memories_as_sinks():
    rng = np.random.default_rng(0)
    patterns = np.linalg.qr(rng.standard_normal((12, 2)))[0].T * np.sqrt(12)
    cell = ln.VanillaRNN(2.0 * patterns.T @ patterns / 12)
    found = ln.fixed_points(cell, 60, x0=2 * rng.standard_normal((60, 12)), rng=0)
    assert found.kinds.count("sink") >= 2
    assert "saddle" in found.kinds or "source" in found.kinds
    # h = W tanh(h): odd, so that points come in pairs
    for p in found.points:
        assert np.abs(found.points + p).max(axis=1).min() < 1e-6
        assert_allclose(cell.step(p), p, atol=1e-8)


def test_a_trained_flip_flop_has_a_sink_for_each_memory_and_saddles_between():
    """One-bit flip-flop: two memories, and a saddle on the way from one to the other."""
    n, T, batch = 16, 25, 32
    rng = np.random.default_rng(4)
    cell = ln.VanillaRNN.random(n, gain=0.9, n_inputs=1, rng=4)
    readout = rng.standard_normal((1, n)) / np.sqrt(n)

    def sample():
        u = rng.choice([0.0, 1.0, -1.0], p=[0.8, 0.1, 0.1], size=(T, batch, 1))
        u[0] = rng.choice([1.0, -1.0], size=(batch, 1))
        target, now = np.empty((T, batch, 1)), u[0]
        for t in range(T):
            now = np.where(u[t] != 0, u[t], now)
            target[t] = now
        return u, target

    from autograd import grad

    def loss(params, u, target):
        h, total = np.zeros((batch, n)), 0.0
        for t in range(T):
            h = anp.dot(anp.tanh(h), params["W"].T) + anp.dot(u[t], params["V"].T) + params["b"]
            total = total + anp.mean((anp.dot(anp.tanh(h), params["R"].T) - target[t]) ** 2)
        return total / T

    params = {**cell.params, "R": readout}
    adam, slope = ln.Adam(0.01), grad(loss)
    for _ in range(300):
        params = adam.update(params, slope(params, *sample()))
    assert loss(params, *sample()) < 0.1
    trained = cell.with_params({name: params[name] for name in cell.params})
    starts = 2 * rng.standard_normal((80, n))
    found = ln.fixed_points(trained, 80, inputs=[0.0], x0=starts, rng=0)
    sinks = [i for i, kind in enumerate(found.kinds) if kind == "sink"]
    saddles = [i for i, kind in enumerate(found.kinds) if kind == "saddle"]
    memory = np.tanh(found.points) @ params["R"][0]
    assert len(sinks) >= 2
    assert len(saddles) >= 1
    assert np.sort(memory[sinks])[[0, -1]] == pytest.approx([-1, 1], abs=0.3)
    assert min(abs(memory[saddles])) < 0.5  # between the two
    one_way = [int((np.abs(found.eigenvalues[i]) > 1).sum()) for i in saddles]
    assert 1 in one_way
    assert found.plot().get_legend() is not None


def test_slow_points_are_minima_of_the_speed():
    # x' = 0.01 + x^2 has no fixed point, and is slowest at 0.
    flow = ln.Flow(lambda x: 0.01 + x**2, 1, dt=0.1, vectorized=True)
    starts = np.linspace(-0.5, 0.5, 9)[:, None]
    assert len(ln.fixed_points(flow, 9, x0=starts).points) == 0
    found = ln.fixed_points(flow, 9, x0=starts, slow=0.02)
    assert found.kinds == ["slow"]
    assert abs(found.points[0, 0]) < 0.02
    assert_allclose(found.speed, 0.01, rtol=0.05)


@pytest.mark.parametrize(
    "system",
    [
        ln.Flow(lambda x: anp.exp(-x), 1, dt=0.1, vectorized=True),
        ln.Map(lambda x: x + anp.exp(-x), 1, vectorized=True),
        ln.Flow(
            lambda x: anp.stack([anp.exp(-x[..., 0]), -x[..., 1]], axis=-1), 2, dt=0.1,
            vectorized=True,
        ),
    ],
    ids=["a flow", "a map", "in a plane"],
)  # fmt: skip
def test_states_that_become_slow_on_the_way_to_infinity_are_no_fixed_points(system):
    # Before, 19 "neutral" fixed points about x = 28, where the speed is below 1e-12.
    x0 = np.full(system.dim, 0.3)
    assert len(ln.fixed_points(system, 20, x0=x0, rng=0).points) == 0
    slow = ln.fixed_points(system, 20, x0=x0, slow=1e-9, rng=0)
    assert set(slow.kinds) <= {"slow"}  # those of which the search has ended


def test_fixed_points_without_a_velocity_around_them_are_found():
    """Roots of higher order are found to a power of the tolerance, lines of them exactly."""
    starts = np.linspace(-0.5, 0.7, 9)[:, None]
    for power in (2, 3):
        flow = ln.Flow(lambda x, power=power: -(x**power), 1, dt=0.1)
        found = ln.fixed_points(flow, 9, x0=starts)
        assert found.kinds == ["neutral"]
        assert_allclose(found.points, 0, atol=1e-3)
    line = ln.Flow(lambda x: anp.array([x[1] - x[0], x[0] - x[1]]), 2, dt=0.1)
    found = ln.fixed_points(line, 9, x0=np.random.default_rng(0).standard_normal((9, 2)))
    assert found.kinds == ["neutral"] * 9
    assert_allclose(found.points[:, 0], found.points[:, 1], atol=1e-9)


def test_what_has_no_fixed_points_is_refused():
    with pytest.raises(ValueError, match="stroboscopic"):
        ln.fixed_points(ln.Flow(lambda x, t: -x, 1, dt=0.1, time=True), x0=[0.0])
    with pytest.raises(ValueError, match="noisy"):
        ln.fixed_points(ln.NoisyFlow(lambda x: -x, lambda x: x, 1, dt=0.1), x0=[0.0])
    with pytest.raises(ValueError, match="x0"):
        ln.fixed_points(ln.catalog.henon(), 5, x0=np.zeros((3, 2)))


def test_fixed_points_of_a_stroboscopic_map_are_cycles():
    # x' = -x + cos t: the cycle (cos t + sin t) / 2, at phase t0
    strobe = ln.stroboscopic(
        ln.Flow(lambda x, t: -x + anp.cos(t), 1, dt=0.1, time=True, method="dop853"), 2 * np.pi
    )
    for t0 in (0.0, 1.0):
        found = ln.fixed_points(strobe, 3, x0=[[0.0], [1.0], [3.0]], t0=t0)
        assert_allclose(found.points, [[(np.cos(t0) + np.sin(t0)) / 2]], atol=1e-9)
        assert_allclose(found.exponents, -1, atol=1e-8)
        assert found.kinds == ["sink"]


# --- cycles ------------------------------------------------------------------------------------


def test_stuart_landau_has_its_period_and_floquet_exponents():
    # r' = r - r^3, angle' = 1.7: period 2 pi / 1.7, exponents 0 and -2
    def field(x):
        r2 = x[0] ** 2 + x[1] ** 2
        return anp.array([x[0] - 1.7 * x[1] - r2 * x[0], 1.7 * x[0] + x[1] - r2 * x[1]])

    cycle = ln.periodic_orbit(ln.Flow(field, 2, dt=0.05, method="dop853"), x0=[1.2, 0.1])
    assert_allclose(cycle.period, 2 * np.pi / 1.7, rtol=1e-9)
    assert_allclose(cycle.exponents, [0, -2], atol=1e-8)
    assert_allclose(np.linalg.norm(cycle.states, axis=1), 1, atol=1e-9)
    assert cycle.stable
    assert cycle.residual < 1e-9


def test_an_unstable_cycle_of_lorenz():
    # The shortest cycle of the attractor, "AB": period 1.5586522, D. Viswanath, Nonlinearity 16,
    # 1035 (2003); its multiplier is 4.714.
    cycle = ln.periodic_orbit(
        ln.catalog.lorenz63(dt=0.005), 1.55, x0=[-13.763610682134, -19.578751942452, 27.0]
    )
    assert_allclose(cycle.period, 1.558652210, atol=1e-6)
    assert not cycle.stable
    assert_allclose(abs(cycle.multipliers[0]), 4.714, atol=0.01)
    assert_allclose(cycle.exponents.sum(), -41 / 3, atol=2e-4)


def test_cycles_of_maps():
    cycle = ln.periodic_orbit(ln.catalog.logistic(r=3.2), 2, x0=[0.5])
    assert_allclose(cycle.multipliers.real, 4 + 2 * 3.2 - 3.2**2, atol=1e-9)
    assert cycle.stable
    assert_allclose(cycle.states[0], cycle.states[2], atol=1e-10)
    with pytest.raises(ValueError, match="multiple of dt"):
        ln.periodic_orbit(ln.catalog.logistic(), 1.5)
    with pytest.raises(ValueError, match="`period` is needed"):
        ln.periodic_orbit(ln.catalog.logistic())


def test_monodromy_matrices_to_eight_digits():
    from scipy.integrate import solve_ivp

    def reference(field, jacobian, x0, t0, t1):
        n = len(x0)

        def both(t, y):
            x, M = y[:n], y[n:].reshape(n, n)
            return np.concatenate([field(t, x), (jacobian(t, x) @ M).ravel()])

        y = solve_ivp(both, (t0, t1), [*x0, *np.eye(n).ravel()], method="DOP853", rtol=1e-13,
                      atol=1e-14).y[:, -1]  # fmt: skip
        return y[:n], y[n:].reshape(n, n)

    # Mathieu's equation at rest
    mathieu = ln.Flow(
        lambda x, t: anp.array([x[1], -(1.2 - 0.6 * anp.cos(2 * t)) * x[0]]), 2, dt=0.15,
        time=True, method="dop853",
    )  # fmt: skip
    expected = reference(
        lambda t, x: np.array([x[1], -(1.2 - 0.6 * np.cos(2 * t)) * x[0]]),
        lambda t, x: np.array([[0, 1], [-(1.2 - 0.6 * np.cos(2 * t)), 0]]), np.zeros(2), 0, np.pi,
    )[1]  # fmt: skip
    found = ln.stroboscopic(mathieu, np.pi).jacobian(np.zeros(2))
    assert_allclose(found, expected, atol=1e-8)
    assert_allclose(np.linalg.det(found), 1, atol=1e-8)
    s = ln.lyapunov_spectrum(
        ln.stroboscopic(mathieu, np.pi), 40, x0=np.zeros(2), transient=0, qr_interval=1, rng=0
    )
    assert_allclose(s.exponents[0], np.log(np.abs(np.linalg.eigvals(expected)).max()) / np.pi,
                    atol=1e-8)  # fmt: skip

    # van der Pol, forced: on the locked cycle
    def forced(t, x):
        return np.array([x[1], 2 * (1 - x[0] ** 2) * x[1] - x[0] + 1.5 * np.cos(0.9 * t)])

    def jacobian(t, x):
        return np.array([[0, 1], [-4 * x[0] * x[1] - 1, 2 * (1 - x[0] ** 2)]])

    flow = ln.Flow(
        lambda x, t: anp.array(
            [x[1], 2 * (1 - x[0] ** 2) * x[1] - x[0] + 1.5 * anp.cos(0.9 * t)]
        ), 2, dt=0.05, time=True, method="dop853",
    )  # fmt: skip
    T = 2 * np.pi / 0.9
    cycle = ln.periodic_orbit(flow, T, x0=[2.0, 0.0], transient=1000)
    end, M = reference(forced, jacobian, cycle.states[0], 0, T)
    assert_allclose(end, cycle.states[0], atol=1e-8)
    D = ln.stroboscopic(flow, T).jacobian(cycle.states[0])
    assert_allclose(D, M, atol=1e-8)
    assert_allclose(np.abs(cycle.multipliers), np.sort(np.abs(np.linalg.eigvals(M)))[::-1],
                    atol=1e-8)  # fmt: skip
    assert cycle.stable

    # autonomous van der Pol, by divergence
    free = ln.Flow(
        lambda x: anp.array([x[1], (1 - x[0] ** 2) * x[1] - x[0]]), 2, dt=0.05, method="dop853"
    )
    cycle = ln.periodic_orbit(free, x0=[2.0, 0.0], transient=500)
    assert_allclose(cycle.period, 6.6632868593231, atol=1e-8)
    mean = np.mean(1 - cycle.states[:-1, 0] ** 2)  # spectral accuracy over a period
    assert_allclose(cycle.exponents, [0, mean], atol=1e-8)


def test_the_monodromy_matrix_of_a_forced_stuart_landau_oscillator():
    # z' = (1 + 1.2 i) z - |z|^2 z + F exp(i W t). Exact: turning with the force it is autonomous,
    # w' = (1 + (1.2 - W) i) w - |w|^2 w + F, and the monodromy matrix of its fixed point, a cycle
    # of period T = 2 pi / W, is exp(A T), A being the Jacobian there.
    W, F = 1.0, 0.6

    def field(x, t):
        r2 = x[0] ** 2 + x[1] ** 2
        return anp.array([
            x[0] - 1.2 * x[1] - r2 * x[0] + F * anp.cos(W * t),
            1.2 * x[0] + x[1] - r2 * x[1] + F * anp.sin(W * t),
        ])  # fmt: skip

    def turning(x):
        return field(x, 0.0) + W * np.array([x[1], -x[0]])

    at = fsolve(turning, [1.1, 0.1], xtol=1e-13)
    r2 = at @ at
    A = np.array([[1 - r2, W - 1.2], [1.2 - W, 1 - r2]]) - 2 * np.outer(at, at)
    T = 2 * np.pi / W
    flow = ln.Flow(field, 2, dt=T / 100, time=True, method="dop853")
    M = ln.stroboscopic(flow, T).jacobian(at)
    assert_allclose(M, expm(A * T), atol=1e-8)
    cycle = ln.periodic_orbit(flow, T, x0=[1.0, 0.0], transient=2000)
    assert_allclose(cycle.states[0], at, atol=1e-8)
    exact = np.sort(np.linalg.eigvals(A).real)[::-1]
    assert_allclose(cycle.exponents, exact, atol=1e-8)
    assert cycle.stable


def test_failures_say_what_to_do():
    runaway = ln.Flow(lambda x: anp.array([1.0 + 0 * x[0], -x[1]]), 2, dt=0.1)
    with pytest.raises(ln.LyapnetError, match="no return"):
        ln.periodic_orbit(runaway, x0=[0.0, 1.0])
    with pytest.raises(ln.LyapnetError, match="no cycle found"):
        ln.periodic_orbit(runaway, 1.0, x0=[0.0, 1.0], max_iterations=5)
    with pytest.raises(ValueError, match="without delays"):
        ln.periodic_orbit(ln.NoisyFlow(lambda x: x, lambda x: x, 1, dt=0.1), x0=[1.0])


def test_tables_have_a_row_for_each_point():
    pytest.importorskip("pandas")
    found = ln.fixed_points(ln.catalog.lorenz63(), 50, rng=0)
    table = found.to_dataframe()
    assert table.index.name == "point"
    assert list(table.columns) == [
        "kind", "speed", "count", "x_1", "x_2", "x_3", "exponent_1", "exponent_2", "exponent_3"
    ]  # fmt: skip
    assert table["kind"].tolist() == found.kinds
    assert_allclose(table[["x_1", "x_2", "x_3"]], found.points)
    assert_allclose(table["exponent_3"], found.exponents[:, 2])


# Before: all starts came from one trajectory, which had settled, and found one of nine.
def test_starts_of_cells_are_of_many_trajectories():
    found = ln.fixed_points(ln.VanillaRNN(3 * np.eye(2)), 100, rng=0)  # h = 3 tanh h, twice
    h = found.points[found.points[:, 0] > 1e-3][0, 0]
    assert_allclose(3 * np.tanh(h), h, rtol=1e-9)
    assert sorted(found.kinds) == ["saddle"] * 4 + ["sink"] * 4 + ["source"]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_picture_of_one_point_does_not_magnify_its_rounding(dim):
    found = ln.fixed_points(ln.Map(lambda x: 0.5 * x, dim), 3, x0=np.ones(dim), rng=0)
    assert len(found.points) == 1
    ax = found.plot()
    assert np.ptp(ax.get_xlim()) >= 0.9
    assert np.ptp(ax.get_ylim()) >= 0.9


@pytest.mark.parametrize("step", [lambda x: x + x**2, lambda x: x - x**2, lambda x: x + x**3])
def test_points_that_are_known_to_the_root_of_their_speed_are_neutral(step):
    # Multiplier 1 at 0; the points that are found lie beside it, where it is 1 + 2e-7 or so.
    starts = np.random.default_rng(0).standard_normal((20, 1))
    found = ln.fixed_points(ln.Map(step, 1), 20, x0=starts, rng=0)
    assert found.kinds == ["neutral"]
    assert_allclose(found.points, 0, atol=1e-4)
