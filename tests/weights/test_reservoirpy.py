"""Reservoirs of reservoirpy, against what it runs itself."""

from types import SimpleNamespace

import numpy as np
import pytest

import lyapnet as ln


def tanh(x):
    return np.tanh(x)


def node(**more):
    given = dict(W=np.eye(3) / 2, Win=np.ones((3, 2)), bias=0.1, lr=0.3, activation=tanh)
    return SimpleNamespace(**{**given, **more})


def test_the_step_is_theirs():
    cell = ln.from_reservoirpy(node(bias=np.array([[0.1], [0.2], [0.3]])), dt=0.5)
    x, u = np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0])
    new = 0.7 * x + 0.3 * np.tanh(x / 2 + 3.0 + np.array([0.1, 0.2, 0.3]))
    np.testing.assert_allclose(cell.step(x, u), new, atol=1e-15)
    assert cell.dt == 0.5


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        (3, TypeError, "has no W"),
        (node(W=tanh), ValueError, "not initialised"),
        (node(lr=np.array([0.1, 0.2, 0.3])), ValueError, "a leak for each unit"),
        (node(activation=np.sin), ValueError, "got 'sin'"),
        (node(equation="external"), ValueError, "equation"),
    ],
)
def test_what_is_refused(given, error, named):
    with pytest.raises(error, match=named):
        ln.from_reservoirpy(given)


@pytest.mark.filterwarnings("ignore")  # of reservoirpy about its own dependencies
@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_live_states(activation):
    nodes = pytest.importorskip("reservoirpy.nodes", reason="reservoirpy is not installed")
    inputs = np.random.default_rng(0).standard_normal((30, 2))
    theirs = nodes.Reservoir(40, lr=0.3, sr=0.9, activation=activation, seed=0)
    states = theirs.run(inputs)
    cell = ln.from_reservoirpy(theirs)
    assert "nonzeros" in repr(cell)  # their weights are sparse, and stay so
    found = cell.orbit(np.zeros(40), inputs, 30).states[1:]
    np.testing.assert_allclose(found, states, atol=1e-12)
