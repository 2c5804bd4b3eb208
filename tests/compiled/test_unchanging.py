"""What is written down once is written down again as soon as it may be something else."""

import functools
import math
import types

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.compiled.unchanging import made_of

RATE = 3.7
SHAPE = [3.7]


class Holder:
    rate = 3.7


MODULE = types.ModuleType("constants")
MODULE.rate = 3.7
HOLDER = Holder()


def by_global(x):
    return RATE * x * (1 - x)


def by_function(x):
    return by_global(x)


def attributed(x):
    return 3.7 * x * (1 - x)


attributed.rate = 3.7


def by_default(x, rate=SHAPE):
    return rate[0] * x * (1 - x)


def change_global(rate):
    global RATE
    RATE = rate


def closures():
    """Return functions over what changes, each with what changes it."""
    rate, many, array = 3.7, [3.7], np.array([3.7])

    def set_rate(new):
        nonlocal rate
        rate = new

    return {
        "cell": (lambda x: rate * x * (1 - x), set_rate),
        "list": (lambda x: many[0] * x * (1 - x), lambda new: many.__setitem__(0, new)),
        "array": (lambda x: array * x * (1 - x), lambda new: array.__setitem__(0, new)),
        "object": (lambda x: HOLDER.rate * x * (1 - x), lambda r: setattr(HOLDER, "rate", r)),
        "module": (lambda x: MODULE.rate * x * (1 - x), lambda r: setattr(MODULE, "rate", r)),
        "global": (by_global, change_global),
        "called": (by_function, change_global),
        "default": (by_default, lambda r: SHAPE.__setitem__(0, r)),
    }


@pytest.mark.parametrize("name", closures())
def test_what_changes_is_noticed(name):
    pytest.importorskip("numba")
    function, change = closures()[name]
    system = ln.compiled(ln.Map(function, 1))
    run = functools.partial(ln.lyapunov_spectrum, n_steps=300, x0=[0.3], rng=0, qr_interval=1)
    found = []
    for rate in (3.7, 3.9, 3.7):
        change(rate)
        other = run(ln.compiled(ln.Map(function, 1), "numpy"))  # made now
        found.append(run(system).exponents)
        np.testing.assert_allclose(found[-1], other.exponents, rtol=1e-6)
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("kind", ["map", "flow"])
def test_what_cannot_change_is_written_once(kind, monkeypatch):
    pytest.importorskip("numba")
    from lyapnet.compiled import loop

    written = []
    monkeypatch.setattr(loop, "_known", {})
    original = loop.program
    monkeypatch.setattr(loop, "program", lambda *x: written.append(1) or original(*x))

    def system(gain):
        if kind == "map":
            return ln.Map(lambda x, p: np.array([1 - p["a"] * x[0] ** 2]), 1, params={"a": gain})
        return ln.Flow(lambda x, p: -p["a"] * np.tanh(x), 1, dt=0.1, params={"a": gain})

    for gain in (1.5, 1.6):
        for _ in range(2):
            ln.lyapunov_spectrum(system(gain), 300, x0=[0.3], rng=0)
    assert len(written) == 1
    # per member they are another thing, and so is another method or structure
    ln.lyapunov_spectrum(system(np.array([1.5, 1.6])), 300, x0=np.full((2, 1), 0.3), rng=0)
    assert len(written) <= 2


def test_what_is_made_of_the_same_is_the_same():
    def with_rate(rate):
        return lambda x: rate * np.sin(x) + math.pi

    assert made_of(with_rate(1.0)) == made_of(with_rate(1.0)) is not None
    assert made_of(with_rate(1.0)) != made_of(with_rate(2.0))
    assert made_of(with_rate(1.0)) != made_of(with_rate(1))
    assert made_of(with_rate(0.0)) != made_of(with_rate(-0.0))
    assert made_of(lambda x: 1 * x) != made_of(lambda x: 1.0 * x)
    for name in ("henon", "lorenz63", "roessler", "standard"):
        assert made_of(getattr(ln.catalog, name)()._given[0]) is not None, name


def importing(x):
    import random

    return random.random() * x


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.random.rand() * x,  # noqa: NPY002 - what it must notice
        lambda x: anp.random.rand() * x,
        lambda x: np.load("parameters.npy") * x,
        lambda x: float(open("rate").read()) * x,  # noqa: SIM115  # as users write it
        lambda x: globals()["RATE"] * x,
        importing,
        attributed,
        functools.partial(pow, 2.0),
        HOLDER.__init__,
        np.sin,
        abs,
        Holder,
    ],
)
def test_what_may_change_is_not_known(function):
    assert made_of(function) is None
