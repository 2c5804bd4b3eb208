"""Stacks of cells: step and Jacobian by autograd, gradients of exponents by finite differences."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, jacobian
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.training.bptt import evaluate
from lyapnet.training.network import Batch, Network


def cells(rng):
    """Return one layer of each kind, with all that can be set."""
    vanilla = ln.VanillaRNN.random(4, n_inputs=2, bias=0.3, gain=1.5, leak=0.7, rng=rng)
    lstm = ln.LSTM.random(3, n_inputs=4, bias=1.0, gain=2.0, rng=rng)
    drawn = ln.GRU.random(3, n_inputs=3, gain=2.0, rng=rng).params
    after = ln.GRU(**{**drawn, "c": rng.standard_normal(3)})
    before = ln.GRU.random(2, n_inputs=3, gain=2.0, reset_after=False, rng=rng)
    relu = ln.VanillaRNN.random(3, n_inputs=2, activation="relu", rng=rng)
    return [vanilla, lstm, after, before, relu]


@pytest.fixture
def stack():
    return ln.Stack(cells(np.random.default_rng(0)))


def test_each_layer_sees_the_new_output_below(stack):
    rng = np.random.default_rng(1)
    x, u = rng.standard_normal(stack.dim), rng.standard_normal(2)
    new = stack.split(stack.step(x, u))
    for i, (cell, h) in enumerate(zip(stack.cells, stack.split(x), strict=True)):
        np.testing.assert_array_equal(new[i], cell.step(h, u))
        u = cell.output(new[i])
    np.testing.assert_array_equal(stack.output(stack.step(x, rng.standard_normal(2))).shape, (3,))
    assert stack.n_outputs == 3


@pytest.mark.parametrize("i", range(6))
def test_input_jacobian_is_the_derivative_of_the_step(i):
    rng = np.random.default_rng(2)
    layers = cells(rng)
    cell = [*layers, ln.Stack(layers)][i]
    x, u = rng.standard_normal((6, cell.dim)), rng.standard_normal((6, cell.n_inputs))
    for h, v in zip(x, u, strict=True):
        exact = jacobian(lambda v, h=h: cell.step(h, v))(v)
        np.testing.assert_allclose(cell.input_jacobian(h, v), exact, atol=1e-14)
    many = np.broadcast_to(cell.input_jacobian(x, u), (6, cell.dim, cell.n_inputs))
    np.testing.assert_allclose(many[2], cell.input_jacobian(x[2], u[2]), atol=1e-14)


def test_jacobian_is_the_derivative_of_the_step(stack):
    rng = np.random.default_rng(3)
    x, u = rng.standard_normal((5, stack.dim)), rng.standard_normal((5, 2))
    D, Q = stack.jacobian(x, u), rng.standard_normal((5, stack.dim, 4))
    for s in range(5):
        exact = jacobian(lambda h, s=s: stack.step(h, u[s]))(x[s])
        np.testing.assert_allclose(D[s], exact, atol=1e-13)
    np.testing.assert_allclose(stack.pushforward(x, Q, u), D @ Q, atol=1e-13)
    assert (D[:, :4, 4:] == 0).all()


def test_orbit_is_the_iterated_step(stack):
    rng = np.random.default_rng(4)
    x, u = rng.standard_normal((3, stack.dim)), rng.standard_normal((7, 1, 2))
    orbit = stack.orbit(x, u, 7)
    for s in range(7):
        np.testing.assert_allclose(
            orbit.states[s + 1], stack.step(orbit.states[s], u[s]), rtol=1e-12
        )
    np.testing.assert_allclose(orbit.jacobians, stack.jacobian(orbit.states[:-1], u))


def test_sum_of_exponents_is_the_mean_log_determinant(stack):
    smooth = ln.Stack(stack.cells[:4])  # a ReLU's Jacobian is singular
    inputs = np.random.default_rng(5).standard_normal((600, 2))
    found = ln.check_invariants(smooth, 400, inputs=inputs, rng=0)
    assert found.passed, found


@pytest.mark.parametrize("name", ["layer0.W", "layer0.V", "layer1.W", "layer2.c", "layer3.V"])
def test_gradient_of_exponents_against_finite_differences(stack, name):
    rng = np.random.default_rng(6)
    smooth = ln.Stack(stack.cells[:4])
    x, u = rng.standard_normal(smooth.dim), rng.standard_normal((9, 2))
    basis = np.linalg.qr(rng.standard_normal((smooth.dim, 5)))[0]
    slope = rng.standard_normal(smooth.params[name].shape)

    def loss(t):
        params = {**smooth.params, name: smooth.params[name] + t * slope}
        lam = ln.finite_time_exponents(smooth.with_params(params), x, basis, inputs=u)
        return anp.sum(lam * anp.arange(1, 6))

    step = 1e-5
    expected = (loss(step) - loss(-step)) / (2 * step)
    np.testing.assert_allclose(grad(loss)(0.0), expected, rtol=1e-6)


def test_ensemble_of_networks_is_its_members():
    rng = np.random.default_rng(7)
    W, V, b = rng.standard_normal((3, 4, 4)), rng.standard_normal((4, 1)), np.zeros(4)
    above = ln.GRU.random(2, n_inputs=4, rng=rng)
    many = ln.Stack([ln.VanillaRNN(W, V, b), above])
    x, u = rng.standard_normal(6), rng.standard_normal(1)
    assert many.networks == (3,)
    for i in range(3):
        one = ln.Stack([ln.VanillaRNN(W[i], V, b), above])
        np.testing.assert_allclose(many.step(x, u)[i], one.step(x, u), rtol=1e-13)
        np.testing.assert_allclose(many.jacobian(x, u)[i], one.jacobian(x, u), rtol=1e-12)


def test_floss_train_save_and_nest(stack, tmp_path):
    again = ln.load(stack.save(tmp_path / "stack.npz"))
    assert {k: v.tolist() for k, v in again.params.items()} == {
        k: v.tolist() for k, v in stack.params.items()
    }
    nested = ln.Stack([ln.Stack(stack.cells[:2]), *stack.cells[2:]])
    assert nested.cells == stack.cells
    pair = ln.Stack([ln.GRU.random(6, rng=0), ln.VanillaRNN.random(5, n_inputs=6, rng=1)])
    r = ln.floss(pair, 40, k=2, n_steps=20, optimizer=ln.Adam(0.01), rng=0)
    assert r.loss[-5:].mean() < 0.3 * r.loss[:5].mean()
    trained = ln.train(pair, ln.tasks.DelayedCopy(1), 5, n_steps=8, batch_size=2, rng=0)
    assert np.isfinite(trained.loss).all()


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"cells\[1\]. has n_inputs=1, but the cell below has 4"):
        ln.Stack([ln.GRU.random(4, rng=0), ln.GRU.random(4, rng=0)])
    with pytest.raises(ValueError, match="at least one"):
        ln.Stack([])
    with pytest.raises(TypeError, match="must be cells"):
        ln.Stack([ln.catalog.henon()])


@pytest.mark.parametrize("top", [ln.LSTM, ln.GRU, ln.VanillaRNN])
def test_a_readout_sees_the_highest_layer_and_its_gradient_reaches_the_lowest(top):
    rng = np.random.default_rng(3)
    highest = top.random(4, n_inputs=3, rng=rng)
    stack = ln.Stack([ln.GRU.random(3, rng=rng), highest])
    task = ln.tasks.TemporalXOR(2)
    trained = ln.train(stack, task, 0, n_steps=9, batch_size=2, rng=0)
    assert trained.readout[0].shape == (1, 4)
    u, y, _ = task.sample(9, 2, rng)
    states = stack.orbit(np.broadcast_to(trained.x0, (2, stack.dim)), u, 9).states
    h = states[1:, :, 3:7]
    assert_allclose(trained.outputs(u), h @ trained.readout[0].T + trained.readout[1])

    network = Network(stack, trained.readout, trained.x0)
    batch = Batch(u, y, np.ones((9, 2)))
    grads = evaluate(network, batch, "cross_entropy").grads
    params = network.params
    assert set(grads) == set(params)
    for name, x in params.items():
        step = 1e-6 * rng.standard_normal(x.shape)
        both = [
            evaluate(network.with_params({**params, name: x + s * step}), batch, "cross_entropy")
            for s in (1, -1)
        ]
        numeric = (both[0].loss - both[1].loss) / 2
        assert_allclose(np.sum(grads[name] * step), numeric, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("kind", [ln.VanillaRNN, ln.LSTM, ln.GRU])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_an_orbit_takes_the_first_of_more_inputs_than_it_has_steps(kind, lead):
    rng = np.random.default_rng(0)
    cell = kind.random(5, rng=rng)
    inputs, x = rng.standard_normal((9, *lead, 1)), rng.standard_normal((*lead, cell.dim))
    found = cell.orbit(x, inputs, 4).states
    assert np.array_equal(found, cell.orbit(x, inputs[:4], 4).states)


def test_layers_keep_their_engine_with_other_parameters(stack):
    fast = stack.with_loops(16, 10**6)
    used = [cell.engine_used for cell in fast.cells]
    assert [cell.engine_used for cell in fast.with_params(stack.params).cells] == used
