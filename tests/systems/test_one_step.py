"""Single steps of many states, as users take them: as each by itself, in a few calls."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import jacobian
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

RNG = np.random.default_rng(0)
STATES, INPUTS = RNG.uniform(-1, 1, (4, 25, 2)), RNG.uniform(-1, 1, (4, 25, 1))


def system_of(kind, calls):
    """Return a system whose function counts its calls."""

    def step(x, *more):
        calls.append(1)
        u = more[0][0] if kind == "driven" else 0.0
        a = more[-1]["a"] if kind == "members" else 1.4
        late = more[0] if kind == "time" else 0.0
        return anp.array([1 - a * x[0] ** 2 + x[1] + u, 0.3 * x[0] * anp.cos(late)])

    if kind == "members":
        return ln.Map(step, 2, params={"a": np.linspace(1.0, 1.4, 100).reshape(4, 25)})
    if kind == "time":
        return ln.Flow(step, 2, dt=0.1, time=True)
    return ln.Map(step, 2, n_inputs=int(kind == "driven"))


@pytest.mark.parametrize("kind", ["plain", "driven", "time", "members"])
@pytest.mark.parametrize("what", ["step", "jacobian"])
def test_many_states_take_a_few_calls(kind, what):
    calls = []
    system = system_of(kind, calls)
    u = INPUTS if kind == "driven" else None
    more = {"t": 0.7} if kind == "time" else {}
    found = getattr(system, what)(STATES, u, **more)
    each = 400 if kind == "time" else 100  # a step of a flow has four stages
    assert len(calls) < 0.8 * each
    calls.clear()
    assert_array_equal(getattr(system, what)(STATES, u, **more), found)
    assert len(calls) < 0.6 * each
    for at in ((0, 0), (2, 13), (3, 24)):
        one = system_of(kind, [])
        if kind == "members":
            one = one.with_params({"a": one.params["a"][at]})
        alone = getattr(one, what)(STATES[at], None if u is None else u[at], **more)
        assert_allclose(found[at], alone, rtol=1e-12, atol=1e-14)


def test_what_does_not_run_on_many_states_is_called_for_each():
    def step(x):
        return anp.array([x[1], x[0]]) if x[0] > 0 else anp.array([x[1], 2 * x[0]])

    system, flat = ln.Map(step, 2), STATES.reshape(-1, 2)
    expected = np.where(flat[:, :1] > 0, flat[:, ::-1], flat[:, ::-1] * [1, 2])
    assert_allclose(system.step(STATES), expected.reshape(STATES.shape))


def test_steps_of_many_states_are_differentiated():
    system, x = system_of("plain", []), STATES[0, :3]
    whole = jacobian(system.step)(x)
    assert_allclose(whole[np.arange(3), :, np.arange(3)], system.jacobian(x))
    assert not whole[0, :, 1].any()
