"""Functions of JAX as systems, and the flossing loss under its transformations."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import lyapnet as ln

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

import lyapnet.jax as lj

N, M, T, K = 6, 2, 6, 3


def weights(rng, *shape):
    return rng.standard_normal(shape) / np.sqrt(shape[-1])


def gru(h, u, p):
    r, z = (jax.nn.sigmoid(p[g]["W"] @ h + p[g]["V"] @ u) for g in "rz")
    n = jnp.tanh(p["n"]["V"] @ u + r * (p["n"]["W"] @ h))
    return (1 - z) * n + z * h


def layer_norm(h, u, p):
    a = p["W"] @ h + p["V"] @ u
    return jnp.tanh((a - a.mean()) / jnp.sqrt(a.var() + 1e-5) * p["scale"])


def oscillators(h, u, p):
    y, z = jnp.split(h, 2)
    z = z + 0.1 * (jnp.tanh(p[0] @ y + p[1] @ z + p[2] @ u) - y - 0.1 * z)
    return jnp.concatenate([y + 0.1 * z, z])


def ode(h, u, p):
    def field(h):
        return -h + p["W"] @ jnp.tanh(h) + p["V"] @ u

    return h + 0.1 * field(h + 0.05 * field(h))


def make(name):
    """Return a system, a state, inputs and a basis."""
    rng = np.random.default_rng(3)
    plain = {"W": 1.5 * weights(rng, N, N), "V": weights(rng, N, M)}
    cells = {
        "gru": (gru, {g: {"W": weights(rng, N, N), "V": weights(rng, N, M)} for g in "rzn"}, N),
        "layer norm": (layer_norm, {**plain, "scale": np.full(N, 1.2)}, N),
        "oscillators": (
            oscillators, [weights(rng, N, N), weights(rng, N, N), weights(rng, N, M)], 2 * N,
        ),
        "ode": (ode, plain, N),
    }  # fmt: skip
    step, params, n = cells[name]
    system = lj.System(step, n, n_inputs=M, params=params)
    return step, system, rng.standard_normal(n), rng.standard_normal((T, M)), weights(rng, n, K)


CELLS = pytest.mark.parametrize("name", ["gru", "layer norm", "oscillators", "ode"])


@CELLS
def test_spectrum_and_gradient_are_those_of_dense_jacobians(name):
    step, system, x, inputs, basis = make(name)

    def dense(params, x, inputs):
        Q, total = jnp.linalg.qr(basis)[0], 0
        for u in inputs:
            Q, R = jnp.linalg.qr(jax.jacobian(step)(x, u, params) @ Q)
            total = total + jnp.log(jnp.abs(jnp.diagonal(R)))
            x = step(x, u, params)
        return total / T

    def ours(args):
        params, x, inputs = args
        return ln.finite_time_exponents(system.with_params(params), x, basis, inputs=inputs)

    args = system.params, x, inputs
    with jax.enable_x64(True):
        truth = dense(*args)
        slopes = jax.grad(lambda *a: jnp.sum(dense(*a) ** 2), argnums=(0, 1, 2))(*args)
        slopes = [np.asarray(g) for g in jax.tree.leaves(slopes)]
    np.testing.assert_allclose(ours(args), truth, rtol=0, atol=1e-9)
    found = jax.tree.leaves(grad(lambda a: anp.sum(ours(a) ** 2))(args))
    for a, b in zip(found, slopes, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * max(1, np.abs(b).max()))


@CELLS
def test_condition_number_is_that_of_the_product(name):
    step, system, x, inputs, basis = make(name)
    basis = np.linalg.qr(basis)[0]
    found = ln.condition_number(
        system, inputs=inputs, x0=x, basis=basis, transient=0, times=[T], rng=0
    )
    product, state = basis, x
    with jax.enable_x64(True):
        for u in inputs:
            product = np.asarray(jax.jacobian(step)(state, u, system.params)) @ product
            state = step(state, u, system.params)
    s = np.linalg.svd(product, compute_uv=False)
    np.testing.assert_allclose(found.log10_measured, np.log10(s[0] / s[-1]), rtol=0, atol=1e-9)


def vanilla(h, u, p):
    return p["W"] @ jnp.tanh(h) + p["V"] @ u + p["b"]


def test_the_same_network_as_function_and_cell_in_a_batch():
    cell = ln.VanillaRNN.random(N, n_inputs=M, bias=0.5, rng=0)
    system = lj.System(vanilla, N, n_inputs=M, params=cell.params)
    rng = np.random.default_rng(0)
    x, inputs = rng.standard_normal((4, N)), rng.standard_normal((T, 4, M))
    basis = weights(rng, N, K)
    results = []
    for one in (cell, system):

        def loss(args, one=one):
            lam = ln.finite_time_exponents(
                one.with_params(args[0]), args[1], basis, inputs=args[2], transient=2
            )
            return ln.flossing_loss(lam, 0.1)

        found = grad(loss)((cell.params, x, inputs))
        results.append([loss((cell.params, x, inputs)), *jax.tree.leaves(found)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)
    floss = dict(k=K, n_steps=8, batch_size=2, optimizer=ln.Adam(0.01), rng=0)
    mine, theirs = ln.floss(system, 5, **floss), ln.floss(cell, 5, **floss)
    np.testing.assert_allclose(mine.loss, theirs.loss, rtol=1e-9)


@pytest.mark.parametrize("kind", ["system", "cell"])
def test_loss_under_jit_and_grad(kind):
    cell = ln.VanillaRNN.random(N, n_inputs=M, rng=0)
    system = cell
    if kind == "system":
        system = lj.System(vanilla, N, n_inputs=M, params=cell.params)
    rng = np.random.default_rng(1)
    x, inputs = rng.standard_normal((3, N)), rng.standard_normal((T, 3, M))
    key = jax.random.key(5)

    def loss(params, x, inputs):
        return lj.flossing_loss(
            system, inputs, x, k=K, params=params, target=0.1, weights=[1, 2, 3], transient=1,
            basis_transient=2, qr_interval=2, key=key,
        )  # fmt: skip

    with jax.enable_x64(True):
        args = jax.tree.map(jnp.asarray, (cell.params, x, inputs))
        value, slopes = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2)))(*args)
        np.testing.assert_allclose(jax.jit(loss)(*args), value, rtol=1e-13)
        flat, rebuild = ravel_pytree(args)
        d = jnp.asarray(rng.standard_normal(flat.shape))
        at = [float(loss(*rebuild(flat + t * d))) for t in (1e-5, -1e-5, 2e-5, -2e-5)]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / 12e-5
        found = ravel_pytree(slopes)[0] @ d
        np.testing.assert_allclose(found, slope, rtol=1e-7)
        rows = jax.random.normal(key, (3, K, N))
    lam = ln.finite_time_exponents(
        cell, x, np.asarray(rows).swapaxes(-1, -2), inputs=inputs, transient=1, basis_transient=2
    )
    truth = ln.flossing_loss(lam, 0.1, weights=[1, 2, 3])
    np.testing.assert_allclose(value, truth, rtol=1e-9)


@pytest.fixture
def single():
    """What JAX does by itself, whatever tests before have chosen."""
    with jax.enable_x64(False):
        yield


@pytest.mark.usefixtures("single")
def test_single_precision_stays_single_outside():
    cell = ln.VanillaRNN.random(40, rng=0)
    inputs = jax.random.normal(jax.random.key(0), (30, 1))
    params = jax.tree.map(jnp.asarray, cell.params)
    assert params["W"].dtype == jnp.float32
    loss, slopes = jax.value_and_grad(
        lambda p: lj.flossing_loss(cell, inputs, k=4, params=p, transient=5)
    )(params)
    assert loss.dtype == slopes["W"].dtype == jnp.float32
    system = lj.System(vanilla, 40, n_inputs=1, params=params)
    assert system.step(np.ones(40)).dtype == np.float64
    exact = cell.with_params({k: np.asarray(p, dtype=float) for k, p in params.items()})
    np.testing.assert_allclose(system.step(np.ones(40)), exact.step(np.ones(40)), atol=1e-14)
    narrow = lj.System(vanilla, 40, n_inputs=1, params=params, dtype=np.float32)
    assert 0 < np.abs(narrow.step(np.ones(40)) - exact.step(np.ones(40))).max() < 1e-5
    assert jnp.ones(3).dtype == jnp.float32  # what JAX does by itself is as it was


def test_one_step_after_the_other_learns():
    cell = ln.VanillaRNN.random(16, gain=0.5, rng=0)
    key = jax.random.key(0)

    @jax.jit
    def step(params, key):
        data, basis = jax.random.split(key)
        inputs = jax.random.normal(data, (20, 1))
        loss, slopes = jax.value_and_grad(
            lambda p: lj.flossing_loss(cell, inputs, k=4, params=p, key=basis)
        )(params)
        return jax.tree.map(lambda p, g: p - 0.02 * g, params, slopes), loss

    params, losses = jax.tree.map(jnp.asarray, cell.params), []
    for one in jax.random.split(key, 40):
        params, loss = step(params, one)
        losses.append(float(loss))
    assert np.mean(losses[-5:]) < 0.3 * np.mean(losses[:5])


def test_loss_of_a_single_sequence_under_vmap():
    cell = ln.VanillaRNN.random(N, n_inputs=M, rng=0)
    system = lj.System(vanilla, N, n_inputs=M, params=cell.params, dt=0.5)
    inputs = jax.random.normal(jax.random.key(0), (2, T, M))
    for one in (cell, system):
        loss = lambda u, one=one: lj.flossing_loss(one, u, k=2, reduction="mean")
        each = [loss(u) for u in inputs]
        np.testing.assert_allclose(jax.vmap(loss)(inputs), each, rtol=1e-5)
    quiet = lj.System(lambda h, p: jnp.tanh(p @ h), N, params=cell.params["W"])
    assert lj.flossing_loss(quiet, None, k=2, n_steps=5) > 0


def test_cells_need_a_second_cpu(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    with pytest.raises(RuntimeError, match="single CPU"):
        lj.flossing_loss(ln.VanillaRNN.random(N, rng=0), np.ones((T, 1)), k=1)


@pytest.mark.parametrize("kind", ["added", "multiplied", "jitted", "later"])
def test_noise_from_elsewhere_is_seen(kind):
    rng = np.random.default_rng(0)
    calls = []

    def later(h):  # behind a warm-up, so to speak
        calls.append(1)
        return jnp.sin(h) + (rng.normal(size=N) if len(calls) > 3 else 0.0)

    steps = {
        "added": lambda h: jnp.sin(h) + 0.1 * rng.normal(size=N),
        "multiplied": lambda h: jnp.sin(h) * rng.normal(),
        "jitted": jax.jit(lambda h: jnp.sin(h) * rng.normal()),
        "later": later,
    }
    with pytest.raises(ValueError, match="draws at random, and exponents are those of one map"):
        ln.lyapunov_spectrum(lj.System(steps[kind], N), 300, k=1, x0=np.ones(N), rng=0)


def test_what_a_step_finds_around_itself_is_never_out_of_date():
    gain = np.array(0.9)
    system = lj.System(lambda h: gain * h, N)  # exponents log(gain)
    for x0 in (np.ones(N), np.ones((2, N))):
        for now in (0.9, 0.5):
            gain[...] = now
            s = ln.lyapunov_spectrum(system, 20, k=2, x0=x0, rng=0)
            np.testing.assert_allclose(s.exponents, np.full(s.exponents.shape, np.log(now)))


def test_what_is_refused():
    for step in (lambda h: h if h.sum() > 0 else -h, np.tanh, lambda h: h * float(h[0])):
        with pytest.raises(TypeError, match=r"depends on the state.*write it with jax\.numpy"):
            lj.System(step, N)
    with pytest.raises(TypeError, match="`step` cannot be traced"):
        lj.System(lambda h: h @ np.eye(N + 1), N)
    with pytest.raises(TypeError, match="write the whole loop in JAX"):
        ln.ClosedLoop(lj.System(lambda h, u: h + u, 1, n_inputs=1), [[0.1]])
    with pytest.raises(ValueError, match=r"`step` must return the next state.*\(3,\)"):
        lj.System(lambda h: h[:3], N)
    with pytest.raises(TypeError, match=r"takes \(inputs, state\).*step\(h, u\): give lambda h, u"):
        lj.System(lambda inputs, state: state + inputs, 2, n_inputs=2)
    with pytest.raises(TypeError, match="complex"):
        lj.System(lambda h: h * 1j, N)
    with pytest.raises(TypeError, match=r"returns float32 for a state of float64.*dtype=float32"):
        lj.System(lambda h: jnp.sin(h).astype(jnp.float32), N)
    backward = jax.custom_vjp(jnp.tanh)
    backward.defvjp(lambda x: (jnp.tanh(x), x), lambda x, bar: (bar / jnp.cosh(x) ** 2,))
    with pytest.raises(TypeError, match=r"tangent vectors forward.*give jax\.custom_jvp"):
        lj.System(backward, N)
    system = lj.System(lambda h, u: jnp.sin(h) + u[0], N, n_inputs=1)
    with pytest.raises(TypeError, match="cannot trace a single step of JAX"):
        grad(lambda x: system.step(x).sum())(np.ones(N))
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(T, 1\)"):
        lj.flossing_loss(system, np.ones((T, 2)), k=1)
    with pytest.raises(ValueError, match="`inputs` has 6 steps, but the run takes 8"):
        lj.flossing_loss(system, np.ones((T, 1)), k=1, n_steps=T, transient=2)
    with pytest.raises(ValueError, match="`n_steps` is needed"):
        lj.flossing_loss(lj.System(jnp.sin, N), None, k=1)


@pytest.mark.parametrize("kind", ["system", "cell"])
@pytest.mark.parametrize("name", ["inputs", "h0", "params"])
def test_what_is_not_finite_is_refused(kind, name):
    """A `System` said NaN, a cell raised an error of JAX's callbacks."""
    cell = ln.VanillaRNN.random(N, rng=0)
    native = lj.System(
        lambda h, u, p: jnp.tanh(p["W"] @ h) + u[0], N, n_inputs=1, params=cell.params
    )
    system = cell if kind == "cell" else native
    given = {"inputs": np.ones((T, 1)), "h0": np.ones(N), "params": cell.params}
    broken = dict(given)
    broken[name] = jax.tree_util.tree_map(lambda x: np.full(np.shape(x), np.nan), given[name])
    with pytest.raises(ValueError, match=f"`{name}` must be finite"):
        lj.flossing_loss(system, k=2, **broken)
    if name != "params":  # what is not differentiated in is known
        with pytest.raises(ValueError, match=f"`{name}` must be finite"):
            jax.grad(lambda p: lj.flossing_loss(system, k=2, **{**broken, "params": p}))(
                cell.params
            )
    assert np.isfinite(lj.flossing_loss(native, k=2, **given))


def test_a_state_that_diverges_is_said():
    system = lj.System(lambda h: 2 * h**3, N)
    with pytest.raises(ln.DivergedError, match="not finite"):
        lj.flossing_loss(system, None, np.full(N, 3.0), k=1, n_steps=2 * T)
    assert np.isnan(
        jax.jit(lambda h: lj.flossing_loss(system, None, h, k=1, n_steps=2 * T))(np.full(N, 3.0))
    )


def test_gradients_that_are_stopped_are_noticed():
    W = np.random.default_rng(0).standard_normal((N, N))
    for step in (
        lambda h: jnp.tanh(W @ jax.lax.stop_gradient(h)),  # exponents were -inf, "converged"
        lambda h: jnp.tanh(W @ h) * jnp.cos(jax.lax.stop_gradient(h[0])),
    ):
        with pytest.warns(UserWarning, match=r"derivative is not that of the step.*stop_gradient"):
            s = ln.lyapunov_spectrum(lj.System(step, N), 200, k=2, x0=np.full(N, 0.3), rng=0)
        assert s.diagnose().verdict.startswith("unreliable: the derivative is not that of")
