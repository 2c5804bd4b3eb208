"""One training run of the paper: what figures 3 to 5 and 7 to 14 are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..cells import GRU, LSTM, VanillaRNN
from ..optimize import Adam
from ..spectrum.measure import lyapunov_spectrum
from ..training.adaptive import AdaptiveFlossing
from ..training.schedule import FlossingSchedule
from ..training.tasks import DelayedCopy, SpatialXOR, TemporalXOR
from ..training.train import train
from .gating import Hold, with_gates
from .rivals import rival

TASKS: dict[str, Any] = {
    "copy": DelayedCopy,
    "temporal": TemporalXOR,
    "spatial": SpatialXOR,
    "hold": Hold,
}
CELLS: dict[str, Any] = {"rnn": VanillaRNN, "lstm": LSTM, "gru": GRU}

#: Epochs per point of the learning curves that are kept, and of those that are kept finely.
BLOCK, FINE = 50, 10

#: Largest learning rate of a cycle, in units of that which it begins with.
PEAK = 4

#: Training epochs before which a condition flosses again.
EPISODES: dict[str, Any] = {
    "before": (),
    "during": (500,),
    "episodes": range(100, 500, 100),
    "throughout": range(100, 100_000, 100),
}


def schedule(
    condition: str,
    n: int,
    k: int | None = None,
    *,
    episode: int = 500,
    at: Any = None,
    **settings: Any,
) -> Any:
    """Return what a condition flosses: the paper's window, 39 of 55 steps, and episodes.

    ``none``, ``before`` (500 epochs), ``during`` (before, and again at epoch 500),
    ``episodes`` (before, and at epochs 100 to 400), ``throughout`` (every 100 epochs),
    ``adaptive`` with limits of the gradient, ``relative`` without any, each time as long as it
    helps, and ``rule``, the default of `AdaptiveFlossing`, until most is back. By default 75 of 80
    exponents, and as many of another size. `episode` is another number of epochs, and `at` other
    training epochs to floss at.
    """
    window: dict[str, Any] = dict(k=k or round(n * 75 / 80), n_steps=39)
    window |= {"transient": 10, "basis_transient": 6, "clip_norm": 1.0, **settings}
    match condition:
        case "none":
            return None
        case "adaptive":
            return AdaptiveFlossing(**{"low": 1e-5, "high": 1e-3, **window})
        case "relative":
            return AdaptiveFlossing(**{"enough": np.inf, **window})
        case "rule":
            return AdaptiveFlossing(**window)
        case "before" | "during" | "episodes" | "throughout":
            when = EPISODES[condition] if at is None else at
            return FlossingSchedule(before=episode, at=when, epochs=episode, **window)
    raise ValueError(f"`condition` {condition!r} is unknown")


def learn(
    task: str,
    lag: int,
    condition: str,
    network: int,
    *,
    epochs: int = 10_000,
    n: int = 80,
    k: int | None = None,
    cell: str = "rnn",
    gates: Any = None,
    init: str = "gaussian",
    activation: str = "tanh",
    weight_decay: float = 0.0,
    window: dict[str, Any] | None = None,
    penalty: str | None = None,
    strength: float = 1.0,
    until: int | None = None,
    watch: bool = False,
    learning_rate: float = 1e-3,
    cycle: bool = False,
    n_steps: int | None = None,
    episode: int = 500,
    at: Any = None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Train a network in the paper's settings; return how well it did, and how it got there.

    Batch 16, sequences of 300 steps (of three lags, if that is more), gain 1, Adam at 1e-3,
    gradients clipped at 0.03 in each parameter, and at 1 in flossing, which the paper does not:
    a window in which two tangent vectors nearly align would undo hundreds of epochs. The network
    is drawn from its number alone, so that conditions are compared on the same networks.

    Parameters
    ----------
    task, condition, cell : str
        See `TASKS`, `schedule` and `CELLS`.
    lag : int
        The longest one of the task, in steps.
    network : int
        Its number, what it is drawn from.
    epochs, n, k : int, optional
        Of training; units; exponents that are flossed.
    gates : float, "chrono" or "uniform", optional
        Where those of LSTM or GRU begin, see `with_gates`; as drawn by default.
    init : {"gaussian", "orthogonal"}, optional
    activation : {"tanh", "relu", "linear"}, optional
        Of a vanilla network.
    weight_decay, learning_rate : float, optional
        Of training.
    cycle : bool, optional
        Let the learning rate rise to `PEAK` times itself in the first half of training, and fall
        to zero in the second, each along half a cosine (L. N. Smith's one-cycle policy).
    window : dict, optional
        What else is different in the windows that are flossed.
    penalty : {"spectral_radius", "jacobian_norm"}, optional
        A control instead of flossing, times `strength`.
    until : int, optional
        Training epochs in which the penalty acts, all by default.
    watch : bool, optional
        Keep gradients and accuracy finely, and singular values of dL/dW (1 ms an epoch).
    n_steps : int, optional
        Of a sequence.
    episode, at : optional
        See `schedule`.
    rng : Generator
    """
    problem = TASKS[task](lag)
    start = np.random.default_rng(network)
    more = {"init": init, "activation": activation} if cell == "rnn" else {}
    system = CELLS[cell].random(n, n_inputs=problem.n_inputs, bias=0.1, rng=start, **more)
    if gates is not None:
        system = with_gates(system, gates, lag, start)
    n_steps = n_steps or max(300, 3 * lag)
    seed = int(rng.integers(2**62))
    result = train(
        system,
        problem,
        epochs,
        n_steps=n_steps,
        batch_size=16,
        clip_norm=0.03,
        optimizer=Adam(learning_rate, weight_decay=weight_decay),
        learning_rate=one_cycle(learning_rate, epochs) if cycle else None,
        schedule=schedule(condition, n, k, episode=episode, at=at, **(window or {})),
        penalty=rival(penalty, strength, until),
        diagnostics=("singular_values",) if watch else (),
        rng=seed,
    )
    u, y, mask = problem.sample(n_steps, 200, np.random.default_rng([seed, 1]))
    inputs = problem.sample(1200, 1, rng)[0][:, 0]
    spectrum = lyapunov_spectrum(
        result.cell, inputs=inputs, transient=100, basis_transient=100, rng=rng, record=False
    )
    found = {
        "accuracy": problem.accuracy(result.outputs(u), y, mask),
        "curve": thinned(result.accuracy),
        "gradient": np.exp(thinned(floored_log(result.diagnostics["gradient_norm_h0"]))),
        "flossing_epochs": int(result.flossing_epochs.sum()),
        "exponents": np.asarray(spectrum.exponents),
    }
    if condition in ("adaptive", "relative", "rule"):
        found["flossed_at"] = np.flatnonzero(result.flossing_epochs)
    if watch:
        values = result.diagnostics["singular_values"][:, [0, min(9, n - 1), n // 2 - 1]]
        found["singular_values"] = np.exp(thinned(floored_log(values), FINE))
        found["fine_gradient"] = np.exp(
            thinned(floored_log(result.diagnostics["gradient_norm_h0"]), FINE)
        )
        found["fine_curve"] = thinned(result.accuracy, FINE)
    return {name: _rounded(x) for name, x in found.items()}


def one_cycle(rate: float, epochs: int, warm: float = 0) -> Callable[[int], float]:
    """Return the learning rate of a cycle (see `learn`), risen from zero in its first epochs."""
    top = PEAK * rate

    def at(epoch: int) -> float:
        share = np.sin(np.pi * epoch / epochs) ** 2
        begun = min(1.0, epoch / warm) if warm else 1.0
        return float(begun * (top * share + (rate * (1 - share) if epoch < epochs / 2 else 0)))

    return at


def floored_log(x: Any) -> Any:
    """Return logarithms, finite ones of what has vanished, too."""
    return np.log(np.maximum(x, 1e-300))


def _rounded(x: Any) -> Any:
    """Keep four digits of each number of an array: a file of 2000 runs is large enough."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.vectorize(lambda number: float(f"{number:.4g}"))(x)
    return x


def thinned(x: Any, block: int = BLOCK) -> Any:
    """Return means over blocks of epochs."""
    whole = x[: len(x) // block * block]
    return whole.reshape(-1, block, *x.shape[1:]).mean(axis=1)
