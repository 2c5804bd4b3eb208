"""Random functions as users write them: compiled runs are NumPy's, failures included.

``LYAPNET_EXAMPLES=500`` tries so many random systems instead of a few.
"""

import os

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

from .engines import on_arrays

pytest.importorskip("numba")

#: What a component may be made of: a, b, c stand for components, v for a vector.
ONE = (
    "({a} + {b})", "({a} - {b})", "({a} * {b})", "{a} / (1 + {b} ** 2)", "np.sin({a})",
    "np.cos({a})", "np.tanh({a})", "np.exp(-({a} ** 2))", "np.sqrt(1 + {a} ** 2)", "np.arctan({a})",
    "np.log(1.5 + np.sin({a}))", "abs({a})", "-{a}", "np.where({a} > {b}, {c}, {a})",
    "np.where(({a} < {b}) & ({a} > -1), {b}, 0.5 * {c})", "np.maximum({a}, {b})",
    "np.minimum({a}, {b})", "{a} % 1.5", "np.sign({a}) * {b}", "np.floor({a}) + {b}", "np.sum({v})",
    "np.dot({v}, x)", "({v})[0]", "np.mean({v})", "np.max({v})", "({v})[-1:].sum()",
)  # fmt: skip

#: And a vector.
MANY = (
    "({v} + {w})", "({v} - {w})", "({v} * {w})", "{a} * {v}", "({v} + {a})", "np.roll({v}, 1)",
    "np.roll({v}, -2)", "({v})[::-1]", "np.sin({v})", "np.tanh({v})", "p['M'] @ ({v})",
    "np.dot({v}, p['M'])", "np.where({v} > {a}, {w}, {v})", "np.abs({v})", "np.cumsum({v})",
    "np.concatenate([({v})[1:], ({v})[:1]])", "np.maximum({v}, {w})", "({v}) ** 2", "1.0 - {v}",
    "np.einsum('ij,j->i', p['M'], {v})",
)  # fmt: skip

#: The last function keeps states bounded, or does not.
WHOLE = ("1.7 * np.tanh({v})", "np.sin(2 * ({v}))", "({v}) % 1.0", "0.8 * x + 0.3 * ({v})", "{v}")


@st.composite
def functions(draw, n, inputs, time):
    """Draw the text of a vector that depends on x, u, t and p."""

    def one(depth):
        if depth:
            return draw(st.sampled_from(ONE)).format_map(Parts(depth - 1))
        leaves = [f"x[{draw(st.integers(0, n - 1))}]", "p['a']", "p['b'][1]"]
        leaves += [f"({round(draw(st.floats(-2, 2)), 2)})"]  # -2 ** 2 is no square
        leaves += [f"u[{inputs - 1}]"] if inputs else []
        leaves += ["t"] if time else []
        return draw(st.sampled_from(leaves))

    def many(depth):
        if depth:
            return draw(st.sampled_from(MANY)).format_map(Parts(depth - 1))
        parts = ", ".join(one(1) for _ in range(n))
        return draw(st.sampled_from(["x", "x", f"np.array([{parts}])"]))

    class Parts(dict):
        def __init__(self, depth):
            self.depth = depth

        def __missing__(self, name):
            return many(self.depth) if name in "vw" else one(self.depth)

    return draw(st.sampled_from(WHOLE)).format(v=many(draw(st.integers(1, 3))))


@st.composite
def systems(draw):
    """Draw a map or flow, with its dimension, its ensemble and its text."""
    n, inputs, time = draw(st.integers(1, 4)), draw(st.integers(0, 2)), draw(st.booleans())
    members = draw(st.sampled_from([(), (6,), (9,), (2, 7)]))
    body = draw(functions(n, inputs, time))
    names = ["x", *(["t"] if time else []), *(["u"] if inputs else []), "p"]
    function = eval(f"lambda {', '.join(names)}: {body}", {"np": anp, "abs": abs})
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    own = members if draw(st.booleans()) else ()
    params = {
        "a": rng.standard_normal(own), "b": rng.standard_normal((*own, 3)),
        "M": rng.standard_normal((*own, n, n)),
    }  # fmt: skip
    options = {"n_inputs": inputs, "params": params, "time": time}
    if draw(st.booleans()):
        system = ln.Map(function, n, **options)
    else:
        method = draw(st.sampled_from(["euler", "heun", "rk4"]))
        system = ln.Flow(function, n, dt=0.05, method=method, **options)
    x0 = rng.standard_normal((*members, n))
    u = rng.standard_normal((44, n and inputs)) if inputs else None
    return system, x0, u, body


def outcome(system, engine, **options):
    """Return the spectrum of a run, or the failure with the spectrum before it."""
    try:
        s = ln.lyapunov_spectrum(ln.compiled(system, engine), 40, **options)
    except TypeError as error:
        assume("NumPy cannot tell what it decides" not in str(error))
        raise
    except ln.LyapnetError as error:
        return (type(error).__name__, error.step), error.partial
    return ("reservations" if s.settings["reservations"] else "", 0), s


@pytest.mark.filterwarnings("ignore:these exponents are unreliable")
@pytest.mark.filterwarnings("ignore:`(step|field)` is called for one state after the other")
@settings(
    max_examples=int(os.environ.get("LYAPNET_EXAMPLES", "30")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    case=systems(),
    k=st.integers(1, 4),
    interval=st.sampled_from([1, 3, 8, "auto"]),
    record=st.booleans(),
    tol=st.sampled_from([None, 0.1]),
    lenient=st.booleans(),
    seed=st.integers(0, 2**20),
    whole=st.booleans(),
)
def test_random_systems(case, k, interval, record, tol, lenient, seed, whole):
    """Both engines find the same, or fail alike, written on numbers or on whole arrays."""
    with pytest.MonkeyPatch.context() as patch:
        on_arrays(patch, whole)
        compare(case, k, interval, record, tol, lenient, seed)


def compare(case, k, interval, record, tol, lenient, seed):
    system, x0, inputs, _ = case
    assume(not isinstance(system, ln.Flow) or "may jump" not in system.cannot_compile())
    options = {
        "k": min(k, x0.shape[-1]), "x0": x0, "inputs": inputs, "transient": 1, "basis_transient": 3,
        "qr_interval": interval, "record": record, "tol": tol, "rng": seed,
        "on_divergence": "nan" if lenient and x0.ndim > 1 else "raise",
    }  # fmt: skip
    (found, a), (expected, b) = (outcome(system, e, **options) for e in ("compiled", "numpy"))
    reliable = trusted(a, found) and trusted(b, expected)
    if reliable:
        assert found == expected
    if a is None or b is None or (not reliable and len(a.times) != len(b.times)):
        return
    assert a.settings["qr_interval"] == b.settings["qr_interval"]
    assert_array_equal(a.times, b.times)
    if record:
        same_growth(a.log_growth, b.log_growth)
    if record and reliable:
        assert_allclose(a.state, b.state, rtol=1e-4, atol=1e-6)


#: Growth of errors, in nats, up to which engines that round otherwise are held against each other.
_MOST = 12.0

#: Growth of tangent vectors, in nats, below which it may be the rounding of a derivative: that of
#: tanh, 1 - y^2, has hardly a digit left at 1e-15.
_LEAST = -18.0


def errors(growth):
    """Return how much errors of states have grown after each block."""
    lead = np.where(np.isfinite(growth), growth, 0.0).reshape(len(growth), -1, growth.shape[-1])
    return np.cumsum(np.maximum(lead.max(axis=-1), 0.0), axis=0).max(axis=-1)


def trusted(s, said):
    """Say whether rounding cannot have changed how a run ends."""
    if said[0] == "reservations" or s is None:
        return said[0] != "reservations"
    growth = s.log_growth
    return len(growth) > 0 and errors(growth)[-1] < _MOST and growth.min() > _LEAST


def same_growth(a, b):
    """Compare growth up to where a vector is gone, or rounding has grown."""
    usable = min(len(a), len(b), int(np.searchsorted(errors(b), _MOST)))
    if not usable:
        return
    # Members that have diverged are NaN, and do not hide others whose vectors are gone.
    least = np.array([np.fmin.reduce(x[:usable].reshape(usable, -1), axis=1) for x in (a, b)])
    end = int(np.argmax([*(least.min(axis=0) < _LEAST), True]))
    assert (least[:, end : end + 1] < 0.8 * _LEAST).all()
    a, b = a[:end], b[:end]
    spread = np.fmax.reduce(np.exp(np.ptp(b, axis=-1)), axis=None, initial=1.0)
    assert_allclose(a, b, rtol=1e-6, atol=min(1e-9 * spread + 1e-8, 1.0))
