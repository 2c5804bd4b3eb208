"""Networks from PyTorch, Keras and Flax against what these compute: recorded, and live."""

import importlib.util
import warnings

import autograd.numpy as anp
import frameworks
import numpy as np
import pytest
from autograd import elementwise_grad

import lyapnet as ln

FROM = {"torch": ln.from_torch, "keras": ln.from_keras, "flax": ln.from_flax}
CASES = [(framework, name) for framework, (names, _) in frameworks.RUN.items() for name in names]
STORED = {framework: frameworks.stored(framework) for framework in frameworks.RUN}


def layers(cell):
    """Return the cells of a stack, from the lowest, or the one cell."""
    return cell.cells if isinstance(cell, ln.Stack) else (cell,)


def start(cell, x):
    """Return the state here that is a framework's, which for a vanilla network is activations."""
    if not isinstance(layers(cell)[0], ln.VanillaRNN):
        return x
    return np.arctanh(x) if layers(cell)[0].activation.name == "tanh" else x


def outputs_and_slopes(cell, x):
    """Return a framework's states, and their derivatives in the states here."""
    first = layers(cell)[0]
    if not isinstance(first, ln.VanillaRNN):
        return x, np.ones(x.shape)
    function = first.activation.function
    return function(x), elementwise_grad(lambda h: function(anp.array(h)))(x)


def check(cell, case):
    """Hold a cell against the framework's states and Jacobians."""
    orbit = cell.orbit(start(cell, case.states[0]), case.inputs, len(case.inputs))
    states, slopes = outputs_and_slopes(cell, orbit.states)
    np.testing.assert_allclose(states, case.states, rtol=0, atol=1e-12)
    # D_torch = diag(phi'(h_{s+1})) D diag(phi'(h_s))^-1, without the division, for ReLU's zeros
    theirs = case.jacobians * slopes[:-1, None, :]
    ours = slopes[1:, :, None] * orbit.jacobians
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("framework", "name"), CASES)
def test_states_and_jacobians_are_those_recorded(framework, name):
    case = STORED[framework][name]
    check(FROM[framework](case.weights, **case.options), case)


@pytest.mark.parametrize(("framework", "name"), CASES)
def test_what_goes_back_is_the_same_network(framework, name):
    case = STORED[framework][name]
    cell = FROM[framework](case.weights, **case.options)
    back = {"torch": ln.to_torch, "keras": ln.to_keras, "flax": ln.to_flax}[framework](cell)
    layer = {"layer": None} if isinstance(cell, ln.Stack) else {}
    options = {k: v for k, v in case.options.items() if k == "activation"}
    check(FROM[framework](back, **layer, **options), case)


@pytest.mark.parametrize("name", ["keras.h5", "keras.weights.h5", "keras.keras"])
def test_files_that_keras_has_written(name):
    pytest.importorskip("h5py")
    case = STORED["keras"]["two layers of gru"]
    path = frameworks.FIXTURES / name
    # GRUs, the lower one with reset_after, the upper one without
    check(ln.from_keras(path, layer=None), case)
    cell = ln.from_keras(path, layer=0)
    lower = frameworks.Case(
        {}, case.inputs, case.states[:, : cell.dim], case.jacobians[:, : cell.dim, : cell.dim]
    )
    check(cell, lower)


# ---- with the frameworks themselves, where they are installed


@pytest.fixture
def live(request):
    """Return what runs a framework; skip the test where it is not installed."""
    framework = request.param
    needed = {"torch": ["torch"], "keras": ["keras", "torch"], "flax": ["flax", "jax"]}[framework]
    for package in needed:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: `pip install {package}` to compare live")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks about each other
        yield framework, frameworks.RUN[framework][1]


LIVE = pytest.mark.parametrize(("live", "name"), CASES, indirect=["live"])


@LIVE
def test_live_states_and_jacobians(live, name):
    framework, run = live
    case = run(name)
    check(FROM[framework](case.weights, **case.options), case)
    recorded = STORED[framework][name]
    np.testing.assert_allclose(case.states, recorded.states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(case.jacobians, recorded.jacobians, rtol=0, atol=1e-10)


@LIVE
def test_live_framework_runs_what_goes_back(live, name):
    framework, run = live
    if "without biases" in name:
        pytest.skip("what goes back always has biases")
    case = run(name)
    cell = FROM[framework](case.weights, **case.options)
    if framework == "torch":
        weights = ln.to_torch(cell, reverse=case.options.get("reverse", False))
    elif framework == "keras":
        weights = ln.to_keras(cell)
    else:
        weights = ln.to_flax(cell, api=frameworks.FLAX[name][0])
        if name == "nnx optimized lstm":
            pytest.skip("to_flax gives the parameters of nnx.LSTMCell")
    again = run(name, weights)
    np.testing.assert_allclose(again.states, case.states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again.jacobians, case.jacobians, rtol=0, atol=1e-10)


def test_live_torch_parameters_need_to_be_detached():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with pytest.raises(TypeError, match=r"`weight_ih_l0` cannot .*detach"):
        ln.from_torch(dict(torch.nn.GRU(1, 8).named_parameters()))


def test_live_torch_network_flossed_here_trains_there():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    module = torch.nn.GRU(1, 8)
    flossed = ln.floss(
        ln.from_torch(module.state_dict()), 30, k=4, n_steps=20, optimizer=ln.Adam(0.01), rng=0
    )
    assert flossed.loss[-5:].mean() < flossed.loss[:5].mean()
    found = ln.to_torch(flossed.cell)
    module.load_state_dict({name: torch.from_numpy(x) for name, x in found.items()})
    head = torch.nn.Linear(8, 1)
    adam = torch.optim.Adam([*module.parameters(), *head.parameters()], lr=0.01)
    losses = []
    for _ in range(60):
        u = torch.rand(12, 16, 1)
        loss = torch.mean((head(module(u)[0])[1:] - u[:-1]) ** 2)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
