"""Branches in Python, followed along all paths: what is chosen is what the function does."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln

pytest.importorskip("numba")


def tent(x):
    return x / 0.4 if x[0] < 0.4 else (1 - x) / 0.6


def baker(x):
    if x[0] < 0.3:
        return [x[0] / 0.3, 0.3 * x[1]]
    return [(x[0] - 0.3) / 0.7, 0.3 + 0.7 * x[1]]


def entropy(a):
    return -a * np.log(a) - (1 - a) * np.log(1 - a)


def nested(x):
    if x[0] < 0:
        a = 0.9 * x[1]
    elif x[0] < 0.5 and not x[1] > 0:
        a = max(x[1], -0.2)
    else:
        a = min(x[1], 0.1, 0.5 * x[0])
    b = abs(x[0]) if x[0] < 0.2 or x[1] > 0.05 else -x[0]
    return anp.array([1 - 1.2 * x[0] ** 2 + a, 0.3 * b])


def written_into(x):
    y = np.zeros_like(x)
    y[1] = 0.3 * x[0]
    if x[0] > 0:
        y[0] = 1 - 1.4 * x[0] ** 2 + x[1]
        return y
    y[0] = 1 - 1.3 * x[0] ** 2 + x[1]
    return y


def both(system, x0, n_steps=25, **given):
    """A short run by either engine: chaos has not set them apart."""
    found = []
    for engine in ("compiled", "numpy"):
        one = ln.compiled(system, engine)
        found.append(ln.lyapunov_spectrum(
            one, n_steps, x0=x0, transient=0, basis_transient=0, qr_interval=1, rng=0, **given
        ))  # fmt: skip
        assert found[-1].settings["engine"] == engine
    np.testing.assert_allclose(found[0].state, found[1].state, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found[0].log_growth, found[1].log_growth, rtol=1e-7, atol=1e-9)
    return found[0]


def test_piecewise_linear_maps_have_their_exact_exponents():
    s = ln.lyapunov_spectrum(ln.Map(tent, 1), 100_000, x0=[0.1234], rng=0)
    assert s.settings["engine"] == "compiled"
    low, high = s.confidence_interval(0.999)
    assert low[0] < entropy(0.4) < high[0]
    s = ln.lyapunov_spectrum(ln.Map(baker, 2), 100_000, x0=[0.1234, 0.4], rng=0)
    low, high = s.confidence_interval(0.999)
    assert (low < [entropy(0.3), -entropy(0.3)]).all()
    assert (high > [entropy(0.3), -entropy(0.3)]).all()


@pytest.mark.parametrize("step", [baker, nested])
@pytest.mark.parametrize("lead", [(), (7,)])
def test_both_engines_do_the_same(step, lead):
    both(ln.Map(step, 2), np.random.default_rng(0).uniform(0.05, 0.4, (*lead, 2)))


def test_elements_may_be_written_on_each_path():
    system = ln.compiled(ln.Map(written_into, 2))  # autograd does not take that
    s = ln.lyapunov_spectrum(system, 1000, x0=[0.1, 0.1], rng=0)
    assert s.exponents.sum() == pytest.approx(np.log(0.3), rel=1e-9)


def test_parameters_inputs_time_and_jacobians_may_decide():
    def step(x, t, u, p):
        a = p["a"] if p["a"] > 0.5 else -p["a"]
        if t % 2 < 1:
            a = a + 0.1
        return [0.8 - a * x[0] ** 2 + x[1] if u[0] > 0 else 0.7 - a * x[0] ** 2, 0.3 * x[0]]

    def jacobian(x, t, u, p):
        a = (p["a"] if p["a"] > 0.5 else -p["a"]) + (0.1 if t % 2 < 1 else 0.0)
        return [[-2 * a * x[0], 1.0 if u[0] > 0 else 0.0], [0.3, 0.0]]

    u = np.random.default_rng(1).normal(size=(25, 1))
    for a in (1.0, 0.3):
        given = {"n_inputs": 1, "time": True, "params": {"a": a}}
        plain, own = (ln.Map(step, 2, jacobian=j, **given) for j in (None, jacobian))
        found = [both(one, np.array([0.1, 0.1]), inputs=u) for one in (plain, own)]
        np.testing.assert_allclose(found[0].log_growth, found[1].log_growth, rtol=1e-9)


def test_a_condition_that_is_asked_for_again_has_the_same_answer():
    calls = []

    def step(x):
        calls.append(1)
        y = [0.5 * x[0] if x[0] > 0.2 else 0.4 * x[0] for _ in range(10)]  # two paths, not 2^10
        return [0.3 + sum(y) / 10]

    found = ln.compiled(ln.Map(step, 1))
    assert len(calls) < 10
    both(found, np.array([0.1]))


def spike(V):
    """Advance phases to the next spike, that of the largest, and reset it."""
    i = anp.argmax(V)
    V = V + (1 - V[i])
    V = V + COUPLING[:, i] * anp.sin(2 * np.pi * V) ** 2
    return V - np.eye(5)[i]


COUPLING = np.random.default_rng(0).normal(0, 0.1, (5, 5))


@pytest.mark.parametrize("lead", [(), (7,)])
def test_the_place_of_an_extreme_may_be_an_index(lead):
    x0 = np.random.default_rng(1).uniform(size=(*lead, 5))
    both(ln.Map(spike, 5), x0, k=4)
    both(ln.Map(lambda x: 1 - spike(1 - x)[:: 1 - 2 * int(x[0] > 2)], 5), x0, k=4)
    last = lambda x: anp.roll(0.9 * anp.sin(x + x[x.argmin()]), 1) * (1.0 + float(x[0] > x[1]))
    both(ln.Map(last, 5), x0)


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_of_branches(seed):
    draw = np.random.default_rng(seed)

    def tree(depth):
        w, c = draw.normal(size=3), draw.normal(size=(2, 3)) * 0.4
        if depth == 0 or draw.uniform() < 0.2:
            return lambda x: [anp.tanh(c[i, 0] * x[0] + c[i, 1] * x[1] + c[i, 2]) for i in range(2)]
        yes, no = tree(depth - 1), tree(depth - 1)
        return lambda x: yes(x) if w[0] * x[0] + w[1] * x[1] > 0.3 * w[2] else no(x)

    both(ln.Map(tree(4), 2), draw.uniform(-1, 1, (5, 2)), 15)


def endless(x):
    y = 2.5 * x[0]
    while y > 1:
        y = y - 1
    return [y]


def many(x):
    y = 0.0
    for i in range(7):
        y = y + (0.1 if x[0] > 0.1 * i else 0.05)
    return [y + 0.1 * x[0]]


def of_two_shapes(x):
    return [x[0]] if x[0] > 0.5 else [x[0], x[0]]


def asserted(x):
    assert x[0] > 0
    return 0.5 * x + 0.1


@pytest.mark.parametrize(("step", "why"), [
    (endless, "more than 64 conditions"), (many, "more than 64 paths"), (of_two_shapes, "shape"),
    (asserted, "AssertionError"), (lambda x: x[: int(x[0])], "index"),
])  # fmt: skip
def test_what_cannot_be_followed_is_numpy_s_and_says_why(step, why):
    with pytest.raises(TypeError, match=why):
        ln.compiled(ln.Map(step, 1))


def test_loops_that_end_as_the_state_says_run_on_many_states():
    s = ln.lyapunov_spectrum(ln.Map(endless, 1), 5000, x0=[0.3], rng=0)
    assert s.settings["engine"] == "numpy"
    assert "more than 64 conditions" in s.settings["engine_reason"]
    assert s.exponents[0] == pytest.approx(np.log(2.5), rel=1e-12)


def caught(x):
    try:
        i = int(3 * x[0])
    except Exception:
        i = 0
    return anp.array([1 - 1.4 * x[0] ** 2 + x[1] + 0.01 * i, 0.3 * x[0]])


def caught_elsewhere(x):
    try:
        a = abs(np.fft.fft(x)[0 if x[0] > 0 else 1])
    except TypeError:
        a = 7.0
    return anp.array([0.1 * a + x[1], 0.3 * x[0]])


@pytest.mark.parametrize("step", [caught, caught_elsewhere])
def test_a_function_that_catches_a_refusal_is_refused(step):
    """It was compiled as it goes on then, and no one was told."""
    with pytest.raises(TypeError, match="cannot be compiled"):
        ln.compiled(ln.Map(step, 2, jacobian=lambda x: [[0.0, 1.0], [0.3, 0.0]]))


def caught_condition(x):
    try:
        return 0.5 * x if x[0] > 0 else 0.4 * x + 0.1
    except Exception:
        return 0.0 * x


def test_a_function_that_catches_what_a_condition_raises_goes_on_apart():
    x0 = np.random.default_rng(0).normal(size=(9, 1))
    system = ln.compiled(ln.Map(caught_condition, 1), "numpy")
    s = ln.lyapunov_spectrum(system, 5, x0=x0, transient=0, basis_transient=0, rng=0)
    expected = x0
    for _ in range(5):
        expected = np.where(expected > 0, 0.5 * expected, 0.4 * expected + 0.1)
    np.testing.assert_allclose(s.state, expected, rtol=1e-14)
