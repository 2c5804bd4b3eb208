"""What a user's function returns, and whether it is a function of its arguments."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def exponent(system, x0, **kwargs):
    return ln.lyapunov_spectrum(system, 200, x0=x0, k=1, rng=0, **kwargs).exponents


@pytest.mark.parametrize("engine", ["auto", "numpy"])
@pytest.mark.parametrize(
    "x0", [0.5, [0.5], [[0.5], [0.2], [0.1]]], ids=["number", "state", "three"]
)
def test_a_number_is_a_state_of_one_component(engine, x0):
    # Exact: -1 for the flows, log(1 / 2) for the map; broadcast wrongly they had exponents of 52.
    lead = np.shape(x0)[:-1]
    for method in ("rk4", "adaptive", "implicit"):
        flow = ln.Flow(lambda x: -x[0], 1, dt=0.1, method=method)
        flow = ln.compiled(flow, "numpy") if engine == "numpy" else flow
        assert_allclose(exponent(flow, x0), np.full((*lead, 1), -1), atol=1e-5)
    half = ln.Map(lambda x: 0.5 * x[0], 1, jacobian=lambda x: 0.5)
    half = ln.compiled(half, "numpy") if engine == "numpy" else half
    assert_allclose(exponent(half, x0), np.full((*lead, 1), np.log(0.5)))
    late = ln.DelayFlow(lambda x, late: -late[0], 1, delays=1.0, dt=0.1)
    same = ln.DelayFlow(lambda x, late: -late, 1, delays=1.0, dt=0.1)
    past = late.history(x0)
    assert_allclose(exponent(late, past), exponent(same, past))
    lam = ln.finite_time_exponents(half, x0, np.eye(1), n_steps=5)
    assert_allclose(lam, np.full((*lead, 1), np.log(0.5)))


@pytest.mark.parametrize("returned", [0, 1, 3], ids=["number", "one", "column"])
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_what_would_be_broadcast_is_refused(returned, engine):
    def wrong(x):  # of three components
        y = -x[0] * x[1]
        return [y, anp.array([y]), None, anp.reshape(-x, (3, 1))][returned]

    shape = {0: r"\(\)", 1: r"\(1,\)", 3: r"\(3, 1\)"}[returned]
    kinds = {
        "step": ln.Map(wrong, 3),
        "field": ln.Flow(wrong, 3, dt=0.1),
        "drift": ln.NoisyFlow(wrong, lambda x: 0.1, 3, dt=0.1),
    }
    for name, system in kinds.items():
        if engine == "numpy" and name != "drift":
            system = ln.compiled(system, "numpy")
        for x0 in (np.full(3, 0.5), np.full((4, 3), 0.5)):
            with pytest.raises(
                ValueError, match=rf"`{name}` must return .*\(3,\).*got shape {shape}"
            ):
                exponent(system, x0)
    late = ln.DelayFlow(lambda x, late: wrong(late), 3, delays=1.0, dt=0.1)
    with pytest.raises(ValueError, match=rf"`field` must return .*got shape {shape}"):
        exponent(late, late.history(np.ones(3)))
    flow = ln.Flow(lambda x: -x, 3, dt=0.1, jacobian=wrong)
    flow = ln.compiled(flow, "numpy") if engine == "numpy" else flow
    with pytest.raises(ValueError, match=rf"`jacobian` must return .*\(3, 3\).*got shape {shape}"):
        exponent(flow, np.full(3, 0.5))


def test_parameters_of_an_ensemble_want_states_of_one():
    a = np.linspace(1.0, 1.4, 5)

    def joined(x, a):
        return anp.array([1 - a * x[0] ** 2 + x[1], 0.3 * x[0]])

    def spread(x, a):
        return -a * x[0]

    for system, x0 in (
        (ln.Map(joined, 2, params=a), [0.1, 0.1]),
        (ln.Map(spread, 1, params=a), 0.1),
    ):
        with pytest.raises(ValueError, match="of an ensemble, give `x0` its axes in front"):
            ln.lyapunov_spectrum(system, 100, x0=x0)
    found = ln.lyapunov_spectrum(ln.Map(joined, 2, params=a), 100, x0=np.full((5, 2), 0.1), rng=0)
    assert found.exponents.shape == (5, 2)


def standard_map(s):
    """Write into the argument, as textbooks do."""
    s[1] = s[1] + 2 * np.sin(s[0])
    s[0] = (s[0] + s[1]) % (2 * np.pi)
    return s


def halved(x):
    x *= 0.5
    return x


@pytest.mark.parametrize("n_steps", [50, 5000])
def test_a_function_that_writes_into_its_argument_changes_no_state(n_steps):
    def pure(s):
        p = s[1] + 2 * np.sin(s[0])
        return np.array([(s[0] + p) % (2 * np.pi), p])

    runs = [
        ln.lyapunov_spectrum(ln.Map(f, 2), n_steps, x0=[0.5, 0.3], transient=0, rng=0).exponents
        for f in (standard_map, pure)
    ]
    # chaos keeps the last bits for some thirty steps
    assert_allclose(*runs, rtol=0, atol=1e-9 if n_steps == 50 else 0.05)
    assert runs[0][0] > 0.2
    s = ln.lyapunov_spectrum(ln.Map(halved, 2), n_steps, x0=[1.0, 1.0], rng=0)
    assert_allclose(s.exponents, np.log(0.5), rtol=1e-12)
    x = np.array([0.3])
    ln.Map(halved, 1).step(x)
    assert x == 0.3


def test_a_field_that_writes_into_its_argument_changes_no_stage():
    def field(x):
        x -= 0.1
        return -x

    states = ln.Flow(field, 1, dt=0.01).orbit(np.array([0.3]), None, 200).states
    assert_allclose(states[-1], 0.1 + 0.2 * np.exp(-2.0), rtol=1e-9)


class Alternating:
    """Grow and shrink in turn."""

    calls = 0

    def __call__(self, x):
        self.calls += 1
        return (3.0 if self.calls % 2 else 0.2) * x


@pytest.mark.parametrize("n_steps", [50, 5000])
@pytest.mark.parametrize("kind", ["counter", "noise"])
def test_what_is_no_function_of_the_state_is_refused(kind, n_steps):
    rng = np.random.default_rng(0)
    step = Alternating() if kind == "counter" else lambda x: 0.5 * x + rng.standard_normal()
    with pytest.raises(ValueError, match=r"`step` does not return the same .* `NoisyFlow`"):
        ln.lyapunov_spectrum(ln.Map(step, 1), n_steps, x0=[0.3], rng=0)


def test_scipys_order_of_arguments_is_named():
    flow = ln.Flow(lambda t, x: np.array([x[1], np.cos(t) - x[0]]), 2, dt=0.01, time=True)
    with pytest.raises(TypeError, match=r"field\(x, t\), the state first"):
        ln.lyapunov_spectrum(flow, 100, x0=[1.0, 1.0], rng=0)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"time": True}, "time t after x is there because of `time=True`"),
        ({"n_inputs": 1}, "an input u is there because of `n_inputs=`"),
        ({"params": 1.0}, "the argument p is there because of `params=`"),
    ],
)
def test_arguments_too_many_have_their_reason(how, said):
    with pytest.raises(TypeError, match=said) as info:
        ln.Flow(lambda x: -x, 1, dt=0.1, **how)
    assert "needs" not in str(info.value)


def test_a_number_in_the_place_of_components():
    with pytest.raises(TypeError, match=r"`driven` must be a sequence.*got 1"):
        ln.conditional_exponents(ln.catalog.lorenz63(), 1, 2000)
