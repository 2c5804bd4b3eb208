"""Delay equations against the roots of their characteristic equations."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose
from scipy.special import lambertw

import lyapnet as ln


def roots(a, b, tau, count):
    """Real parts of the roots of s = a + b exp(-s tau), the leading ones, by Lambert's W."""
    branches = np.arange(-count, count + 1)
    s = a + lambertw(b * tau * np.exp(-a * tau), branches) / tau
    return np.sort(s.real)[::-1][:count]


def linear(a, b, tau, dt, **kwargs):
    return ln.DelayFlow(lambda x, late: a * x + b * late, 1, delays=tau, dt=dt, **kwargs)


@pytest.mark.parametrize(("a", "b", "tau"), [(0.3, -1.2, 1.0), (-1.0, 0.8, 2.0), (0.0, -2.0, 1.3)])
def test_linear_delay_equation_has_its_characteristic_roots(a, b, tau):
    n = 60
    flow = linear(a, b, tau, tau / n)
    s = ln.lyapunov_spectrum(
        flow, 60 * n, k=7, x0=flow.history([1.0]), transient=0, basis_transient=40 * n,
        qr_interval=1, rng=0,
    )  # fmt: skip
    expected = roots(a, b, tau, 7)
    # A pair shares its growth over half a turn: compare sums over pairs, and singles.
    found = np.sort(s.exponents)[::-1]
    assert_allclose(found.sum(), expected.sum(), atol=0.02)
    companion = flow.jacobian(np.zeros(flow.dim))
    exact = np.sort(np.log(np.abs(np.linalg.eigvals(companion))) / flow.dt)[::-1]
    assert_allclose(exact[:6], expected[:6], atol=1e-4)
    low, high = s.confidence_interval(0.999)
    assert ((low[:6] - 0.01 < expected[:6]) & (expected[:6] < high[:6] + 0.01)).all()


@pytest.mark.parametrize(
    ("method", "order", "counts"),
    [("euler", 1, (40, 80)), ("heun", 2, (20, 40)), ("rk4", 4, (12, 24)), ("dop853", 8, (6, 9))],
)
@pytest.mark.parametrize("ratio", [1.0, 0.87])
def test_the_interpolant_keeps_the_order(method, order, counts, ratio):
    # ratio 0.87: the delayed times do not lie on the grid
    errors = []
    for n in counts:
        flow = linear(0.3, -1.2, 1.0, ratio / n, method=method)
        largest = np.abs(np.linalg.eigvals(flow.jacobian(np.zeros(flow.dim)))).max()
        errors.append(abs(np.log(largest) / flow.dt - roots(0.3, -1.2, 1.0, 1)[0]))
    found = np.log(errors[0] / errors[1]) / np.log(counts[1] / counts[0])
    assert found > order - 0.35, (found, errors)
    assert errors[1] < {1: 0.1, 2: 5e-3, 4: 1e-4, 8: 1e-6}[order]


def mackey_glass(p=0.2, **kwargs):
    def field(x, late, p):
        return p * late / (1 + late**10) - 0.1 * x

    return ln.DelayFlow(field, 1, delays=17.0, dt=0.5, params=p, **kwargs)


def test_the_tangent_step_is_the_derivative_of_the_step():
    flow = ln.DelayFlow(
        lambda x, a, b, t, u: anp.array([x[1] * a[0] + anp.sin(t), u[0] - b[1] * x[0] ** 2]), 2,
        delays=(0.4, 0.33), dt=0.1, time=True, n_inputs=1, interpolation="linear",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, flow.dim))
    rows = flow.drive.rows(rng.standard_normal((5, 1)), (3,), 5, t0=0.2)
    orbit = flow.orbit(x, rows, 5)
    h = 1e-6
    for s in (0, 4):
        for i in range(flow.dim):
            d = h * np.eye(flow.dim)[i]
            up, down = (
                flow.orbit(orbit.states[s] + e, rows[s : s + 1], 1).states[1] for e in (d, -d)
            )
            assert_allclose(orbit.jacobians[s][..., i], (up - down) / (2 * h), atol=1e-8)
        q = rng.standard_normal((3, 4, flow.dim))
        out = np.empty_like(q)
        orbit.push(s, q, out)
        assert_allclose(out, q @ orbit.jacobians[s].swapaxes(-1, -2), atol=1e-12)
        orbit.pull(s, q, out)
        assert_allclose(out, q @ orbit.jacobians[s], atol=1e-12)


def test_gradients_in_parameters_and_the_past():
    flow = mackey_glass()
    x0 = flow.history(lambda t: [1 + 0.1 * np.sin(t)])
    basis = np.random.default_rng(0).standard_normal((flow.dim, 2))

    def loss(p, x):
        lam = ln.finite_time_exponents(flow.with_params(p), x, basis, n_steps=60, transient=40)
        return lam[0] + 2 * lam[1]

    at_p, at_x = grad(loss)(0.2, x0), grad(loss, 1)(0.2, x0)
    h = 1e-6
    assert_allclose(at_p, (loss(0.2 + h, x0) - loss(0.2 - h, x0)) / (2 * h), rtol=1e-5)
    for i in (0, 7, 33):
        d = h * np.eye(flow.dim)[i]
        assert_allclose(at_x[i], (loss(0.2, x0 + d) - loss(0.2, x0 - d)) / (2 * h), rtol=1e-4)


def test_an_ensemble_equals_its_members_in_either_way_of_writing():
    vectorized = ln.DelayFlow(
        lambda x, late, p: p[..., None] * late / (1 + late**10) - 0.1 * x, 1, delays=17.0, dt=0.5,
        params=np.array([0.2, 0.25]), vectorized=True,
    )  # fmt: skip
    one = mackey_glass(np.array([0.2, 0.25]))
    x0 = one.history([[0.9], [0.9]])
    basis = np.eye(one.dim)[:, :3]
    a, b = (ln.finite_time_exponents(f, x0, basis, n_steps=200) for f in (vectorized, one))
    assert_allclose(a, b, atol=1e-10)
    for i, p in enumerate(one.params):
        alone = ln.finite_time_exponents(mackey_glass(p), x0[0], basis, n_steps=200)
        assert_allclose(a[i], alone, atol=1e-10)


def test_a_longer_run_and_its_parts_are_one():
    flow = mackey_glass()
    kwargs = dict(
        x0=flow.history([0.9]), k=2, transient=30, basis_transient=40, qr_interval=5, rng=0
    )
    long = ln.lyapunov_spectrum(flow, 500, **kwargs)
    parts = ln.lyapunov_spectrum(flow, 200, **kwargs).extend(300)
    assert_allclose(parts.exponents, long.exponents, atol=1e-12)


def test_delays_must_span_a_step():
    with pytest.raises(ValueError, match="at least dt"):
        linear(0.0, 1.0, 0.05, 0.1)
    with pytest.raises(ValueError, match="method"):
        linear(0.0, 1.0, 1.0, 0.1, method="implicit")
    with pytest.raises(TypeError, match=r"function of \(x, x_delayed_1, x_delayed_2\)"):
        ln.DelayFlow(lambda x, late: x, 1, delays=(1.0, 2.0), dt=0.1)
    with pytest.raises(ValueError, match="past"):
        linear(0.0, 1.0, 1.0, 0.1).history([1.0, 2.0])


def test_a_state_that_is_no_past_is_told_how_to_become_one():
    flow = mackey_glass()
    n = flow.dim
    for run in (
        lambda x: ln.lyapunov_spectrum(flow, 100, x0=x),
        lambda x: ln.alignment(flow, 100, x0=x),
        lambda x: ln.finite_time_exponents(flow, x, np.eye(n)[:, :1], n_steps=5),
    ):
        with pytest.raises(ValueError, match=rf"\(..., {n}\), the past on the grid.*`history`"):
            run([1.2])
    np.testing.assert_array_equal(flow.history(0.5), flow.history([0.5]))
    np.testing.assert_array_equal(flow.history(np.cos), flow.history(lambda t: [np.cos(t)]))


@pytest.mark.parametrize("name", ["delayed", "present"])
def test_relays_are_told(name):
    # An oscillation has an exponent of 0; the derivative, which knows of no jump, has -1.
    def field(x, late):
        return -x - 2 * anp.sign(late) - (name == "present") * anp.where(x > 0.5, 0.3, 0.0)

    flow = ln.DelayFlow(field, 1, delays=1.0, dt=0.02)
    with pytest.warns(UserWarning, match="the field jumps by"):
        s = ln.lyapunov_spectrum(flow, 2000, k=1, x0=flow.history([1.0]), rng=0)
    assert s.diagnose().verdict.startswith("unreliable: the field jumps by")
    smooth = ln.DelayFlow(lambda x, late: -x - 2 * anp.abs(anp.sin(late)), 1, delays=1.0, dt=0.02)
    s = ln.lyapunov_spectrum(smooth, 500, k=1, x0=smooth.history([1.0]), rng=0)
    assert s.settings["reservations"] == []
