"""Adam against its published recursion written out in scalars."""

import numpy as np
import pytest

import lyapnet as ln


def by_hand(x, gradients, lr, b1, b2, eps, decay):
    """Algorithm 1 of Kingma and Ba, with the decoupled decay of Loshchilov and Hutter."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        x = x - lr * (m_hat / (np.sqrt(v_hat) + eps) + decay * x)
    return x


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(
    ("b1", "b2", "eps"), [(0.9, 0.999, 1e-8), (0.5, 0.9, 0.1), (0.0, 0.0, 1e-3)]
)
def test_follows_the_published_recursion(b1, b2, eps, decay):
    rng = np.random.default_rng(0)
    params = {"W": rng.standard_normal((3, 2)), "b": np.array(0.5), "none": np.zeros((2, 0))}
    grads = [{name: rng.standard_normal(x.shape) for name, x in params.items()} for _ in range(7)]
    adam = ln.Adam(0.01, b1, b2, eps=eps, weight_decay=decay)
    got = params
    for g in grads:
        got = adam.update(got, g)
    for name, x in params.items():
        want = by_hand(x, [g[name] for g in grads], 0.01, b1, b2, eps, decay)
        np.testing.assert_allclose(got[name], want, rtol=1e-13)  # a few roundings per step
        assert got[name].shape == x.shape


def test_arguments_are_left_alone():
    params, grads = {"x": np.ones(3)}, {"x": np.full(3, 2.0)}
    ln.Adam().update(params, grads)
    assert (params["x"] == 1).all()
    assert (grads["x"] == 2).all()


def test_goes_on_from_its_state_bit_for_bit():
    rng = np.random.default_rng(1)
    grads = [{"x": rng.standard_normal(5)} for _ in range(10)]
    whole, params = ln.Adam(), {"x": np.ones(5)}
    for g in grads[:4]:
        params = whole.update(params, g)
    again, copied = ln.Adam().with_state(whole.state), whole.copy()
    results = []
    for adam in (whole, again, copied):
        x = params
        for g in grads[4:]:
            x = adam.update(x, g)
        results.append(x["x"])
        assert adam.t == 10
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


def test_state_is_a_copy():
    adam = ln.Adam()
    adam.update({"x": np.ones(2)}, {"x": np.ones(2)})
    before = adam.state
    adam.update({"x": np.ones(2)}, {"x": np.ones(2)})
    assert before.t == 1
    np.testing.assert_allclose(before.m["x"], 0.1)


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"learning_rate": -0.1}, "learning_rate"),
        ({"b1": 1.0}, "b1"),
        ({"b2": -0.1}, "b2"),
        ({"eps": 0.0}, "eps"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_bad_settings_are_named(kwargs, named):
    with pytest.raises(ValueError, match=named):
        ln.Adam(**kwargs)


def test_other_parameters_are_refused():
    adam = ln.Adam()
    adam.update({"x": np.ones(2)}, {"x": np.ones(2)})
    with pytest.raises(ValueError, match="use a new Adam"):
        adam.update({"x": np.ones(3)}, {"x": np.ones(3)})
    with pytest.raises(ValueError, match="one set of parameters"):
        ln.Adam().update({"x": np.ones(3)}, {"y": np.ones(3)})


@pytest.mark.parametrize("kind", [ln.Adam, ln.SOAP])
@pytest.mark.parametrize("size", [1e6, 1e155, 1e250])
def test_the_first_step_against_a_gradient_of_any_size_is_the_same(kind, size):
    W, g = np.eye(3), np.ones((3, 3))
    steps = [kind(0.01).update({"W": W}, {"W": s * g})["W"] for s in (1.0, size)]
    np.testing.assert_allclose(*steps, rtol=0, atol=1e-9)
    assert np.abs(steps[1] - W).max() > 5e-4
