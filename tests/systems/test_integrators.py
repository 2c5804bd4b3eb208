"""Methods of integration against exact solutions, and their derivatives against themselves."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

import lyapnet as ln
from lyapnet.systems.integrators import TABLEAUS

METHODS = ["euler", "heun", "rk4", "dop853", "adaptive", "implicit"]
X0 = np.array([1.0, 0.4])


def forced(x, t, u, p):
    """A nonlinear field with everything: time, input and parameters."""
    return anp.array([
        x[1] + 0.1 * u[0],
        -p["d"] * x[1] - x[0] ** 3 + p["f"] * anp.cos(2 * t) + u[1] * x[0],
    ])  # fmt: skip


def flow(method, dt=0.1, **kwargs):
    return ln.Flow(
        forced, 2, dt=dt, n_inputs=2, time=True, params={"d": 0.3, "f": 1.2}, method=method,
        interpolation="linear", **kwargs,
    )  # fmt: skip


U = np.random.default_rng(0).standard_normal((12, 2))


@pytest.mark.parametrize("name", TABLEAUS)
def test_tableaus_meet_the_conditions_of_their_order(name):
    # Quadrature: sum b c^q = 1 / (q + 1) up to the order; and rows sum to their nodes.
    t = TABLEAUS[name]()
    b, c = np.array(t.weights), np.array(t.nodes)
    for q in range(t.order):
        assert_allclose(b @ c**q, 1 / (q + 1), atol=1e-13)
    assert abs(b @ c**t.order - 1 / (t.order + 1)) > 1e-9
    assert_allclose([sum(row) for row in t.rows], c, atol=1e-13)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lead", [(), (3,)])
def test_the_tangent_step_is_the_derivative_of_the_numerical_step(method, lead):
    system = flow(method, rtol=1e-3) if method in ("adaptive", "implicit") else flow(method)
    x = X0 + 0.1 * np.random.default_rng(1).standard_normal((*lead, 2))
    rows = system.drive.rows(U, lead, 10, t0=0.3)
    orbit = system.orbit(x, rows, 10)
    h = 1e-6
    for s in (0, 4, 9):
        for i in range(2):
            d = h * np.eye(2)[i]
            up, down = (
                system.orbit(orbit.states[s] + e, rows[s : s + 1], 1).states[1] for e in (d, -d)
            )
            assert_allclose(orbit.jacobians[s][..., i], (up - down) / (2 * h), rtol=2e-6, atol=1e-7)
        u, t = U[s], 0.3 + 0.1 * s
        jacobian = system.jacobian(orbit.states[s], u=u, t=t)
        for i in range(2):
            d = h * np.eye(2)[i]
            up, down = (system.step(orbit.states[s] + e, u, t) for e in (d, -d))
            assert_allclose(jacobian[..., i], (up - down) / (2 * h), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_in_everything(method):
    system = flow(method, dt=0.2)
    x0 = np.stack([X0, X0 + 0.3])

    def loss(p, x, u):
        lam = ln.finite_time_exponents(
            system.with_params(p), x, np.eye(2), inputs=u, n_steps=5, transient=3, t0=0.1
        )
        return anp.sum(lam * np.array([[1.0, 2.0], [-1.0, 0.5]]))

    args = (system.params, x0, U)
    found = [grad(loss, i)(*args) for i in range(3)]
    h = 1e-5
    for name in system.params:
        up, down = ({**system.params, name: system.params[name] + d} for d in (h, -h))
        expected = (loss(up, *args[1:]) - loss(down, *args[1:])) / (2 * h)
        assert_allclose(found[0][name], expected, rtol=1e-4, atol=1e-6)
    for k, i in ((1, (0, 1)), (1, (1, 0)), (2, (0, 0)), (2, (4, 1)), (2, (8, 0))):
        d = np.zeros_like(args[k])
        d[i] = h
        up, down = ([*args[:k], args[k] + e, *args[k + 1 :]] for e in (d, -d))
        expected = (loss(*up) - loss(*down)) / (2 * h)
        assert_allclose(found[k][i], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["adaptive", "implicit"])
def test_error_control_keeps_to_its_tolerance(method):
    def field(t, x):
        return [x[1], -x[0] / (x[0] ** 2 + 0.01) + np.cos(t)]

    system = ln.Flow(
        lambda x, t: anp.array([x[1], -x[0] / (x[0] ** 2 + 0.01) + anp.cos(t)]), 2, dt=0.5,
        time=True, method=method, rtol=1e-8, atol=1e-10,
    )  # fmt: skip
    truth = solve_ivp(field, (0, 10), X0, rtol=1e-13, atol=1e-14, method="DOP853").y[:, -1]
    orbit = system.orbit(X0, system.drive.rows(None, (), 20), 20)
    assert_allclose(orbit.states[-1], truth, atol=2e-6)
    assert orbit.inner.n_steps > 20  # it divides
    many = system.orbit(np.stack([X0, -X0, 2 * X0]), system.drive.rows(None, (3,), 20), 20)
    assert_allclose(many.states[:, 0], orbit.states, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_members_of_an_ensemble_have_their_own_steps(method):
    system = ln.Flow(
        lambda x, p: anp.array([x[1], -p * x[0]]), 2, dt=0.3, params=np.array([1.0, 30.0]),
        method=method,
    )  # fmt: skip
    both = ln.finite_time_exponents(system, np.ones((2, 2)), np.eye(2), n_steps=20)
    for i, p in enumerate(system.params):
        alone = ln.finite_time_exponents(system.with_params(p), np.ones(2), np.eye(2), n_steps=20)
        assert_allclose(both[i], alone, rtol=1e-6, atol=1e-9)


def pendulum(method, **kwargs):
    return ln.Flow(lambda x: anp.array([x[1], -anp.sin(x[0])]), 2, dt=0.1, method=method, **kwargs)


def test_leapfrog_is_symplectic_reversible_and_keeps_the_energy():
    system = pendulum("leapfrog")
    orbit = system.orbit(np.array([1.5, 0.0]), None, 20_000)
    energy = orbit.states[:, 1] ** 2 / 2 - np.cos(orbit.states[:, 0])
    assert np.ptp(energy) < 2e-3
    assert abs(energy[-1000:].mean() - energy[:1000].mean()) < 1e-5
    assert_allclose(np.linalg.det(orbit.jacobians), 1, atol=1e-14)
    back = system.orbit(orbit.states[-1] * [1, -1], None, 20_000)
    assert_allclose(back.states[-1], [1.5, 0], atol=1e-9)
    found = ln.check_invariants(system, 2000, x0=[1.5, 0.0], zero=False, rng=0)
    assert found.passed
    assert "pairing" in found.checks


def test_leapfrog_is_of_second_order_under_forcing_and_differentiable():
    def field(x, t, p):
        return anp.array([x[1], -p * anp.sin(x[0]) + anp.cos(t)])

    truth = solve_ivp(
        lambda t, x: [x[1], -np.sin(x[0]) + np.cos(t)], (0, 2), X0, rtol=1e-12, atol=1e-13
    ).y[:, -1]
    errors = []
    for n in (20, 40, 80):
        system = ln.Flow(field, 2, dt=2 / n, time=True, params=1.0, method="leapfrog")
        orbit = system.orbit(X0, system.drive.rows(None, (), n), n)
        errors.append(np.abs(orbit.states[-1] - truth).max())
    assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.1)

    def loss(p):
        return ln.finite_time_exponents(system.with_params(p), X0, np.eye(2), n_steps=30)[0]

    assert_allclose(grad(loss)(1.0), (loss(1 + 1e-6) - loss(1 - 1e-6)) / 2e-6, rtol=1e-6)


def test_leapfrog_refuses_what_it_is_not_for():
    with pytest.raises(ValueError, match="even dimension"):
        ln.Flow(lambda x: -x, 3, dt=0.1, method="leapfrog")
    friction = ln.Flow(
        lambda x: anp.array([x[1], -x[0] - 0.1 * x[1]]), 2, dt=0.1, method="leapfrog"
    )
    with pytest.raises(ValueError, match="separable"):
        ln.lyapunov_spectrum(friction, 100, x0=[1.0, 0.0])


def henon_heiles(x):
    return anp.array([x[2], x[3], -x[0] - 2 * x[0] * x[1], -x[1] - x[0] ** 2 + x[1] ** 2])


def henon_heiles_jacobian(x):
    a, b = -1 - 2 * x[1], -2 * x[0]
    return anp.array([[0, 0, 1, 0], [0, 0, 0, 1], [a, b, 0, 0], [b, -2 - a, 0, 0]])


@pytest.mark.parametrize("jacobian", [None, henon_heiles_jacobian])
def test_leapfrog_is_compiled_at_once(jacobian):
    pytest.importorskip("numba")
    system = ln.Flow(henon_heiles, 4, dt=0.05, method="leapfrog", jacobian=jacobian)
    how = {"x0": [0.1, 0.1, 0.3, 0.2], "rng": 0}
    first = ln.lyapunov_spectrum(system, 2000, **how)
    assert first.settings["engine"] == "compiled"
    by_numpy = ln.lyapunov_spectrum(ln.compiled(system, "numpy"), 2000, **how)
    assert_allclose(first.exponents, by_numpy.exponents, atol=1e-9)


@pytest.mark.parametrize(
    "field",
    [
        lambda x: anp.array([x[1], -x[0] - 0.1 * x[1]]),
        lambda x: anp.array([x[1] * (1 + 0.1 * x[0]), -x[0]]),
        lambda x: anp.array([x[0] - 2 * x[0] + x[1], -x[0]]),
    ],
)
def test_leapfrog_is_not_compiled_where_a_half_depends_on_itself(field):
    pytest.importorskip("numba")
    system = ln.Flow(field, 2, dt=0.1, method="leapfrog")
    with pytest.raises(TypeError, match="separable"):
        ln.compiled(system)
    with pytest.raises(ValueError, match="separable"):
        ln.lyapunov_spectrum(system, 1000, x0=[1.0, 0.0])


def test_tolerances_are_for_methods_that_have_them():
    with pytest.raises(ValueError, match="`rtol` and `atol` are for"):
        pendulum("rk4", rtol=1e-6)
    with pytest.raises(ValueError, match="`method` must be one of"):
        pendulum("rk45")


def test_a_singularity_is_a_divergence_not_a_hang():
    system = ln.Flow(lambda x: x**2, 1, dt=0.1, method="adaptive")
    with pytest.raises(ln.DivergedError, match="not finite after step"):
        ln.lyapunov_spectrum(system, 100, x0=[1.0], transient=0, basis_transient=0)


@pytest.mark.parametrize("method", ["adaptive", "implicit"])
@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_state_that_is_lost_is_not_divided_for(method, lost):
    asked = []

    def field(x):
        asked.append(len(x))
        return -x

    flow = ln.Flow(field, 1, dt=0.1, method=method, jacobian=lambda x: -np.eye(1))
    orbit = flow.orbit(np.array([lost]), None, 20)
    assert np.isnan(orbit.states[1:]).all()
    assert len(asked) < 20 * 20  # with nineteen attempts in each step more than ten times as many


# --- stiff -----------------------------------------------------------------------------------


def van_der_pol(mu, rtol):
    def field(x):
        return np.stack([x[..., 1], mu * (1 - x[..., 0] ** 2) * x[..., 1] - x[..., 0]], axis=-1)

    def jacobian(x):
        out = np.zeros((*x.shape, 2))
        out[..., 0, 1] = 1
        out[..., 1, 0] = -2 * mu * x[..., 0] * x[..., 1] - 1
        out[..., 1, 1] = mu * (1 - x[..., 0] ** 2)
        return out

    return ln.Flow(
        field, 2, dt=1.0, method="implicit", jacobian=jacobian, vectorized=True, rtol=rtol,
        atol=1e-3 * rtol,
    )  # fmt: skip


def test_stiff_van_der_pol_has_the_exponents_of_its_cycle():
    kwargs = dict(x0=[2.0, 0.0], transient=200, basis_transient=50, rng=0)
    period = 1615  # (3 - 2 log 2) mu + 7.014 mu^(-1/3) + ...
    runs = [ln.lyapunov_spectrum(van_der_pol(1000.0, r), period, **kwargs) for r in (1e-6, 1e-7)]
    for s in runs:
        assert abs(s.exponents[0]) < 1e-3
    assert_allclose(runs[0].exponents[1], runs[1].exponents[1], rtol=2e-3)
    # The second one is the mean divergence, here by quadrature over SciPy's solution.
    solution = solve_ivp(
        lambda t, x: [x[1], 1000 * (1 - x[0] ** 2) * x[1] - x[0], 1000 * (1 - x[0] ** 2)],
        (0, 250 + period), [2.0, 0.0, 0.0], method="Radau", rtol=1e-7, atol=[1e-9, 1e-9, 1],
        jac=lambda t, x: [
            [0, 1, 0], [-2000 * x[0] * x[1] - 1, 1000 * (1 - x[0] ** 2), 0], [-2000 * x[0], 0, 0]
        ], t_eval=[250, 250 + period],
    )  # fmt: skip
    expected = np.diff(solution.y[2])[0] / period
    assert_allclose(runs[1].exponents.sum(), expected, rtol=1e-3)


def test_robertsons_kinetics():
    def field(x):
        a, b, c = 0.04 * x[..., 0], 1e4 * x[..., 1] * x[..., 2], 3e7 * x[..., 1] ** 2
        return anp.stack([b - a, a - b - c, c], axis=-1)

    runs = []
    for rtol in (1e-6, 1e-7):
        system = ln.Flow(
            field, 3, dt=40.0, method="implicit", vectorized=True, rtol=rtol, atol=1e-4 * rtol
        )
        runs.append(
            ln.lyapunov_spectrum(
                system, 500, x0=[1.0, 0, 0], transient=0, basis_transient=10, rng=0
            )
        )
    assert abs(runs[1].exponents[0]) < 1 / 20_000  # the total is conserved: growth is bounded
    assert_allclose(runs[0].exponents, runs[1].exponents, rtol=1e-3, atol=1e-9)
    assert runs[0].exponents[2] < -1000
    assert_allclose(runs[0].state, runs[1].state, rtol=1e-5)
    truth = solve_ivp(
        lambda t, x: field(np.asarray(x)), (0, 20_400), [1.0, 0, 0], method="Radau", rtol=1e-9,
        atol=1e-13,
    ).y[:, -1]  # fmt: skip
    assert_allclose(runs[1].state, truth, rtol=1e-5)
