"""What can be written down does what the function does, and so do its derivatives."""

import math
from functools import partial

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from lyapnet.compiled.derivative import pushed
from lyapnet.compiled.graph import Graph, replay
from lyapnet.compiled.operations import DERIVATIVES, Untraceable
from lyapnet.compiled.rewrite import rewritten
from lyapnet.compiled.trace import symbols_of
from lyapnet.numerics.steady import NUMPY

W = np.random.default_rng(0).standard_normal((4, 4))


def written(function, n):
    graph = Graph()
    x = graph.inputs("x", (n,))
    return graph, x, [s.at for s in symbols_of(rewritten(function)(x), graph, (n,), "step")]


def energy(x):
    """A sum of products, squares, extremes and a norm, of components, slices and all of x."""
    q, p = x[:2], anp.split(x, 2)[1]
    y = x[0] ** 2 * x[1] - x[3] * anp.max(q) + anp.dot(p, W[:2, :2] @ p) + anp.exp(-anp.dot(q, q))
    return y + anp.linalg.norm(x) + anp.prod(x) * anp.mean(x) + anp.sum(anp.outer(x, anp.sin(x)))


FUNCTIONS = {
    "gradient": lambda x: W @ autograd.grad(energy)(x),
    "Hessian": lambda x: autograd.hessian(energy)(x) @ np.arange(4.0),
    "push": lambda x: autograd.make_jvp(anp.tanh)(x)(np.arange(4.0))[1],
    "derivative of each": lambda x: autograd.elementwise_grad(anp.tanh)(x),
    "list": lambda x: [x[1] * x[2], -x[0], 2.0, x[3] ** 3],
    "array": lambda x: np.array([x[0] + 1, x[1] / x[0], x[2] - 2.5, x[3]], dtype=float),
    "roll": lambda x: (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0,
    "slices": lambda x: np.concatenate([x[2:], x[:2] * x[::-1][:2]]),
    "dot": lambda x: np.dot(W, np.tanh(x)) + W @ x - x @ W,
    "sums": lambda x: x * np.sum(x**2) + x.mean() + np.cumsum(x) * x.prod(),
    "pairs": lambda x: np.sin(x[:, None] - x[None, :]).sum(axis=1),
    "last axis": lambda x: np.stack([x[..., 3], np.exp(-x[..., 2]), x[..., 1], x[..., 0]], axis=-1),
    "where": lambda x: np.where(x < 0.3, 2 * x, np.where(x[0] > 0, x - 1, x**2)),
    "logic": lambda x: x * ((x > 0) & (x < 1)) + (~(x > 0.5)) * 0.1,
    "extremes": lambda x: np.maximum(x, 0.2) + x.max() * x.min() + np.clip(x, -0.5, 0.5),
    "signs": lambda x: np.abs(x) + np.sign(x) * x + np.heaviside(x, 0.5),
    "rounding": lambda x: (3 * x) % 1.0 + np.floor(x) * x + np.fmod(x, 0.7) + np.rint(x),
    "roots": lambda x: np.sqrt(x**2 + 1) + np.cbrt(x + 3) + np.abs(x) ** 1.5 + 2.0**x,
    "logarithms": lambda x: np.log(x**2 + 1) + np.log1p(x**2) + np.log2(x**2 + 1) + np.expm1(x),
    "angles": lambda x: np.arctan2(x, 1 + x[::-1] ** 2) + np.arctan(x) + np.hypot(x, 1.0),
    "hyperbolic": lambda x: np.sinh(x) + np.cosh(x) + np.arcsinh(x) + np.arctanh(x / 9),
    "math": lambda x: [math.sin(x[0]), math.exp(x[1]), math.atan2(x[2], 2.0), math.sqrt(4.0)],
    "moments": lambda x: np.std(x) * x + np.var(x) + np.logaddexp(x, 0.3),
    "joined by autograd": lambda x: anp.tanh(anp.concatenate([x[2:], anp.abs(x[:2])]) ** 2),
    "stacked by autograd": lambda x: anp.sin(anp.stack([x[:2], x[2:]]).ravel()) + anp.hstack([x]),
    "autograd": lambda x: anp.array(
        [anp.cos(x[0]), x[1], anp.dot(x, x), anp.where(x[3] > 0, 1, 0)]
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_does_what_the_function_does(name):
    function = FUNCTIONS[name]
    graph, _, nodes = written(function, 4)
    for x in np.random.default_rng(1).standard_normal((5, 4)):
        assert_allclose(replay(graph, nodes, {"x": x}), np.array(function(x)), rtol=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_many_states_at_once(name):
    graph, _, nodes = written(FUNCTIONS[name], 4)
    many = np.random.default_rng(2).standard_normal((7, 4))
    found = np.stack(np.broadcast_arrays(*replay(graph, nodes, {"x": many.T})), axis=-1)
    one_by_one = np.array([FUNCTIONS[name](x) for x in many])
    assert_allclose(np.broadcast_to(found, (7, 4)), one_by_one, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_differences(name):
    function = FUNCTIONS[name]
    graph, x, nodes = written(function, 4)
    q = graph.inputs("q", (4,))
    found = pushed(graph, nodes, {x[i].at: q[i] for i in range(4)})
    at, along, step = np.array([0.37, -0.61, 1.23, 0.84]), np.array([1.0, -0.5, 0.3, 2.0]), 1e-6
    given = {"x": at, "q": along}
    tangent = [0.0 if t is None else replay(graph, [t.at], given)[0] for t in found]
    ahead, behind = (np.array(function(at + s * along), dtype=float) for s in (step, -step))
    assert_allclose(tangent, (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-8)


#: What is flat, and what autograd does not know: differences above are their test.
FLAT = {"sign", "floor", "ceil", "trunc", "rint"}
UNKNOWN = {"fmod", "hypot"}
POINTS = {"arccosh": [1.3], "maximum": [0.3, 0.3], "minimum": [0.3, 0.3], "absolute": [0.0]}


@pytest.mark.parametrize("name", sorted({*DERIVATIVES} - FLAT - UNKNOWN))
def test_each_derivative_is_that_of_autograd(name):
    """At a kink, too, where a derivative is a convention."""
    points = POINTS.get(name, [0.3, 0.7])[: (getattr(np, name, None) or getattr(special, name)).nin]
    graph = Graph()
    x = graph.inputs("x", (len(points),))
    node = graph.apply(name, *x)
    for i in range(len(points)):
        (found,) = pushed(graph, [node.at], {x[i].at: graph.constant(1.0)})
        value = replay(graph, [found.at], {"x": points})[0]
        assert_allclose(value, autograd.grad(getattr(NUMPY, name), i)(*points), rtol=1e-13)


def assigned(x):
    out = np.zeros(2)
    out[0], out[1] = x[1], max(x[0], 0.5)
    return out


def helper(scale, x):
    return scale * assigned(x)


@pytest.mark.parametrize("function", [assigned, partial(helper, 2.0)], ids=["assigned", "partial"])
def test_arrays_that_a_function_makes_hold_symbols(function):
    graph, _, nodes = written(function, 2)
    assert_allclose(replay(graph, nodes, {"x": [0.2, 0.9]}), function(np.array([0.2, 0.9])))


def test_what_is_done_twice_is_noted_once():
    graph, _, nodes = written(lambda x: [np.sin(x[0]) + np.sin(x[0]), np.sin(x[0])], 2)
    assert sum(name == "sin" for name, _ in graph.nodes) == 1
    assert len(nodes) == 2


def test_zero_keeps_its_sign():
    graph, _, nodes = written(lambda x: [x[0] + 0.0, x[0] * -0.0], 2)
    assert np.signbit(replay(graph, nodes, {"x": [1.0, 1.0]})[1])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x if x[0] > 0 else -x, "asks for the value"),
        (lambda x: x[: int(x[0])], "index"),
        (lambda x: np.interp(x, range(101), range(101)), "table of more than 100"),
        (lambda x: np.fft.fft(x), "fft"),
        (lambda x: x * 1j, "complex"),
        (lambda x: x[:1], "shape"),
        (lambda x: [x[0] + "a", x[1]], "str"),
        (lambda x: np.add.reduceat(x, [0, 1]), "reduceat"),
    ],
)
def test_what_cannot_be_written_down_says_why(function, message):
    with pytest.raises(Untraceable, match=message):
        written(function, 2)
