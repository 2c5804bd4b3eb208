"""One epoch of training, and one of flossing, against JAX and PyTorch on one core.

    python benchmarks/training_speed.py [--quick] [--rounds N] [--json FILE]

The paper's sizes: a tanh network of 80 units; training on 16 sequences of 300 steps of the
temporal XOR with lag 40; flossing 75 exponents over 39 of 55 steps. LSTM and GRU train with 32
units on 16 sequences of 100 steps with lag 20. Losses and gradients of both are compared before
any is timed. Then whole epochs, each with its data from the same
NumPy generator, the loss, the gradient, its clipping and the update by Adam, and the accuracy
of the batch. JAX runs a scan and its derivative, everything jitted into one function, with
`jnp.linalg.qr` in flossing; lyapnet flosses once at interval 1, as JAX does, and once with the
automatic interval. PyTorch trains `torch.nn.RNN` with a linear readout, whose activations must be
lyapnet's; the readout acts on these, where lyapnet's acts on pre-activations.
"""

import argparse
import sys

from timing import Ratio, one_core, peer, race, summary, table, write

one_core()

import numpy as np

import lyapnet as ln
from lyapnet.flossing.epoch import Flosser
from lyapnet.flossing.window import Window
from lyapnet.training.bptt import evaluate
from lyapnet.training.losses import as_weights
from lyapnet.training.network import (
    Batch,
    Network,
    Readout,
)
from lyapnet.training.settings import Settings
from lyapnet.training.trainer import Trainer

JAX = peer("jax")
TORCH = peer("torch")

N, B, T, K, DELAY, CLIP = 80, 16, 300, 75, 40, 0.03
#: Units, steps and lag of training.
TRAINED = {"VanillaRNN": (N, T, DELAY), "LSTM": (32, 100, 20), "GRU": (32, 100, 20)}
WINDOW = {"k": K, "transient": 10, "basis_transient": 6, "n_steps": 39}


def network(kind="VanillaRNN"):
    rng, n = np.random.default_rng(0), TRAINED[kind][0]
    cell = getattr(ln, kind).random(n, bias=0.1, rng=rng).with_loops(B, 10**6)
    readout = Readout(rng.standard_normal((1, n)), np.zeros(1))
    return Network(cell, readout, rng.standard_normal(cell.dim))


def draw(task, n_steps, rng):
    u, y, mask = task.sample(n_steps, B, rng)
    return Batch(u, y, as_weights(mask, (n_steps, B)))


class InJax:
    """The same in JAX: plain scans, one jitted function per epoch."""

    def __init__(self, kind="VanillaRNN"):
        import jax
        import jax.numpy as jnp

        n, _, delay = TRAINED[kind]

        def vanilla(p, h, u):
            return jnp.tanh(h) @ p["W"].T + u @ p["V"].T + p["b"]

        def lstm(p, x, u):
            a = x[:, :n] @ p["W"].T + u @ p["V"].T + p["b"]
            i, f, g, o = jnp.split(a, 4, axis=1)
            i, f, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jax.nn.sigmoid(o)
            c = f * x[:, n:] + i * jnp.tanh(g)
            return jnp.concatenate([o * jnp.tanh(c), c], axis=1)

        def gru(p, h, u):
            a_r, a_z, m = jnp.split(h @ p["W"].T, 3, axis=1)
            v_r, v_z, v_n = jnp.split(u @ p["V"].T + p["b"], 3, axis=1)
            r, z = jax.nn.sigmoid(a_r + v_r), jax.nn.sigmoid(a_z + v_z)
            new = jnp.tanh(v_n + r * (m + p["c"]))
            return new + z * (h - new)

        step = {"VanillaRNN": vanilla, "LSTM": lstm, "GRU": gru}[kind]

        def states(p, x, inputs):
            def body(x, u):
                x = step(p, x, u)
                return x, x

            return jax.lax.scan(body, x, inputs)[1]

        def task_loss(p, inputs, targets):
            x0 = jnp.broadcast_to(p["x0"], (B, *p["x0"].shape))
            z = states(p, x0, inputs)[delay:, :, :n] @ p["readout.W"].T + p["readout.b"]
            loss = jnp.mean(jnp.logaddexp(0.0, z) - targets[delay:] * z)
            return loss, jnp.mean((z > 0) == (targets[delay:] > 0.5))

        def flossing_loss(p, x, basis, inputs):
            def step(carry, u):
                h, Q = carry
                r = jnp.tanh(h)
                Q, R = jnp.linalg.qr(p["W"] @ ((1 - r * r)[:, None] * Q))
                return (p["W"] @ r + p["V"] @ u + p["b"], Q), jnp.log(jnp.abs(jnp.diagonal(R)))

            first = WINDOW["transient"]
            if first:
                x = states(p, x[None], inputs[:first, None])[-1, 0]
            logs = jax.lax.scan(step, (x, basis), inputs[first:])[1]
            lam = logs[WINDOW["basis_transient"] :].mean(axis=0)
            return jnp.sum(lam**2), lam

        def adam(p, m, v, t, g):
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            p = jax.tree.map(
                lambda p, m, v: p
                - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8),
                p, m, v,
            )  # fmt: skip
            return p, m, v

        def clip(g):
            norm = jnp.sqrt(jnp.sum(g * g))
            return g * jnp.minimum(1.0, CLIP / norm)

        self.task_gradient = jax.jit(jax.value_and_grad(task_loss, has_aux=True))
        self.flossing_gradient = jax.jit(jax.value_and_grad(flossing_loss, has_aux=True))

        @jax.jit
        def training_epoch(p, m, v, t, inputs, targets):
            (loss, accuracy), g = jax.value_and_grad(task_loss, has_aux=True)(p, inputs, targets)
            return *adam(p, m, v, t, jax.tree.map(clip, g)), loss, accuracy

        @jax.jit
        def flossing_epoch(p, m, v, t, x, random, inputs):
            basis = jnp.linalg.qr(random)[0]
            (loss, lam), g = jax.value_and_grad(flossing_loss, has_aux=True)(p, x, basis, inputs)
            return *adam(p, m, v, t, g), loss, lam

        self.jax, self.training_epoch, self.flossing_epoch = jax, training_epoch, flossing_epoch

    def epochs(self, params, run, data):
        """Return a function that does one epoch after the other."""
        zeros = {name: np.zeros_like(x) for name, x in params.items()}
        state = [params, zeros, zeros]
        t = 0

        def epoch():
            nonlocal t
            t += 1
            *state[:], loss, more = run(*state, float(t), *data())
            self.jax.block_until_ready((state, loss, more))
            return float(loss)

        return epoch


def agree(name, a, b):
    """Refuse gradients that differ by more than rounding."""
    worst = max(
        float(np.abs(np.asarray(b[key]) - x).max() / max(np.abs(x).max(), 1e-300))
        for key, x in a.items()
    )
    print(f"{name}: largest relative deviation of a gradient {worst:.0e}")
    if not worst < 1e-8:
        raise SystemExit(f"{name}: the gradients disagree, nothing to compare")


def training(jax, kind="VanillaRNN"):
    """Return contenders for one training epoch."""
    _, T, delay = TRAINED[kind]
    net, task = network(kind), ln.tasks.TemporalXOR(delay)
    settings = Settings(task, 10**6, T, B, "cross_entropy", CLIP, None, (), None)
    trainer = Trainer(net, settings, ln.Adam(), None, np.random.default_rng(1))
    batch = draw(task, T, np.random.default_rng(2))
    runs = {"lyapnet, epoch": trainer.advance}
    runs["lyapnet, loss and gradient"] = lambda: evaluate(net, batch, "cross_entropy")
    if jax is not None:
        (loss, _), g = jax.task_gradient(net.params, batch.inputs, batch.targets)
        found = evaluate(net, batch, "cross_entropy")
        assert abs(found.loss - float(loss)) < 1e-12 * abs(found.loss)
        agree("training", found.grads, g)
        rng = np.random.default_rng(1)
        runs["JAX, epoch"] = jax.epochs(
            net.params, jax.training_epoch, lambda: task.sample(T, B, rng)[:2]
        )
        arrays = [jax.jax.numpy.asarray(x) for x in (batch.inputs, batch.targets)]
        params = jax.jax.tree.map(jax.jax.numpy.asarray, net.params)
        runs["JAX, loss and gradient"] = lambda: jax.jax.block_until_ready(
            jax.task_gradient(params, *arrays)
        )
    if TORCH is not None and kind == "VanillaRNN":
        import torch_training

        torch, rng = torch_training.InTorch(net.params, delay, CLIP), np.random.default_rng(1)
        states = evaluate(net, batch, "cross_entropy").orbit.states[:-1]
        r = torch.activations(batch.inputs).detach().numpy()
        # Its r at t is tanh(h) at t; the last of lyapnet's states is not in this comparison.
        assert np.abs(np.tanh(states[1:]) - r[:-1]).max() < 1e-10
        runs["torch.nn.RNN, epoch"] = torch.epoch(lambda: task.sample(T, B, rng)[:2])
    return runs


class Recorder(ln.Adam):
    """Keeps the gradient that it gets, to compare it."""

    def update(self, params, grads):
        self.seen = {name: g.copy() for name, g in grads.items()}
        return super().update(params, grads)


def flossing(jax):
    """Return contenders for one flossing epoch."""
    net, task = network(), ln.tasks.TemporalXOR(DELAY)
    steps = sum(WINDOW.values()) - K

    def data(rng):
        return task.sample(steps, 1, rng)[0][:, 0] if steps > DELAY else None

    def ours(interval):
        rng, system = np.random.default_rng(1), net.system
        flosser = Flosser(Window(**WINDOW, qr_interval=interval), system)

        def epoch():
            nonlocal system
            system, _, loss = flosser.epoch(system, net.x0, data(rng), rng)
            return float(loss)

        return epoch

    runs = {"lyapnet, epoch": ours(1), "lyapnet, epoch, automatic interval": ours("auto")}
    if jax is not None:
        inputs = data(np.random.default_rng(3))
        flosser = Flosser(Window(**WINDOW, qr_interval=1, optimizer=Recorder()), net.system)
        _, _, loss = flosser.epoch(net.system, net.x0, inputs, np.random.default_rng(4))
        rows = np.random.default_rng(4).standard_normal((K, N))
        basis = np.linalg.qr(rows.T)[0]
        params = net.system.params
        (other, _), g = jax.flossing_gradient(params, net.x0, basis, inputs)
        assert abs(loss - float(other)) < 1e-11 * abs(loss)
        agree("flossing", flosser.optimizer.seen, g)
        rng = np.random.default_rng(1)
        runs["JAX, epoch"] = jax.epochs(
            params,
            jax.flossing_epoch,
            lambda: (net.x0, rng.standard_normal((N, K)), data(rng)),
        )
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--rounds", type=int, help="default 61, 9 if quick")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    report, holds = {}, True
    for name, make, kind in (
        ("training", training, "VanillaRNN"),
        ("training, LSTM", training, "LSTM"),
        ("training, GRU", training, "GRU"),
        ("flossing", flossing, "VanillaRNN"),
    ):
        jax = None if JAX is None else InJax(kind)
        more = (kind,) if make is training else ()
        seconds = race(make(jax, *more), args.rounds or (9 if args.quick else 61))
        found, base = summary(seconds), seconds["lyapnet, epoch"]
        print()
        table(
            (f"{name} epoch", "ms", "least", "times lyapnet"),
            [
                (x, f"{1e3 * found[x]['median']:.2f}", f"{1e3 * found[x]['least']:.2f}",
                 Ratio.of(t, base))
                for x, t in seconds.items()
            ],
        )  # fmt: skip
        ratios = {x: vars(Ratio.of(t, base)) for x, t in seconds.items()}
        report[name] = {"seconds": found, "ratios": ratios}
        if jax is not None:
            holds = holds and ratios["JAX, epoch"]["value"] >= 1.0
    write(args.json, {"training": report})
    print("\nlyapnet is no slower" if holds else "\nlyapnet is SLOWER")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
