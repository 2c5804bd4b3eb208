"""Functions of which something changes between calls, as globals do from cell to cell.

Or in systems themselves. Of x' = r x (1 - x) all is known: the slope r (1 - 2 x), the fixed point
1 - 1/r, its slope 2 - r.
"""

import functools
import math
import types

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.systems.engine import missing

BEFORE, AFTER = 1.7, 2.6


def of_module():
    """Functions of a module of their own, and its globals."""
    scope = {"np": anp, "r": BEFORE, "__name__": "notebook"}
    source = """
def step(x): return r * x * (1 - x)
def helper(x): return 1.7 * x
def through(x): return helper(x) * (1 - x)
def given(x, r=1.7): return r * x * (1 - x)
def written(x):
    out = np.zeros(1)
    out[0] = r * x[0] * (1 - x[0])
    return out
"""
    exec(source, scope)
    return scope


def of_global(name):
    scope = of_module()
    return scope[name], lambda: scope.update(r=AFTER)


def of_helper():
    scope = of_module()
    return scope["through"], lambda: exec("def helper(x): return 2.6 * x", scope)


def of_default():
    step = of_module()["given"]
    return step, lambda: setattr(step, "__defaults__", (AFTER,))


def of_code():
    step = of_module()["given"]
    code = compile("def given(x, r=1.7): return 2.6 * x * (1 - x)", "notebook", "exec")
    (new,) = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return step, lambda: setattr(step, "__code__", new)


def of_closure():
    r = BEFORE

    def change():
        nonlocal r
        r = AFTER

    return lambda x: r * x * (1 - x), change


def of_partial():
    step = functools.partial(of_module()["given"], r=BEFORE)
    return step, lambda: step.keywords.update(r=AFTER)


class Logistic:
    r = BEFORE

    def __call__(self, x):
        return self.r * x * (1 - x)


def of_attribute():
    step = Logistic()
    return step, lambda: setattr(step, "r", AFTER)


CHANGES = {
    "global": lambda: of_global("step"), "global of a function that writes": lambda: of_global(
        "written"
    ), "helper": of_helper, "default": of_default, "code": of_code, "closure": of_closure,
    "partial": of_partial, "attribute": of_attribute,
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_derivatives_are_of_the_function_as_it_is(kind):
    # Until now steps were of the new function, and their derivatives of the old one.
    step, change = CHANGES[kind]()
    system = ln.Map(step, 1)
    x = np.array([[0.3], [0.2]])
    for r in (BEFORE, AFTER):
        slopes = r * (1 - 2 * x)
        assert_allclose(system.step(x), r * x * (1 - x))
        assert_allclose(system.jacobian(x[0]), slopes[:1])
        assert_allclose(system.jacobian(x), slopes[..., None])
        lam = ln.finite_time_exponents(system, x[0], np.eye(1), n_steps=1)
        assert_allclose(lam, np.log(slopes[0]))
        by_start = grad(lambda x0: ln.finite_time_exponents(system, x0, np.eye(1), n_steps=1)[0])(
            x[0]
        )
        assert_allclose(by_start, -2 * r / slopes[0])
        end = ln.lyapunov_spectrum(system, 2000, x0=[0.3], rng=0)
        assert_allclose(end.exponents, [np.log(abs(2 - r))], rtol=1e-9)
        points = ln.fixed_points(system, 10, x0=np.linspace(0.3, 0.6, 10)[:, None])
        assert_allclose(np.sort(points.points[:, 0])[-1], 1 - 1 / r, rtol=1e-9)
        assert_allclose(points.eigenvalues.real[np.argmax(points.points)], 2 - r, atol=1e-9)
        change()


COUNTED = """
count = 0
def r(now):
    return 3.2 if now % 2 else 3.7
def step(x):
    global count
    count += 1
    return [r(count) * x[0] * (1 - x[0])]
def next():
    global count
    count += 1
    return r(count)
def through(x): return [next() * x[0] * (1 - x[0])]
def closing():
    count = 0
    def step(x):
        nonlocal count
        count += 1
        return [r(count) * x[0] * (1 - x[0])]
    return step
closed = closing()
def harmless(x):
    global count
    count += 1
    return [3.7 * math.sin(x[0]) ** 2]
"""


def of_counter(name):
    scope = {"__name__": "notebook", "math": math}
    exec(COUNTED, scope)
    return ln.Map(scope[name], 1), scope


@pytest.mark.parametrize("name", ["step", "through", "closed"])
def test_functions_that_count_their_calls_are_refused(name):
    # Until now the number was that of the first call for ever, where it is global.
    with pytest.raises(ValueError, match="does not return the same when it is called twice"):
        ln.lyapunov_spectrum(of_counter(name)[0], 2000, x0=[0.3], rng=0)


def test_functions_may_count_what_they_do_not_use():
    system, scope = of_counter("harmless")
    s = ln.lyapunov_spectrum(system, 2000, x0=[0.3], rng=0)
    assert scope["count"] > 0
    once = ln.Map(lambda x: [3.7 * math.sin(x[0]) ** 2], 1)
    assert s.exponents == ln.lyapunov_spectrum(once, 2000, x0=[0.3], rng=0).exponents
    assert s.settings["engine"] == ("numpy" if missing() else "compiled")
    assert_allclose(system.jacobian(np.array([0.3])), [[3.7 * np.sin(0.6)]])


def halved(x, u=None, t=0.0):
    return 0.5 * x


class OfMap(ln.Map):
    step = halved


class OfNetwork(ln.VanillaRNN):
    def jacobian(self, x, u=None):
        return 0.5 * super().jacobian(x, u)


class OfFlow(ln.Flow):
    def pushforward(self, x, Q, u=None, t=0.0):
        return 0.5 * Q


def network(kind=ln.VanillaRNN):
    return kind(np.diag([0.5, 0.25]), np.zeros((2, 1)), np.zeros(2), activation="linear")


def with_attribute(system, name):
    setattr(system, name, halved)
    return system


REPLACED = {
    "step of a map": lambda: with_attribute(ln.Map(lambda x: x, 1), "step"),
    "jacobian of a flow": lambda: with_attribute(ln.catalog.lorenz63(), "jacobian"),
    "step of a network": lambda: with_attribute(network(), "step"),
    "class of maps": lambda: OfMap(lambda x: x, 1),
    "class of networks": lambda: network(OfNetwork),
    "class of flows": lambda: OfFlow(lambda x: -x, 1, dt=0.1),
}


@pytest.mark.parametrize("kind", REPLACED)
@pytest.mark.parametrize("run", [ln.lyapunov_spectrum, ln.alignment, ln.covariant_vectors])
def test_steps_that_runs_do_not_know_are_refused(kind, run):
    # Until now exponents were those without them.
    with pytest.raises(TypeError, match="which its runs do not call"):
        run(REPLACED[kind](), 100, x0=np.ones(3))


def test_networks_that_are_trained_have_their_own_steps():
    with pytest.raises(TypeError, match="`cell` is a VanillaRNN with another `jacobian`"):
        ln.floss(network(OfNetwork), 1, k=1, n_steps=5, rng=0)


class Own(ln.VanillaRNN):
    """One with runs of its own, in which its steps are known."""

    def orbit(self, x, inputs, n_steps):
        return super(ln.VanillaRNN, self).orbit(x, inputs, n_steps)

    def step(self, x, u=None):
        return 0.5 * super().step(x, u)

    def jacobian(self, x, u=None):
        return 0.5 * super().jacobian(x, u)

    def pushforward(self, x, Q, u=None):
        return self.jacobian(x, u) @ Q


def test_steps_that_runs_know_count():
    s = ln.lyapunov_spectrum(network(Own), 300, rng=0)
    assert_allclose(s.exponents, np.log([0.25, 0.125]), atol=1e-2)


def test_what_is_settled_is_refused_and_what_counts_counts():
    flow, cell, lorenz = ln.Flow(lambda x: -x, 1, dt=0.1), network(), ln.catalog.lorenz63()
    with pytest.raises(AttributeError, match="`method` of a Flow is settled"):
        flow.method = "euler"
    for system, name in ((cell, "W"), (lorenz, "rho")):
        with pytest.raises(AttributeError, match=f"`{name}` is one of the parameters"):
            setattr(system, name, 0.5)
    cell.params["W"] = np.diag([0.2, 0.1])
    lorenz.params["rho"] = 0.5
    flow.dt = 0.2
    found = [ln.lyapunov_spectrum(s, 5000, x0=np.full(s.dim, 0.1), rng=0) for s in (cell, lorenz)]
    assert_allclose(found[0].exponents, np.log([0.2, 0.1]), atol=0.01)
    assert_allclose(found[1].exponents[0], (np.sqrt(101) - 11) / 2, atol=0.01)
    assert ln.lyapunov_spectrum(flow, 100, x0=[1.0], rng=0).settings["dt"] == 0.2
