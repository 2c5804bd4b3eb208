"""Networks, and results that hold them, in other processes: by Python's pickle."""

import copy
import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lyapnet as ln


def phi(h):
    return h / (1 + h**2) ** 0.5


def slope(h):
    return (1 + h**2) ** -1.5


CELLS = {
    **{f"vanilla {name}": ln.VanillaRNN.random(5, activation=name, rng=0)
       for name in ("tanh", "relu", "linear")},
    "vanilla sine": ln.VanillaRNN.random(5, activation=ln.Activation(anp.sin, anp.cos), rng=0),
    "vanilla own": ln.VanillaRNN.random(5, activation=ln.Activation(phi, slope), rng=0),
    "echo state": ln.EchoStateNetwork.random(5, rng=0),
    "sparse": ln.EchoStateNetwork.random(9, degree=2, rng=0),
    "gru": ln.GRU.random(5, rng=0),
    "lstm": ln.LSTM.random(5, rng=0),
    "stack": ln.Stack([ln.GRU.random(3, rng=0), ln.VanillaRNN.random(3, n_inputs=3, rng=0)]),
    "closed": ln.ClosedLoop(ln.VanillaRNN.random(5, rng=0), np.ones((1, 5))),
}  # fmt: skip


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
@pytest.mark.parametrize("name", CELLS)
def test_copies_run_as_the_network_itself(name, again):
    cell = CELLS[name]
    s = ln.lyapunov_spectrum(cell, 60, k=3, rng=0)
    assert_array_equal(ln.lyapunov_spectrum(again(cell), 60, k=3, rng=0).exponents, s.exponents)
    inputs = np.zeros((20, cell.n_inputs)) if cell.n_inputs else None
    there = again(s)
    assert_array_equal(there.exponents, s.exponents)
    assert_array_equal(
        there.extend(20, inputs=inputs).exponents, s.extend(20, inputs=inputs).exponents
    )


def test_named_activations_stay_what_they_are():
    tanh = CELLS["vanilla tanh"].activation
    assert pickle.loads(pickle.dumps(tanh)) is tanh
    assert copy.deepcopy(tanh) is tanh
    sine = pickle.loads(pickle.dumps(CELLS["vanilla sine"].activation))
    h = np.linspace(-1, 1, 5)
    assert_array_equal(sine.along(h, np.sin(h))[1](), -np.sin(h))


def test_flossing_and_training_results():
    floss = ln.floss(CELLS["vanilla tanh"], 2, k=2, n_steps=10, rng=0)
    there = pickle.loads(pickle.dumps(floss))
    assert_array_equal(there.cell.params["W"], floss.cell.params["W"])
    run = ln.train(CELLS["echo state"], ln.tasks.DelayedCopy(2), 1, n_steps=5, batch_size=2, rng=0)
    assert_array_equal(pickle.loads(pickle.dumps(run)).loss, run.loss)
