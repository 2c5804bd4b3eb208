"""One training run of the paper: what figures 3 to 5 and 7 to 14 are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import GRU, LSTM, VanillaRNN
from ..optimize import Adam
from ..schedule import AdaptiveFlossing, FlossingSchedule
from ..spectrum import lyapunov_spectrum
from ..tasks import DelayedCopy, SpatialXOR, TemporalXOR
from ..train import train

TASKS = {"copy": DelayedCopy, "temporal": TemporalXOR, "spatial": SpatialXOR}
CELLS: dict[str, Any] = {"rnn": VanillaRNN, "lstm": LSTM, "gru": GRU}

#: Epochs per point of the learning curves that are kept.
BLOCK = 50


def schedule(condition: str, n: int, k: int | None = None, **settings: Any) -> Any:
    """Return what a condition flosses: the paper's window, 39 of 55 steps, and episodes.

    ``none``, ``before`` (500 epochs), ``during`` (before, and again at epoch 500),
    ``episodes`` (before, and at epochs 100 to 400), ``throughout`` (every 100 epochs), and
    ``adaptive``. By default 75 of 80 exponents, and as many of another size.
    """
    window = dict(k=k or round(n * 75 / 80), n_steps=39, transient=10, basis_transient=6)
    window |= {"clip_norm": 1.0, **settings}
    match condition:
        case "none":
            return None
        case "before":
            return FlossingSchedule(before=500, **window)
        case "during":
            return FlossingSchedule(before=500, at=500, **window)
        case "episodes":
            return FlossingSchedule(before=500, at=range(100, 500, 100), **window)
        case "throughout":
            return FlossingSchedule(before=500, at=range(100, 100_000, 100), **window)
        case "adaptive":
            return AdaptiveFlossing(**window)
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
    init: str = "gaussian",
    weight_decay: float = 0.0,
    window: dict[str, Any] | None = None,
    penalty: Any = None,
    watch: bool = False,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Train a network in the paper's settings; return how well it did, and how it got there.

    Batch 16, sequences of 300 steps (of three lags, if that is more), gain 1, Adam at 1e-3,
    gradients clipped at 0.03 in each parameter, and at 1 in flossing, which the paper does not:
    a window in which two tangent vectors nearly align would undo hundreds of epochs. The network
    is drawn from its number alone, so that conditions are compared on the same networks.
    """
    problem = TASKS[task](lag)
    start = np.random.default_rng(network)
    more = {"init": init} if cell == "rnn" else {}
    system = CELLS[cell].random(n, n_inputs=problem.n_inputs, bias=0.1, rng=start, **more)
    n_steps = max(300, 3 * lag)
    seed = int(rng.integers(2**62))
    result = train(
        system,
        problem,
        epochs,
        n_steps=n_steps,
        batch_size=16,
        clip_norm=0.03,
        optimizer=Adam(1e-3, weight_decay=weight_decay),
        schedule=schedule(condition, n, k, **(window or {})),
        penalty=penalty,
        diagnostics=("singular_values", "gradient_norm_h0_longest") if watch else (),
        rng=seed,
    )
    u, y, mask = problem.sample(n_steps, 200, np.random.default_rng([seed, 1]))
    inputs = problem.sample(1200, 1, rng)[0][:, 0]
    spectrum = lyapunov_spectrum(
        result.cell, inputs=inputs, transient=100, basis_transient=100, rng=rng, record=False
    )
    found = {
        "accuracy": problem.accuracy(result.outputs(u), y, mask),
        "curve": _thinned(result.accuracy),
        "gradient": np.exp(_thinned(_log(result.diagnostics["gradient_norm_h0"]))),
        "flossing_epochs": int(result.flossing_epochs.sum()),
        "exponents": np.asarray(spectrum.exponents),
    }
    if watch:
        values = result.diagnostics["singular_values"]
        found["singular_values"] = np.exp(_thinned(_log(values[:, [0, 9, 39]]), 10))
        longest = result.diagnostics["gradient_norm_h0_longest"]
        found["longest"] = np.exp(_thinned(_log(longest), 10))
        found["fine_curve"] = _thinned(result.accuracy, 10)
    return found


def _log(x: Any) -> Any:
    return np.log(np.maximum(x, 1e-300))


def _thinned(x: Any, block: int = BLOCK) -> Any:
    """Return means over blocks of epochs."""
    whole = x[: len(x) // block * block]
    return whole.reshape(-1, block, *x.shape[1:]).mean(axis=1)
