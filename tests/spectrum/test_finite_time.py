"""Gradients of exponents, of maps and flows and of long windows; cells have theirs beside them."""

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.tangent import gradient

RNG = np.random.default_rng(0)


def weighted(lam):
    return anp.sum(lam * anp.arange(1, lam.shape[-1] + 1)) + anp.sum(lam**2)


def check(f, x, rtol=1e-6):
    direction = np.random.default_rng(1).standard_normal(np.shape(x))
    numeric = truths.directional(f, x, direction)
    assert_allclose(np.sum(grad(f)(x) * direction), numeric, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("given", [False, True], ids=["autograd", "jacobian"])
@pytest.mark.parametrize("interval", [1, 3])
def test_map_in_its_parameters_state_and_basis(vectorized, given, interval):
    if vectorized:

        def step(x, p):
            return anp.stack([1 - p[0] * x[..., 0] ** 2 + x[..., 1], p[1] * x[..., 0]], axis=-1)

        def jacobian(x, p):
            one = anp.ones(x.shape[:-1])
            rows = [[-2 * p[0] * x[..., 0], one], [p[1] * one, 0 * one]]
            return anp.stack([anp.stack(row, axis=-1) for row in rows], axis=-2)
    else:

        def step(x, p):
            return anp.array([1 - p[0] * x[0] ** 2 + x[1], p[1] * x[0]])

        def jacobian(x, p):
            return anp.array([[-2 * p[0] * x[0], 1.0], [p[1], 0.0]])

    henon = ln.Map(
        step,
        2,
        jacobian=jacobian if given else None,
        params=np.array([1.4, 0.3]),
        vectorized=vectorized,
    )
    x0, basis = np.array([0.1, 0.1]), RNG.standard_normal((2, 2))

    p0 = np.array([1.4, 0.3])

    def loss(p=p0, x=x0, Q=basis):
        lam = ln.finite_time_exponents(
            henon.with_params(p),
            x,
            Q,
            n_steps=7,
            transient=2,
            basis_transient=1,
            qr_interval=interval,
        )
        return weighted(lam)

    check(lambda p: loss(p=p), p0)
    check(lambda x: loss(x=x), x0)
    check(lambda Q: loss(Q=Q), basis)


def test_lorenz_is_differentiable_in_rho():
    flow = truths.lorenz(params=28.0)
    x0 = np.array([1.0, 1.0, 20.0])

    def loss(rho):
        lam = ln.finite_time_exponents(
            flow.with_params(rho), x0, np.eye(3)[:, :2], n_steps=40, transient=5
        )
        return weighted(lam)

    check(loss, np.array(28.0))


def test_driven_flow_with_a_dictionary_of_parameters_and_an_ensemble():
    def field(x, u, p):
        return -x + anp.dot(anp.tanh(x), p["W"].T) + u * p["v"]

    p = {"W": RNG.standard_normal((3, 3)), "v": RNG.standard_normal(3)}
    flow = ln.Flow(field, 3, dt=0.1, n_inputs=1, params=p, vectorized=True, method="heun")
    x0, u = RNG.standard_normal((4, 3)), RNG.standard_normal((12, 4, 1))

    def loss(W=p["W"], v=p["v"], u=u):
        lam = ln.finite_time_exponents(
            flow.with_params({"W": W, "v": v}), x0, np.eye(3)[:, :2], inputs=u, basis_transient=2
        )
        return weighted(lam)

    check(lambda W: loss(W=W), p["W"])
    check(lambda v: loss(v=v), p["v"])
    check(lambda u: loss(u=u), u)


def test_per_member_parameters():
    r = np.array([3.6, 3.9])
    logistic = ln.Map(lambda x, r: r[..., None] * x * (1 - x), 1, params=r, vectorized=True)

    def loss(r):
        lam = ln.finite_time_exponents(
            logistic.with_params(r), np.array([0.3]), np.eye(1), n_steps=6
        )
        assert lam.shape == (2, 1)
        return weighted(lam)

    check(loss, r)


def test_any_object_of_the_protocol_is_differentiable_in_its_state():
    class Pendulum:
        dim, n_inputs, dt = 2, 0, 1.0

        def step(self, x, u=None):
            return anp.stack([x[..., 0] + x[..., 1], x[..., 1] - anp.sin(x[..., 0])], axis=-1)

        def jacobian(self, x, u=None):
            one = anp.ones(x.shape[:-1])
            rows = [[one, one], [-anp.cos(x[..., 0]), one]]
            return anp.stack([anp.stack(row, axis=-1) for row in rows], axis=-2)

        def pushforward(self, x, Q, u=None):
            return self.jacobian(x) @ Q

    def loss(x):
        return weighted(ln.finite_time_exponents(Pendulum(), x, np.eye(2), n_steps=8))

    check(loss, np.array([0.4, 0.2]))


def test_long_windows_are_recomputed_in_stretches_to_the_same_gradient(monkeypatch):
    cell = ln.VanillaRNN.random(6, gain=1.2, rng=0)
    x0, basis, u = (
        RNG.standard_normal(6),
        RNG.standard_normal((6, 4)),
        RNG.standard_normal((400, 1)),
    )

    def loss(p):
        lam = ln.finite_time_exponents(
            cell.with_params(p),
            x0,
            basis,
            inputs=u,
            transient=70,
            basis_transient=70,
            qr_interval=3,
        )
        return weighted(lam)

    whole = grad(loss)(cell.params)
    monkeypatch.setattr(gradient, "_TAPE", 0)
    monkeypatch.setattr(gradient, "stretch_length", lambda *args: 64)
    pieces = grad(loss)(cell.params)
    for name in whole:
        # Blocks fall elsewhere: rounding, amplified by 400 steps, relative to the largest.
        assert_allclose(pieces[name], whole[name], atol=1e-9 * np.abs(whole[name]).max())


def test_wide_spectrum_keeps_the_gradient_accurate():
    # Rounding above the diagonal of Q^T Qbar grows like exp((lambda_1 - lambda_k) t) unless it
    # is cleared: here by e^200 over the window.
    W = np.diag([1.0, 0.3, 0.02]) @ np.linalg.qr(RNG.standard_normal((3, 3)))[0]
    cell = ln.VanillaRNN(W, None, None)
    x0, basis = 0.1 * RNG.standard_normal(3), RNG.standard_normal((3, 3))

    def loss(W):
        params = {**cell.params, "W": W}
        return weighted(ln.finite_time_exponents(cell.with_params(params), x0, basis, n_steps=60))

    check(loss, W, rtol=1e-5)


def test_traced_version_of_the_same_loss_agrees():
    cell, rng = ln.VanillaRNN.random(5, gain=1.3, leak=0.6, rng=2), np.random.default_rng(3)
    x0, basis, u = rng.standard_normal(5), rng.standard_normal((5, 3)), rng.standard_normal((12, 1))

    def traced(params):
        net, x, Q = cell.with_params(params), x0, basis
        total = 0.0
        for s in range(12):
            Y = Q if s == 0 else net.pushforward(x, Q, u[s])
            if s == 0:
                Q = _gram_schmidt(Y)[0]
                Y = net.pushforward(x, Q, u[s])
            Q, lengths = _gram_schmidt(Y)
            total = total + anp.log(lengths)
            x = net.step(x, u[s])
        return weighted(total / 12)

    def ours(params):
        return weighted(
            ln.finite_time_exponents(cell.with_params(params), x0, basis, inputs=u, n_steps=12)
        )

    a, b = grad(traced)(cell.params), grad(ours)(cell.params)
    assert_allclose(traced(cell.params), ours(cell.params), rtol=1e-12)
    for name in a:
        # Blocks are as long as rounding over their sines, down to 1e-4, stays small.
        assert_allclose(b[name], a[name], rtol=1e-10, atol=1e-11 * np.abs(a[name]).max())


def _gram_schmidt(A):
    columns, lengths = [], []
    for j in range(A.shape[1]):
        v = A[:, j]
        for q in columns:
            v = v - anp.dot(q, A[:, j]) * q
        length = anp.sqrt(anp.sum(v**2))
        lengths.append(length)
        columns.append(v / length)
    return anp.stack(columns, axis=1), anp.array(lengths)


def test_dead_units_give_minus_infinity_and_a_typed_error_in_the_gradient():
    cell = ln.VanillaRNN(np.eye(3), None, np.array([1.0, 1.0, -5.0]), activation="relu")

    def loss(p, k):
        return anp.sum(
            ln.finite_time_exponents(cell.with_params(p), np.ones(3), np.eye(3)[:, :k], n_steps=5)
        )

    lam = ln.finite_time_exponents(cell, np.ones(3), np.eye(3), n_steps=5)
    assert lam[2] == -np.inf
    assert np.isfinite(lam[:2]).all()
    with pytest.raises(ln.DegenerateBasisError, match="fewer exponents") as caught:
        grad(loss)(cell.params, 3)
    assert caught.value.exponent == 2
    assert np.isfinite(grad(loss)(cell.params, 2)["W"]).all()


def test_second_derivatives_are_refused():
    cell = ln.VanillaRNN.random(3, rng=0)

    def loss(x):
        return anp.sum(ln.finite_time_exponents(cell, x, np.eye(3), n_steps=3))

    with pytest.raises(NotImplementedError, match="second"):
        grad(lambda x: anp.sum(grad(loss)(x) ** 2))(np.ones(3))


def test_jacobian_pulls_back_several_times():
    from autograd import jacobian

    cell = ln.VanillaRNN.random(4, rng=0)

    def lam(x):
        return ln.finite_time_exponents(cell, x, np.eye(4)[:, :3], n_steps=6)

    x = np.ones(4)
    found = jacobian(lam)(x)
    for i in range(4):
        numeric = truths.directional(lam, x, np.eye(4)[i])
        assert_allclose(found[:, i], numeric, atol=1e-8)


@pytest.mark.parametrize("kind", ["VanillaRNN", "LSTM", "GRU", "Stack", "EchoStateNetwork"])
def test_parameters_traced_as_a_whole_or_one_by_one_have_the_same_gradient(kind):
    rng = np.random.default_rng(3)
    if kind == "Stack":
        cell = ln.Stack([ln.GRU.random(3, rng=rng), ln.VanillaRNN.random(2, n_inputs=3, rng=rng)])
    else:
        cell = getattr(ln, kind).random(4, rng=rng)
    x0, u = rng.standard_normal(cell.dim), rng.standard_normal((7, 1))
    basis = rng.standard_normal((cell.dim, 2))

    def loss(params, scale):
        lam = ln.finite_time_exponents(cell.with_params(params), x0, basis, inputs=u)
        # What else uses a parameter adds to its gradient.
        return anp.sum(lam**2) + scale * sum(anp.sum(params[name] ** 3) for name in params)

    whole = grad(lambda both: loss(both[0], both[1]))((cell.params, 0.5))
    apart = grad(lambda p, scale: loss({**{k: p[k] for k in p}}, scale))(cell.params, 0.5)
    assert whole[0].keys() == apart.keys() == cell.params.keys()
    for name, x in apart.items():
        assert x.shape == cell.params[name].shape
        assert_allclose(whole[0][name], x, rtol=1e-12, atol=1e-14)


def test_traced_parameters_are_checked():
    cell = ln.VanillaRNN.random(3, rng=0)

    def loss(params):
        lam = ln.finite_time_exponents(cell.with_params(params), np.ones(3), np.eye(3), n_steps=5)
        return anp.sum(lam)

    W = cell.params["W"].copy()
    W[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"`W` must be finite, but W\[1, 2\] = nan"):
        grad(loss)({**cell.params, "W": W})
    with pytest.raises(ValueError, match=r"`b` must have shape \(\.\.\., 3\), got \(2,\)"):
        grad(loss)({**cell.params, "b": np.zeros(2)})
    # A network of more units is another cell of the same kind, traced or not.
    larger = ln.VanillaRNN.random(4, rng=0)
    assert cell.with_params(larger.params).dim == 4


def test_a_cell_of_ones_own_is_made_anew():
    class Halved(ln.VanillaRNN):
        def __init__(self, W, V, b, **options):
            super().__init__(W, V, b, **options)
            self.half = self.params["W"] / 2

    cell = Halved(np.eye(2), None, None)
    other = cell.with_params({**cell.params, "W": 4 * np.eye(2)})
    assert_allclose(other.half, 2 * np.eye(2))
