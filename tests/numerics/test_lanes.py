"""Functions of one state, run on many at once in lanes, against one state after the other."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.numerics.autodiff import jacobian_of, over_states
from lyapnet.numerics.lanes import recording

RNG = np.random.default_rng(0)
W, b, X = RNG.standard_normal((5, 5)), RNG.standard_normal(5), RNG.standard_normal((40, 5))


def kuramoto(x):
    return anp.array([b[i] + 0.3 * sum(anp.sin(x[j] - x[i]) for j in range(5)) for i in range(5)])


def unpacked(x):
    a, c, d, e, f = x
    return anp.array([a * c, c - d, d * e * f, 1.0, anp.exp(-(f**2))])


def matrix(x):
    rows = [[0, x[0], 1.0, 0, 0], [1, 0, x[1], 0, 0], [0, 0, 0, 1, x[3]]]
    return anp.array([*rows, [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]) @ x


def joined(x):
    return anp.concatenate([anp.array([1.0, x[1]]), x[2:] * x[0]])


def order_parameter(x):
    z = anp.mean(anp.exp(1j * x))
    return b + 0.3 * anp.abs(z) * anp.sin(anp.angle(z) - x)


def complex_field(x):
    z = x[0] + 1j * x[1]
    z = z * (1 + 0.3j - abs(z) ** 2)
    return anp.array([anp.real(z), anp.imag(z), x[2], x[3], anp.real(z * anp.conj(z))])


def energy(x):
    q, more = anp.split(x, [2])
    spring = anp.sqrt(1 + q[0] ** 2) * anp.tanh(q @ W[:2, :2] @ q)
    return 0.5 * anp.dot(more, more) + spring + anp.sum(anp.cos(x - anp.roll(x, 1)))


def unpacked_energy(x):
    a, c, *more = x
    return a**2 * c - c**3 / 3 + sum(y**2 for y in more) + x[-1] * x[0]


FUNCTIONS = {
    "gradient": autograd.grad(energy),
    "gradient of components": lambda x: W @ autograd.grad(unpacked_energy)(x),
    "second derivatives": lambda x: autograd.jacobian(autograd.grad(unpacked_energy))(x) @ b,
    "derivative of each": lambda x: autograd.elementwise_grad(lambda y: anp.tanh(y) ** 2)(x),
    "order parameter": order_parameter,
    "complex": complex_field,
    "a derivative of one": lambda x: anp.array([x[1], x[0] * x[2], 1.0, x[3], x[4]]),
    "roll": lambda x: (anp.roll(x, -1) - anp.roll(x, 2)) * anp.roll(x, 1) - x + 8,
    "matrix and bias": lambda x: W @ anp.tanh(x) + b,
    "dot and bias": lambda x: anp.dot(W, anp.tanh(x)) + b,
    "matrix behind": lambda x: anp.tanh(x) @ W + b,
    "double sum": lambda x: b + 0.3 * anp.sum(anp.sin(x[None, :] - x[:, None]), axis=1),
    "double loop": kuramoto,
    "unpacked": unpacked,
    "matrix of states": matrix,
    "joined": joined,
    "stacked": lambda x: anp.stack([x[0], x[1] * 2, x[2], x[3], x[0] * x[4]]),
    "list": lambda x: [x[1], -x[0], x[2] ** 3, x[3] / 2, 1.0],
    "outer": lambda x: anp.outer(x, x) @ b - x * anp.sum(x**2) / anp.linalg.norm(x),
    "where": lambda x: anp.where(x > 0, x**2, -x) + anp.maximum(x, 0.2) + abs(x),
    "means": lambda x: x - anp.mean(x) + x.sum() + (W @ x).mean(),
    "einsum": lambda x: anp.einsum("ij,j->i", W, x) + anp.einsum("i,i,j->j", x, x, x),
    "reshaped": lambda x: anp.ravel(anp.reshape(anp.concatenate([x, x[:1]]), (2, 3)).T)[:5] * 2,
    "differences": lambda x: anp.concatenate([anp.diff(x), x[:1]]),
    "clipped": lambda x: anp.clip(x, -0.5, 0.5) * x[::-1],
    "constant": lambda x: b * 1.0,
}


def plain(function):
    return lambda x, u, p: np.array(y) if isinstance(y := function(x), list) else y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lanes_do_what_is_done_for_one_state(name):
    def call(x, u, p):
        y = FUNCTIONS[name](x)
        return anp.array(y) if isinstance(y, list) else y

    lanes, loop = (over_states(call, mode, ()) for mode in ("lanes", "loop"))
    assert_allclose(lanes(X, None, None), loop(X, None, None), rtol=1e-12, atol=1e-14)
    found, expected = (jacobian_of(f, 5)(X[:6], None, None) for f in (lanes, loop))
    assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def rooted(x):
    return x * anp.sqrt(x[0]) if x[0] > 0 else -x


def halved(x):
    y = x[1]
    while y > 0.01:
        y = 0.5 * y
    return y * x


@pytest.mark.parametrize("f", [
    rooted, halved, lambda x: (1.0 if x[0] > 0 else 2.0 * x[1]) * x,
    lambda x: x[anp.argmax(x)] * x + x[x[1:].argmin()], lambda x: x * (2 + int(x[0] > x[1])),
    lambda x: x[0] * x if max(x[0], x[1]) > x[2] and not x[3] > 0 else anp.sin(x),
])  # fmt: skip
def test_lanes_that_meet_a_condition_go_on_apart_from_the_others(f):
    """A derivative where a branch has none, that of a root, is not looked at."""
    lanes, loop = (over_states(lambda x, u, p: f(x), mode, ()) for mode in ("lanes", "loop"))
    with np.errstate(all="raise"):
        assert_allclose(lanes(X, None, None), loop(X, None, None), rtol=1e-15)
        found, expected = (jacobian_of(g, 5)(X, None, None) for g in (lanes, loop))
    assert_allclose(found, expected, rtol=1e-14)


def test_lanes_that_go_on_apart_keep_their_inputs_and_parameters():
    def step(x, u, p):
        return u[0] * x if x[0] > p["a"] else p["b"] * x

    draw = np.random.default_rng(0)
    p = {"a": draw.normal(size=len(X)), "b": 0.3}
    u = draw.normal(size=(len(X), 1))
    lanes, loop = (over_states(step, mode, (len(X),)) for mode in ("lanes", "loop"))
    assert_allclose(lanes(X, u, p), loop(X, u, p), rtol=1e-15)


@pytest.mark.parametrize("fails", [lambda x: anp.sort(x), lambda x: float(x[0])])
def test_what_has_no_rule_is_refused(fails):
    with pytest.raises(TypeError):
        over_states(lambda x, u, p: fails(x), "lanes", ())(X, None, None)


@pytest.mark.parametrize("jump", [
    np.sign, np.floor, np.ceil, np.trunc, np.rint, lambda x: x % 0.7, lambda x: x // 0.7,
    lambda x: np.fmod(x, 0.7), lambda x: np.heaviside(x, 0.5), lambda x: 1.0 * (x > 0.1),
    lambda x: 1.0 * (x <= 0.1),
])  # fmt: skip
def test_decisions_are_recorded_and_change_no_value(jump):
    field = over_states(lambda x, u, p: jump(x), "lanes", ())
    with recording() as made:
        found = field(2 * X, None, None)
    assert_allclose(found, jump(2 * X), rtol=1e-13, atol=1e-13)
    (decision,) = made
    low, high = decision.edges
    assert ((low <= decision.of) & (decision.of <= high)).all()


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        self.calls += 1
        return self.function(*args)


def ensemble(step, jacobian=None, members=50, params=None, n=5):
    rng = np.random.default_rng(1)
    system = ln.Map(step, n, jacobian=jacobian, params=params)
    s = ln.lyapunov_spectrum(
        system, 40, x0=0.1 * rng.standard_normal((members, n)), k=1, transient=0,
        basis_transient=0, basis=np.eye(n)[:, :1],
    )  # fmt: skip
    return s.exponents


#: Of these, trials by columns alone made a loop over all members and steps.
SLOW = {
    "roll": lambda x, p: 0.5 * anp.roll(x, 1) * anp.cos(x) + 0.1,
    "bias": lambda x, p: W @ anp.tanh(x) / 3 + b,
    "one": lambda x, p: anp.array([x[1] / 2, x[0] * x[2], 1.0, x[3] / 2, anp.sin(x[4])]),
    "vector of parameters": lambda x, p: 0.5 * anp.sin(x + p),
}


@pytest.mark.parametrize("name", SLOW)
def test_ensembles_run_at_once_whatever_the_function_looks_like(name):
    step = Counted(SLOW[name])
    params = RNG.standard_normal((50, 5)) if "parameters" in name else 1.0
    found = ensemble(lambda x, p: step(x, p), params=params)
    # Of 2000: once a step, two loops to see, and a few members that are looked at alone.
    assert step.calls < 400
    for i in (0, 7):
        own = params[i] if np.ndim(params) else params
        alone = ln.Map(SLOW[name], 5, params=own)
        x = (0.1 * np.random.default_rng(1).standard_normal((50, 5)))[i]
        expected = ln.lyapunov_spectrum(
            alone, 40, x0=x, k=1, transient=0, basis_transient=0, basis=np.eye(5)[:, :1]
        )
        assert_allclose(found[i], expected.exponents, rtol=1e-9)


def test_a_jacobian_of_one_state_runs_at_once_too():
    jacobian = Counted(lambda x: np.diag(0.5 * np.cos(x)))
    found = ensemble(lambda x: 0.5 * anp.sin(x), lambda x: jacobian(x))
    assert jacobian.calls < 150
    assert_allclose(found, ensemble(lambda x: 0.5 * anp.sin(x)), rtol=1e-12)


def test_what_runs_state_by_state_is_said_once():
    def step(x):
        return anp.array([0.5 * anp.linalg.slogdet(x[0] * np.eye(1))[1], 0.3 * x[1]])

    system = ln.Map(step, 2)
    with pytest.warns(UserWarning, match="one state after the other.*vectorized=True"):
        ln.lyapunov_spectrum(system, 600, x0=[0.5, 0.5], rng=0)
    ln.lyapunov_spectrum(system, 600, x0=[0.5, 0.5], rng=0)  # not again


def test_what_is_joined_with_nothing_overflows_as_numbers_do():
    def field(x):
        return np.concatenate([np.roll(np.array([np.sin(x[0])]), 1)[1:], np.roll(x, 1)]) ** 2

    system = ln.compiled(ln.Flow(field, 1, dt=1.0, method="euler"), "numpy")
    with pytest.raises(ln.DivergedError):
        ln.lyapunov_spectrum(system, 40, x0=[[3.0], [0.5]], transient=0, rng=0)
