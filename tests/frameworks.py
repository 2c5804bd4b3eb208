"""What PyTorch, Keras and Flax compute themselves: the truth about networks from there.

Run as a script, where the frameworks are installed, it writes the files in fixtures/: weights,
inputs, states and Jacobians of small networks, for machines that have none of the frameworks.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent / "fixtures"
N, M, T = 4, 2, 6


@dataclass
class Case:
    """A network as a framework runs it.

    `states` are the framework's own, (T + 1, n), an LSTM's in the order (h, c), layer after layer;
    `jacobians` those of its step, (T, n, n). `options` are those of lyapnet's from_*.
    """

    weights: dict
    inputs: np.ndarray
    states: np.ndarray
    jacobians: np.ndarray
    options: dict = field(default_factory=dict)


TORCH = {
    "rnn": ("RNN", {}, {}),
    "rnn without biases": ("RNN", {"bias": False}, {}),
    "relu": ("RNN", {"nonlinearity": "relu"}, {"activation": "relu"}),
    "lstm": ("LSTM", {}, {}),
    "lstm without biases": ("LSTM", {"bias": False}, {}),
    "gru": ("GRU", {}, {}),
    "gru without biases": ("GRU", {"bias": False}, {}),
    "two layers of rnn": ("RNN", {"num_layers": 2}, {"layer": None}),
    "two layers of lstm": ("LSTM", {"num_layers": 2}, {"layer": None}),
    "two layers of gru": ("GRU", {"num_layers": 2}, {"layer": None}),
    "rnn backward": ("RNN", {"bidirectional": True}, {"reverse": True}),
    "gru backward": ("GRU", {"bidirectional": True}, {"reverse": True}),
}
KERAS = {
    "rnn": ("SimpleRNN", [{}], {}),
    "rnn without biases": ("SimpleRNN", [{"use_bias": False}], {}),
    "relu": ("SimpleRNN", [{"activation": "relu"}], {"activation": "relu"}),
    "linear": ("SimpleRNN", [{"activation": None}], {"activation": "linear"}),
    "lstm": ("LSTM", [{}], {}),
    "gru": ("GRU", [{}], {}),
    "gru, reset before": ("GRU", [{"reset_after": False}], {}),
    "gru without biases": ("GRU", [{"use_bias": False}], {}),
    "two layers of gru": ("GRU", [{}, {"reset_after": False}], {"layer": None}),
    "two layers of lstm": ("LSTM", [{}, {}], {"layer": None}),
}
FLAX = {
    "rnn": ("linen", "SimpleCell", 1),
    "lstm": ("linen", "LSTMCell", 1),
    "optimized lstm": ("linen", "OptimizedLSTMCell", 1),
    "gru": ("linen", "GRUCell", 1),
    "two layers of gru": ("linen", "GRUCell", 2),
    "two layers of lstm": ("linen", "OptimizedLSTMCell", 2),
    "nnx rnn": ("nnx", "SimpleCell", 1),
    "nnx lstm": ("nnx", "LSTMCell", 1),
    "nnx optimized lstm": ("nnx", "OptimizedLSTMCell", 1),
    "nnx gru": ("nnx", "GRUCell", 1),
}


def draw(shapes, name):
    """Draw weights of the given shapes, inputs and a first state in (0, 1) for a case."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    weights = {key: 0.7 * rng.standard_normal(shape) for key, shape in shapes.items()}
    return weights, rng.standard_normal((T, M)), lambda n: rng.uniform(0.1, 0.9, n)


def run_torch(name, weights=None):
    """Run a module of PyTorch, with drawn weights or with given ones."""
    import torch

    kind, arguments, options = TORCH[name]
    module = getattr(torch.nn, kind)(M, N, dtype=torch.float64, **arguments)
    shapes = {key: tuple(x.shape) for key, x in module.state_dict().items()}
    drawn, inputs, start = draw(shapes, name)
    given = {**drawn, **(weights or {})}
    module.load_state_dict({key: torch.from_numpy(x) for key, x in given.items()})
    layers, lstm = arguments.get("num_layers", 1), kind == "LSTM"
    backward = arguments.get("bidirectional", False)

    def step(x, u):
        parts = x.reshape(layers, 1 + lstm, 1, N)
        if backward:  # the first half of the states is the forward direction's
            parts = torch.cat([torch.zeros_like(parts), parts])
        state = (parts[:, 0], parts[:, 1]) if lstm else parts[:, 0]
        _, state = module(u[None, None], state)
        new = torch.stack(state, dim=1) if lstm else state[:, None]
        return (new[layers:] if backward else new).reshape(-1)

    states, jacobians = _follow(step, start(layers * N * (1 + lstm)), inputs)
    if not backward:  # the sequence as a whole, as a user runs it
        first = torch.from_numpy(states[0].reshape(layers, 1 + lstm, 1, N))
        state = (first[:, 0].clone(), first[:, 1].clone()) if lstm else first[:, 0].clone()
        whole = module(torch.from_numpy(inputs)[:, None], state)[0].detach().numpy()
        at = (layers - 1) * N * (1 + lstm)
        np.testing.assert_allclose(whole[:, 0], states[1:, at : at + N], atol=1e-13)
    return Case(given, inputs, states, jacobians, options)


def _follow(step, first, inputs):
    """Run a step of PyTorch; return its states and Jacobians."""
    import torch

    states, jacobians = [torch.from_numpy(first)], []
    for u in torch.from_numpy(inputs):
        jacobians.append(torch.autograd.functional.jacobian(lambda x, u=u: step(x, u), states[-1]))
        states.append(step(states[-1], u).detach())
    return torch.stack(states).numpy(), torch.stack(jacobians).numpy()


def keras_model(name):
    """Return a model of Keras with drawn weights, and the other things that were drawn."""
    os.environ["KERAS_BACKEND"] = "torch"
    state = np.random.get_state()  # noqa: NPY002 - which the import changes
    import keras
    from keras.src.backend.common import dtypes

    np.random.set_state(state)  # noqa: NPY002  # the state of others
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    # Without TensorFlow, Keras rounds float64 in many of its functions, whatever the policy.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    kind, layers, options = KERAS[name]
    # the fused kernels compute in float32, whatever the policy
    more = {} if kind == "SimpleRNN" else {"use_cudnn": False}
    made = [
        getattr(keras.layers, kind)(
            N, return_sequences=True, name=f"layer_{i}", **more, **arguments
        )
        for i, arguments in enumerate(layers)
    ]
    model = keras.Sequential([keras.Input((None, M)), *made])
    drawn, inputs, start = draw({w.path: w.shape for w in model.weights}, name)
    model.set_weights(list(drawn.values()))
    return model, drawn, inputs, start, options


def run_keras(name, weights=None):
    """Run the cells of a model of Keras, on its backend PyTorch."""
    model, given, inputs, start, options = keras_model(name)
    import torch

    if weights is not None:
        model.set_weights(list(weights.values()))
    width = N * (1 + (KERAS[name][0] == "LSTM"))

    def step(x, u):
        new, u = [], u[None]
        for i, layer in enumerate(model.layers):
            parts = torch.split(x[i * width : (i + 1) * width][None], N, dim=1)
            u, state = layer.cell(u, list(parts))
            new += list(state)
        return torch.cat(new, dim=1)[0]

    states, jacobians = _follow(step, start(width * len(model.layers)), inputs)
    first = [torch.from_numpy(x) for x in states[:1, :width].reshape(-1, 1, N)]
    whole = model.layers[0](torch.from_numpy(inputs[None]), initial_state=first)
    np.testing.assert_allclose(whole[0].detach().numpy(), states[1:, :N], atol=1e-13)
    return Case(given, inputs, states, jacobians, options)


def run_flax(name, weights=None):
    """Run cells of Flax, of linen or nnx."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from flax import linen, nnx, traverse_util

    api, kind, layers = FLAX[name]
    lstm, key = "LSTM" in kind, jax.random.key(0)
    sizes = [M, *[N] * (layers - 1)]
    shapes = {}
    if api == "linen":
        cells = [getattr(linen, kind)(N, param_dtype=float, dtype=float) for _ in sizes]
        for i, (cell, size) in enumerate(zip(cells, sizes, strict=True)):
            carry = cell.initialize_carry(key, (size,))
            shapes[f"{kind}_{i}"] = cell.init(key, carry, jnp.zeros(size))["params"]
    else:
        cells = [getattr(nnx, kind)(M, N, param_dtype=float, dtype=float, rngs=nnx.Rngs(0))]
        shapes = nnx.to_pure_dict(nnx.state(cells[0], nnx.Param))
    flat = traverse_util.flatten_dict(shapes, sep="/")
    given, inputs, start = draw({path: x.shape for path, x in flat.items()}, name)
    tree = traverse_util.unflatten_dict(given, sep="/") if weights is None else weights
    if api == "nnx":
        nnx.update(cells[0], jax.tree.map(jnp.asarray, tree))
        call = [lambda carry, u: cells[0](carry, u)]
    else:
        parts = (
            [tree[f"{kind}_{i}"] for i in range(layers)]
            if weights is None
            else ([tree[str(i)] for i in range(layers)] if layers > 1 else [tree])
        )
        call = [
            lambda carry, u, c=c, p=p: c.apply({"params": p}, carry, u)
            for c, p in zip(cells, parts, strict=True)
        ]
    width = N * (1 + lstm)

    def step(x, u):
        new = []
        for i, one in enumerate(call):
            h = x[i * width : (i + 1) * width]
            carry, u = one((h[N:], h[:N]) if lstm else h, u)
            new.append(jnp.concatenate([carry[1], carry[0]]) if lstm else carry)
        return jnp.concatenate(new)

    states, jacobians = [start(width * layers)], []
    for u in inputs:
        jacobians.append(jax.jacobian(step)(states[-1], u))
        states.append(step(states[-1], u))
    states, jacobians = np.stack(states), np.stack(jacobians)
    return Case(given, inputs, states, jacobians, {"layer": None} if layers > 1 else {})


RUN = {"torch": (TORCH, run_torch), "keras": (KERAS, run_keras), "flax": (FLAX, run_flax)}


def stored(framework):
    """Return the cases of a framework that its fixture holds, by name."""
    cases = {}
    with np.load(FIXTURES / f"{framework}.npz") as file:
        for name, options in json.loads(str(file["options"])).items():
            own = {
                key.split("|", 1)[1]: file[key] for key in file.files if key.startswith(f"{name}|")
            }
            weights = {k.removeprefix("weights|"): x for k, x in own.items() if "|" in k}
            cases[name] = Case(weights, own["inputs"], own["states"], own["jacobians"], options)
    return cases


def write(framework):
    """Write the fixture of a framework."""
    names, run = RUN[framework]
    arrays, options = {}, {}
    for name in names:
        case = run(name)
        options[name] = case.options
        for key in ("inputs", "states", "jacobians"):
            arrays[f"{name}|{key}"] = getattr(case, key)
        for key, x in case.weights.items():
            arrays[f"{name}|weights|{key}"] = x
    np.savez_compressed(FIXTURES / f"{framework}.npz", options=json.dumps(options), **arrays)


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    for framework in RUN:
        write(framework)
    model = keras_model("two layers of gru")[0]
    model.save_weights(FIXTURES / "keras.weights.h5")
    model.save(FIXTURES / "keras.keras")
    model.save(FIXTURES / "keras.h5")
