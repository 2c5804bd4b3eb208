"""Maps and flows that depend on time, and inputs interpolated within a step."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln

B, OMEGA = np.array([[-2.0, 3.0], [2.0, -1.6]]), 1.3
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def oscillator(**kwargs):
    """x' = R(t) B R(-t) x + force: exponents are real parts of the eigenvalues of B - omega J."""

    def field(x, t):
        c, s = anp.cos(OMEGA * t), anp.sin(OMEGA * t)
        y = c * x[0] + s * x[1], c * x[1] - s * x[0]
        z = [B[i, 0] * y[0] + B[i, 1] * y[1] for i in range(2)]
        return anp.array([c * z[0] - s * z[1] + anp.sin(2 * t), s * z[0] + c * z[1] + 1.0])

    return ln.Flow(field, 2, time=True, **kwargs)


EXACT = np.sort(np.linalg.eigvals(B - OMEGA * TURN).real)[::-1]


def slope(steps, errors):
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


@pytest.mark.parametrize(
    ("method", "order", "counts"),
    [
        ("euler", 1, (100, 200, 400)),
        ("heun", 2, (40, 80, 160)),
        ("rk4", 4, (20, 40, 80)),
        ("dop853", 8, (6, 9, 12)),
    ],
)
def test_a_forced_oscillator_has_its_exponents_to_the_order_of_the_method(method, order, counts):
    # Over whole turns, with a basis that has settled, the growth of a turn is that of a matrix.
    errors = []
    for per_turn in counts:
        flow = oscillator(dt=2 * np.pi / OMEGA / per_turn, method=method)
        s = ln.lyapunov_spectrum(
            flow, 2 * per_turn, x0=np.ones(2), transient=0, basis_transient=8 * per_turn, rng=0,
            qr_interval=1,
        )  # fmt: skip
        errors.append(abs(s.exponents[0] - EXACT[0]))
    found = slope(1 / np.array(counts), errors)
    assert abs(found - order) < 0.35 + 0.05 * order, (found, errors)
    assert errors[-1] < {1: 0.1, 2: 2e-2, 4: 2e-5, 8: 1e-7}[order]


def test_exponents_do_not_depend_on_when_the_run_begins_but_finite_windows_do():
    flow = ln.Flow(lambda x, t: (anp.cos(t) - 0.5) * x, 1, dt=0.01, time=True, method="rk4")
    args = (flow, np.ones(1), np.eye(1))
    for t0 in (0.0, 1.0, -3.0):
        lam = ln.finite_time_exponents(*args, n_steps=100, transient=20, t0=t0)
        a = t0 + 0.2
        assert_allclose(lam, np.sin(a + 1) - np.sin(a) - 0.5, atol=1e-9)


def test_a_map_takes_time_and_a_step_of_its_own_length():
    # x' = (2 + (-1)^s) x with a step of 0.5: the mean of log 3 and log 1, twice per unit time
    for vectorized in (False, True):

        def step(x, t, vectorized=vectorized):
            factor = 2.0 + anp.cos(2 * np.pi * t)
            return (factor[..., None] if vectorized else factor) * x

        system = ln.Map(step, 1, time=True, dt=0.5, vectorized=vectorized)
        s = ln.lyapunov_spectrum(system, 200, x0=np.zeros(1), rng=0)
        assert_allclose(s.exponents, np.log(3) / 2 / 0.5, atol=1e-10)
        shifted = ln.finite_time_exponents(system, np.ones(1), np.eye(1), n_steps=1, t0=0.5)
        assert_allclose(shifted, 0.0, atol=1e-12)
        assert_allclose(system.step(np.ones(1), t=0.5), 1.0)
        assert_allclose(system.jacobian(np.ones((3, 1)), t=np.array([0.0, 0.5, 1.0]))[:, 0, 0],
                        [3, 1, 3])  # fmt: skip


def test_a_longer_run_and_its_parts_are_one():
    flow = oscillator(dt=0.1)
    kwargs = dict(x0=np.ones(2), transient=30, basis_transient=40, qr_interval=1, t0=0.7, rng=0)
    long = ln.lyapunov_spectrum(flow, 500, **kwargs)
    parts = ln.lyapunov_spectrum(flow, 200, **kwargs).extend(300)
    assert_allclose(parts.state, long.state, atol=1e-13)
    assert_allclose(parts.exponents, long.exponents, atol=1e-13)


def test_an_ensemble_shares_the_time():
    flow = oscillator(dt=0.1)
    x0 = np.random.default_rng(0).standard_normal((4, 2))
    basis = np.eye(2)
    many = ln.finite_time_exponents(flow, x0, basis, n_steps=50, t0=0.3)
    for i in range(4):
        alone = ln.finite_time_exponents(flow, x0[i], basis, n_steps=50, t0=0.3)
        assert_allclose(many[i], alone, atol=1e-12)


def test_gradients_reach_parameters_and_states_under_forcing():
    def field(x, t, p):
        return anp.array([x[1], -p["d"] * x[1] - x[0] ** 3 + p["f"] * anp.cos(p["w"] * t)])

    flow = ln.Flow(field, 2, dt=0.05, time=True, params={"d": 0.2, "f": 1.0, "w": 1.1})
    x0, basis = np.array([0.3, 0.1]), np.eye(2)

    def loss(p, x):
        lam = ln.finite_time_exponents(flow.with_params(p), x, basis, n_steps=40, t0=0.4)
        return lam[0] + 2 * lam[1]

    found, at_x = grad(loss)(flow.params, x0), grad(loss, 1)(flow.params, x0)
    h = 1e-6
    for name in flow.params:
        up, down = ({**flow.params, name: flow.params[name] + d} for d in (h, -h))
        assert_allclose(found[name], (loss(up, x0) - loss(down, x0)) / (2 * h), rtol=1e-5)
    for i in range(2):
        d = h * np.eye(2)[i]
        expected = (loss(flow.params, x0 + d) - loss(flow.params, x0 - d)) / (2 * h)
        assert_allclose(at_x[i], expected, rtol=1e-5, atol=1e-9)


def test_every_analysis_takes_the_time_at_its_start():
    flow = oscillator(dt=0.1)
    v = ln.covariant_vectors(flow, 300, x0=np.ones(2), t0=0.5, rng=0)
    assert_allclose(v.exponents[0], EXACT[0], atol=0.05)
    c = ln.condition_number(flow, 50, x0=np.ones(2), transient=10, times=[5.0], t0=0.5, rng=0)
    states = flow.orbit(np.ones(2), flow.drive.rows(None, (), 60, t0=0.5), 60)
    sigma = np.linalg.svd(np.linalg.multi_dot(list(states.jacobians[10:][::-1])))[1]
    assert_allclose(c.log10_measured[0], np.log10(sigma[0] / sigma[1]), atol=1e-8)
    fine = oscillator(dt=0.1, method="dop853")  # RK4 with this step misses the divergence by 2e-3
    found = ln.check_invariants(fine, 1000, x0=np.ones(2), t0=0.5, rng=0)
    assert found.passed, found.verdicts
    assert "zero exponent" not in found.checks


def test_time_is_refused_where_it_does_not_count_and_asked_for_where_it_does():
    with pytest.raises(ValueError, match="`t0` is 1, but the system does not depend on time"):
        ln.lyapunov_spectrum(ln.catalog.henon(), 100, t0=1.0)
    with pytest.raises(TypeError, match="time t after x needs `time=True`"):
        ln.Flow(lambda x, t: x, 1, dt=0.1)
    with pytest.raises(TypeError, match=r"must be a function of \(x, t, u\)"):
        ln.Map(lambda x: x, 1, time=True, n_inputs=1)
    with pytest.raises(ValueError, match="interpolation"):
        ln.Flow(lambda x, u: x, 1, dt=0.1, n_inputs=1, interpolation="spline")


# --- inputs within a step ------------------------------------------------------------------


@pytest.mark.parametrize(("interpolation", "order"), [("hold", 1), ("linear", 2), ("cubic", 4)])
def test_interpolated_inputs_keep_the_order_of_the_method(interpolation, order):
    # x' = (cos t) x + u with u = sin t as samples; the window's growth is exact, the state not.
    errors, counts = [], (80, 160, 320)
    for n in counts:
        dt = 2.0 / n
        flow = ln.Flow(
            lambda x, u: anp.array([u[0] * x[0]]), 1, dt=dt, n_inputs=1, interpolation=interpolation
        )
        u = np.cos(dt * np.arange(n))[:, None]
        lam = ln.finite_time_exponents(flow, np.ones(1), np.eye(1), inputs=u)
        errors.append(abs(lam[0] * 2.0 - np.sin(2.0)))
    assert abs(slope(1 / np.array(counts), errors) - order) < 0.3, errors


def test_samples_beyond_the_run_are_used_and_their_lack_is_extrapolated():
    flow = ln.Flow(lambda x, u: u, 1, dt=1.0, n_inputs=1, interpolation="cubic")
    t = np.arange(12.0)
    u = (t**3 - 2 * t)[:, None]  # a cubic is itself
    for given in (u, u[:10], u[:4]):
        n = min(len(given), 10)
        x = flow.orbit(np.zeros(1), flow.drive.rows(given, (), n), n).states[:, 0]
        assert_allclose(x, t[: n + 1] ** 4 / 4 - t[: n + 1] ** 2, atol=1e-9)
    single = flow.orbit(np.zeros(1), flow.drive.rows(np.full((1, 1), 2.0), (), 1), 1)
    assert_allclose(single.states[:, 0], [0, 2])


@pytest.mark.parametrize("interpolation", ["hold", "linear", "cubic"])
def test_gradients_reach_the_samples(interpolation):
    def field(x, u):
        return anp.array([-x[0] + anp.sin(u[0]) * x[1], u[1] - anp.tanh(x[0] + x[1])])

    flow = ln.Flow(field, 2, dt=0.2, n_inputs=2, interpolation=interpolation)
    rng = np.random.default_rng(0)
    u, x0 = rng.standard_normal((9, 3, 2)), rng.standard_normal((3, 2))

    def loss(u):
        lam = ln.finite_time_exponents(flow, x0, np.eye(2), inputs=u, n_steps=6, transient=2)
        return anp.sum(lam**2)

    found, h = grad(loss)(u), 1e-6
    for i in [(0, 1, 0), (3, 0, 1), (7, 2, 0), (8, 1, 1)]:
        d = np.zeros_like(u)
        d[i] = h
        assert_allclose(found[i], (loss(u + d) - loss(u - d)) / (2 * h), rtol=1e-5, atol=1e-9)


# --- what is made of a system that depends on time ---------------------------------------------


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_a_loop_is_told_the_time_that_its_cell_depends_on(vectorized, lead):
    # Exact: the same rule written down with its own output.
    C = np.array([[0.1, -0.4]])

    def cell(x, t, u, p):
        t = t[..., None] if vectorized else t
        return p * anp.tanh(x) + u + 0.4 * anp.cos(t) * x

    def closed(x, t, p):
        return cell(x, t, anp.dot(x, C.T), p)

    kwargs = dict(time=True, params=1.2, vectorized=vectorized)
    loop = ln.ClosedLoop(ln.Map(cell, 2, n_inputs=1, **kwargs), C)
    same = ln.Map(closed, 2, **kwargs)
    assert loop.time
    x0 = np.full((*lead, 2), [1.0, 0.9])
    found, expected = (
        ln.lyapunov_spectrum(s, 200, x0=x0, t0=0.3, rng=0) for s in (loop, same)
    )  # fmt: skip
    assert_allclose(found.exponents, expected.exponents, atol=1e-12)
    assert_allclose(found.state, expected.state, atol=1e-12)
    assert_allclose(loop.step(x0, t=0.7), same.step(x0, t=0.7))
    assert_allclose(loop.pushforward(x0, np.eye(2), t=0.7), same.jacobian(x0, t=0.7))
    later = ln.lyapunov_spectrum(loop, 200, x0=x0, t0=1.3, rng=0)
    assert np.abs(later.exponents - found.exponents).max() > 1e-4  # the time counts

    def growth(p, system):
        return ln.finite_time_exponents(system.with_params(p), x0, np.eye(2), n_steps=20).sum()

    params = {"cell": 1.2, "readout": C, "bias": np.zeros(1)}
    assert_allclose(grad(growth)(params, loop)["cell"], grad(growth)(1.2, same), rtol=1e-9)


def test_a_loop_of_a_forced_flow():
    def field(x, t, u):
        return anp.array([x[1], -x[0] - 0.2 * x[1] + u[0] + 0.3 * anp.cos(t) * x[0]])

    for interpolation in ("hold", "cubic"):  # what is fed back is held in any case
        flow = ln.Flow(field, 2, dt=0.1, n_inputs=1, time=True, interpolation=interpolation)
        loop = ln.ClosedLoop(flow, [[0.3, 0.0]])
        x = np.array([1.0, 0.5])
        states = loop.orbit(x, loop.drive.rows(None, (), 5, t0=2.0), 5).states
        for s in range(5):
            assert_allclose(states[s], x)
            x = flow.step(x, 0.3 * x[:1], 2.0 + 0.1 * s)


def test_training_begins_each_sequence_at_t0():
    from lyapnet.training.bptt import evaluate
    from lyapnet.training.network import Batch, Network, Readout

    rng = np.random.default_rng(0)

    def field(x, t, u, p):
        return anp.array([x[1], -p * x[0] - 0.2 * x[1] + u[0] + anp.cos(t) * x[0]])

    flow = ln.Flow(
        field, 2, dt=0.2, n_inputs=1, time=True, interpolation="linear", params=np.array(1.1)
    )
    u, y = rng.standard_normal((8, 3, 1)), rng.standard_normal((8, 3, 1))
    net = Network(flow, Readout(rng.standard_normal((1, 2)), np.zeros(1)), np.ones(2))

    def loss(params, t0):  # by the steps themselves
        states = flow.with_params(params["params"]).orbit(
            np.ones((3, 2)), flow.drive.rows(u, (3,), 8, t0=t0), 8
        ).states  # fmt: skip
        return np.mean((states[1:] @ net.readout.W.T - y) ** 2)

    for t0 in (0.0, 2.0):
        found = evaluate(net, Batch(u, y, np.ones((8, 1)), t0), "squared_error")
        own = net.params
        name = next(iter(set(own) - {"readout.W", "readout.b", "x0"}))
        assert_allclose(found.loss, loss({"params": own[name]}, t0))
        slope = (loss({"params": 1.1 + 1e-5}, t0) - loss({"params": 1.1 - 1e-5}, t0)) / 2e-5
        assert_allclose(found.grads[name], slope, rtol=1e-6)

    class Task:
        n_inputs, n_outputs, loss = 1, 1, "squared_error"

        def sample(self, n_steps, batch_size, rng):
            return u, y, np.ones(8)

    kwargs = dict(n_steps=8, batch_size=3, readout=net.readout, x0=np.ones(2), rng=0)
    schedule = ln.FlossingSchedule(before=2, k=2, n_steps=8)
    r = ln.train(flow, Task(), 1, t0=2.0, diagnostics=["exponents", "gradient_overlap"], **kwargs)
    assert_allclose(r.loss[0], loss({"params": 1.1}, 2.0))
    later = ln.train(flow, Task(), 1, t0=2.0, schedule=schedule, **kwargs)
    earlier = ln.train(flow, Task(), 1, schedule=schedule, **kwargs)
    assert np.abs(later.exponents - earlier.exponents).max() > 1e-3  # flossing, too
    with pytest.raises(ValueError, match="`t0` is 2, but the system does not depend on time"):
        ln.train(ln.VanillaRNN.random(4, rng=0), Task(), 1, t0=2.0, n_steps=8, batch_size=3)
