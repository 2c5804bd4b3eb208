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


def buffered(function):
    """Return a function that does the same, and returns one array in every call."""
    kept = {shape: np.zeros(shape) for shape in ((1,), (2,), (2, 1), (2, 2))}

    def filled(*args):
        y = function(*args)
        kept[np.shape(y)][...] = y
        return kept[np.shape(y)]

    return filled


def henon(x):
    return [1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]


def henon_jacobian(x):
    return [[-2.8 * x[0], 1.0], [0.3, 0.0]]


def pendulum(x):
    return [x[1], -np.sin(x[0]) - 0.1 * x[1]]


def pendulum_jacobian(x):
    return [[0.0, 1.0], [-np.cos(x[0]), -0.1]]


def owners(wrap):
    """Return objects with the protocol's members, whose results are `wrap`ped."""
    members = {
        "step": wrap(henon),
        "jacobian": wrap(henon_jacobian),
        "pushforward": wrap(lambda x, Q: henon_jacobian(x) @ Q),
    }
    for parents in ((), (ln.System,)):
        for derivative in ("jacobian", "pushforward"):
            own = {name: staticmethod(members[name]) for name in ("step", derivative)}
            yield type("Own", parents, {"dim": 2, **own})()


def users_systems(wrap):
    yield ln.Map(wrap(henon), 2, jacobian=wrap(henon_jacobian))
    yield ln.Map(lambda x: anp.array(henon(x)), 2, jacobian=wrap(henon_jacobian))
    for method in ("rk4", "adaptive", "implicit"):
        yield ln.Flow(wrap(pendulum), 2, dt=0.1, method=method, jacobian=wrap(pendulum_jacobian))


def systems_of(wrap):
    return [*users_systems(wrap), *owners(wrap)]


ONE, TWO = [0.1, 0.1], [[0.1, 0.1], [0.2, 0.1]]


@pytest.mark.parametrize(
    ("which", "x0"), [*((i, ONE) for i in range(9)), *((i, TWO) for i in range(5))]
)
def test_one_array_that_is_returned_again_and_again(which, x0):
    # Hénon's exponents were .97 instead of .42 with one array for all Jacobians.
    found = [
        ln.lyapunov_spectrum(systems_of(wrap)[which], 20, x0=x0, transient=0, rng=0).exponents
        for wrap in (buffered, lambda f: lambda *a: np.array(f(*a)))
    ]
    assert_allclose(*found, rtol=1e-9)


def test_jacobians_of_several_states_are_those_of_each():
    many = np.random.default_rng(0).standard_normal((3, 2, 2))
    for which in (0, 2, 3, 4):
        one, other = (systems_of(wrap)[which].jacobian(many) for wrap in (buffered, lambda f: f))
        assert_allclose(one, other, rtol=1e-12)


def test_delayed_and_noisy_functions_may_return_one_array_too():
    def late(wrap):
        flow = ln.DelayFlow(wrap(lambda x, late: -late), 1, delays=1.0, dt=0.1)
        return flow.orbit(flow.history([1.0]), None, 40).last

    def noisy(wrap):
        parts = wrap(lambda x: -x), wrap(lambda x: 0.3 * x)
        flow = ln.NoisyFlow(*parts, 2, dt=0.01)
        return flow.orbit(np.ones(2), flow.increments(40, rng=0), 40).last

    for run in (late, noisy):
        assert_allclose(run(buffered), run(lambda f: f), rtol=1e-12)


def test_a_loop_around_a_map_whose_jacobian_is_one_array():
    def exponents(wrap):
        cell = ln.Map(
            lambda x, u: anp.array([1 - 1.4 * x[0] ** 2 + x[1] + u[0], 0.3 * x[0]]),
            2, n_inputs=1, jacobian=wrap(lambda x, u: henon_jacobian(x)),
        )  # fmt: skip
        loop = ln.ClosedLoop(cell, [[0.05, 0.0]])
        return ln.lyapunov_spectrum(loop, 20, x0=[0.1, 0.1], transient=0, rng=0).exponents

    assert_allclose(exponents(buffered), exponents(lambda f: f), rtol=1e-9)


@pytest.mark.parametrize("parents", [(), (ln.System,)])
def test_an_object_may_write_into_its_arguments(parents):
    def pushed(x, Q):
        Q *= 0.5
        return Q

    parts = {"dim": 2, "step": staticmethod(halved), "pushforward": staticmethod(pushed)}
    own = type("Own", parents, parts)()
    s = ln.lyapunov_spectrum(own, 50, x0=[1.0, 1.0], transient=0, rng=0)
    assert_allclose(s.exponents, np.log(0.5), rtol=1e-12)
    assert_allclose(s.state, 0.5 ** (50 + s.settings["basis_transient"]), rtol=1e-12)
