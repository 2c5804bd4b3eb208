"""Functions of which something changes between calls, as globals do from cell to cell.

Of x' = r x (1 - x) all is known: the slope r (1 - 2 x), the fixed point 1 - 1/r, its slope 2 - r.
"""

import functools
import types

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln

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
        by_start = grad(
            lambda x0: ln.finite_time_exponents(system, x0, np.eye(1), n_steps=1)[0]  # noqa: B023
        )(x[0])
        assert_allclose(by_start, -2 * r / slopes[0])
        end = ln.lyapunov_spectrum(system, 2000, x0=[0.3], rng=0)
        assert_allclose(end.exponents, [np.log(abs(2 - r))], rtol=1e-9)
        points = ln.fixed_points(system, 10, x0=np.linspace(0.3, 0.6, 10)[:, None])
        assert_allclose(np.sort(points.points[:, 0])[-1], 1 - 1 / r, rtol=1e-9)
        assert_allclose(points.eigenvalues.real[np.argmax(points.points)], 2 - r, atol=1e-9)
        change()
