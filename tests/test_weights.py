"""Networks from PyTorch, Keras and Flax: what these compute themselves, and the way back."""

import frameworks
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

STORED = frameworks.stored("torch")


def check(case, cell):
    """Compare hidden trajectories to 1e-12 and Jacobians to 1e-10."""
    cells = getattr(cell, "cells", (cell,))
    if not all(isinstance(one, ln.VanillaRNN) for one in cells):
        orbit = cell.orbit(case.states[0], case.inputs, len(case.inputs))
        assert_allclose(orbit.states, case.states, atol=1e-12)
        assert_allclose(orbit.jacobians, case.jacobians, atol=1e-10)
        return
    activation = cells[0].activation
    x0 = np.arctanh(case.states[0]) if activation.name == "tanh" else case.states[0]
    orbit = cell.orbit(x0, case.inputs, len(case.inputs))
    assert_allclose(activation.function(orbit.states), case.states, atol=1e-12)
    if activation.name == "tanh":
        slope = 1 - np.tanh(orbit.states) ** 2
        similar = slope[1:, :, None] * orbit.jacobians / slope[:-1, None, :]
        assert_allclose(similar, case.jacobians, atol=1e-10)


@pytest.mark.parametrize("name", STORED)
def test_networks_as_pytorch_ran_them(name):
    case = STORED[name]
    check(case, ln.from_torch(case.weights, **case.options))


@pytest.mark.parametrize("name", [n for n in STORED if "backward" not in n])
def test_the_way_back_to_pytorch_is_the_same_network(name):
    case = STORED[name]
    cell = ln.from_torch(case.weights, **case.options)
    check(case, ln.from_torch(ln.to_torch(cell), **case.options))


@pytest.mark.parametrize("name", frameworks.TORCH)
def test_live_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    case = frameworks.run_torch(name)
    check(case, ln.from_torch(case.weights, **case.options))


@pytest.mark.parametrize("name", frameworks.FLAX)
def test_live_flax(name):
    pytest.importorskip("flax", reason="Flax is not installed")
    case = frameworks.run_flax(name)
    check(case, ln.from_flax(case.weights, **case.options))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ln.VanillaRNN.random(3, leak=0.5, rng=0), "leak"),
        (lambda: ln.VanillaRNN.random(3, activation=ln.Activation(np.sin, np.cos), rng=0), "act"),
        (lambda: ln.VanillaRNN(np.zeros((2, 3, 3)), None, None), "network"),
    ],
)
def test_what_a_framework_cannot_express_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        ln.to_torch(make())


def test_missing_arrays_are_named():
    with pytest.raises(ValueError, match="weight_ih"):
        ln.from_torch({"weight": np.eye(2)})
