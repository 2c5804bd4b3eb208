"""What training makes of a network: its gradient's directions, its attractor, its solution."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..cells import VanillaRNN
from ..numerics.arrays import Array
from ..optimize import Adam
from ..spectrum.covariant import covariant_vectors
from ..spectrum.measure import lyapunov_spectrum
from ..training.tasks import TemporalXOR
from ..training.train import train
from .learning import schedule

#: Training epochs between two looks at a network.
EVERY = 200
#: Steps before and after those of which a look takes the mean, and these.
WARM, STEPS = 80, 120


class Trained(NamedTuple):
    """A network between two stretches of its training."""

    cell: Any
    W: Array  # of the readout, which has one output

    @property
    def direction(self) -> Array:
        """Return the gradient of a step's output in the state of that step, of unit length."""
        found: Array = self.W[0] / np.linalg.norm(self.W[0])
        return found


def dissect(
    lag: int,
    condition: str,
    network: int,
    *,
    n: int = 32,
    k: int | None = None,
    used: bool | str = False,
    epochs: int = 4000,
    episode: int = 300,
    n_steps: int = 100,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Train on the temporal XOR as `learn` does, with a look at the network every 200 epochs.

    Parameters
    ----------
    lag, network, n, k, epochs, episode, n_steps
        As for `learn`.
    condition : {"none", "before"}
    used : bool or "random", optional
        Floss, of 15/16 of all exponents, those k along whose Gram-Schmidt vectors the gradient is
        largest as the network is drawn, or any k, in place of the k leading ones.
    rng : Generator
    """
    task, start = TemporalXOR(lag), np.random.default_rng(network)
    drawn = VanillaRNN.random(n, bias=0.1, rng=start)
    readout = start.standard_normal((1, n)), np.zeros(1)
    inputs = task.sample(2 * WARM + STEPS, 1, start)[0][:, 0]
    flossed: dict[str, Any] = {"k": k}
    if used:
        share = shares(Trained(drawn, readout[0]), inputs)[: round(n * 15 / 16)]
        if used == "random":
            share = np.random.default_rng([network, 1]).random(len(share))
        flossed = {"weights": (share >= np.sort(share)[-(k or n) :][0]).astype(float)}
    seed = int(rng.integers(2**62))
    moving: dict[str, Any] = dict(readout=readout, optimizer=Adam(1e-3), rng=rng)
    cell, looks, curve, first = drawn, [look(Trained(drawn, readout[0]), lag, inputs)], [], drawn
    flossing = 0
    for epoch in range(0, epochs, EVERY):
        when = schedule(condition, n, episode=episode, **flossed) if epoch == 0 else None
        r = train(
            cell, task, EVERY, n_steps=n_steps, batch_size=16, clip_norm=0.03, schedule=when,
            **moving,
        )  # fmt: skip
        cell, moving = r.cell, dict(readout=r.readout, x0=r.x0, optimizer=r.optimizer, rng=rng)
        looks.append(look(Trained(cell, r.readout[0]), lag, inputs))
        curve.append(r.accuracy[-50:].mean())
        first = cell if epoch == 0 else first
        flossing += int(r.flossing_epochs.sum())
    u, y, mask = task.sample(n_steps, 200, np.random.default_rng([seed, 1]))
    return {
        "accuracy": task.accuracy(r.outputs(u), y, mask),
        "curve": curve,
        "flossing_epochs": flossing,
        **{name: [one[name] for one in looks] for name in looks[0]},
        "update_rank": effective_rank(cell.params["W"] - first.params["W"]),
        **portrait(cell, inputs),
    }


def look(trained: Trained, lag: int, inputs: Array) -> dict[str, float]:
    """Return how many exponents are near zero, and how much of the gradient lies along them.

    Near zero is what decays by less than a factor 100 over the lag, or grows. "overlap" is the
    share of the square of the direction in which an output reads the state that lies in the span
    of the covariant vectors of these exponents; as much as their share of all for one at random.
    """
    vectors = covariant_vectors(
        trained.cell, STEPS, inputs=inputs, transient=0, basis_transient=WARM,
        backward_transient=WARM, rng=0,
    )  # fmt: skip
    near = int(np.sum(vectors.exponents > -np.log(100) / lag))
    basis = np.linalg.qr(vectors.vectors[..., :near])[0]
    share = np.sum(np.matmul(trained.direction, basis) ** 2, axis=-1)
    return {"near": near, "overlap": float(np.mean(share))}


def shares(trained: Trained, inputs: Array) -> Array:
    """Return the share of the gradient's square along each Gram-Schmidt vector, in their order."""
    vectors = covariant_vectors(
        trained.cell, STEPS, inputs=inputs, transient=0, basis_transient=WARM,
        backward_transient=WARM, rng=0,
    ).vectors  # fmt: skip
    found: Array = np.mean(np.matmul(trained.direction, np.linalg.qr(vectors)[0]) ** 2, axis=0)
    return found


def portrait(cell: Any, inputs: Array) -> dict[str, Any]:
    """Return a network's exponents and the dimensions of its attractor, driven by a task.

    "dimension" is the participation ratio of the rates' covariance, "kaplan_yorke" the dimension
    by the exponents; the inputs' own is not in it.
    """
    spectrum = lyapunov_spectrum(
        cell, inputs=inputs, transient=WARM // 2, basis_transient=WARM, rng=0, record=False
    )
    x, rates = np.zeros(cell.dim), []
    for u in inputs:
        x = cell.step(x, u)
        rates.append(np.tanh(x))
    values = np.linalg.eigvalsh(np.cov(np.transpose(rates[WARM:])))
    return {
        "exponents": np.asarray(spectrum.exponents),
        "kaplan_yorke": float(spectrum.kaplan_yorke_dimension),
        "dimension": float(values.sum() ** 2 / np.sum(values**2)),
    }


def effective_rank(matrix: Array) -> float:
    r"""Return :math:`\exp(-\sum p_i \log p_i)` with :math:`p_i = \sigma_i / \sum \sigma`.

    References
    ----------
    O. Roy and M. Vetterli, EUSIPCO 2007.
    """
    sigma = np.linalg.svd(matrix, compute_uv=False)
    p = sigma[sigma > 0] / sigma.sum()
    return float(np.exp(-np.sum(p * np.log(p))))
