"""Fig. 6: flossing LSTM and ReLU networks."""

import numpy as np

from ... import (
    LSTM,
    Adam,
    DegenerateBasisError,
    DivergedError,
    VanillaRNN,
    floss,
    lyapunov_spectrum,
)
from ..compare import most
from ..gating import as_drawn
from ..harness import Finding, spread
from ..style import PALETTE, bands, panels

TITLE = "Flossing LSTM and ReLU networks"
CLAIMS = """
Flossing brings the first exponent, and several or all, of LSTM networks to zero in less than 100
epochs, and those of ReLU networks with negative mean weights, of which some are unstable before.
"""
SETTINGS = """
LSTM: 32 units, so 64 exponents, gains uniform in (0, 2), biases in (0, 1), one for each unit.
ReLU: 64 units, gains uniform in (1, 2.3), mean weight -1/N. Normal inputs and input weights, one
window of 56 steps per epoch, of which 40 are averaged, gradients clipped at 1, Adam at 0.003. The
paper leaves open sizes, gains, mean weight, window and learning rate, and does not clip. Only few
exponents of a ReLU network are finite, since half of its units are silent: eight are flossed.
"""

DIRECTIONS = {"lstm": (1, 32, 64), "relu": (1, 4, 8)}
NAMES = {"lstm": "LSTM", "relu": "ReLU"}
BLOCK = 5


def random_network(cell, number):
    start = np.random.default_rng(number)
    if cell == "lstm":
        return LSTM.random(32, gain=start.uniform(0, 2), bias=1.0, rng=start)
    gain = start.uniform(1, 2.3)
    return VanillaRNN.random(64, gain=gain, mean=-1 / 64, activation="relu", rng=start)


def floss_other_cells(cell, k, network, *, epochs=500, rng):
    before, inputs = random_network(cell, network), rng.standard_normal((3200, 1))
    window = dict(n_steps=40, transient=10, basis_transient=6)
    stopped = False
    try:
        with as_drawn():
            r = floss(before, epochs, k=k, clip_norm=1.0, optimizer=Adam(0.003), rng=rng, **window)
    except DegenerateBasisError as error:  # so many units fell silent that no gradient is left
        r, stopped = error.partial, True
    whole = r.exponents[: len(r.exponents) // BLOCK * BLOCK].reshape(-1, BLOCK, k)
    found = {
        "first": whole[..., 0].mean(axis=1),
        "squares": (whole**2).mean(axis=(1, 2)),
        "stopped": stopped,
    }
    warm = dict(transient=100, basis_transient=100)
    for name, one in (("before", before), ("after", r.cell)):
        try:
            s = lyapunov_spectrum(one, inputs=inputs, k=k, record=False, rng=rng, **warm)
        except DivergedError as error:  # ReLUs do not saturate: take the steps until then
            s, found["diverged"] = error.partial, [*found.get("diverged", []), name]
        found[name] = s.exponents
    return found


run = floss_other_cells


def points(scale):
    size = dict(epochs=300) if scale == "quick" else {}
    networks = range(2 if scale == "quick" else 10)
    return [
        dict(cell=cell, k=k, network=i, **size)
        for cell, every in DIRECTIONS.items()
        for k in every
        for i in networks
    ]


def plot(records):
    figure, axes = panels(2, 2)
    records = records.where(stopped=False)
    for row, (cell, every) in zip(axes, DIRECTIONS.items(), strict=True):
        first = records.where(cell=cell, k=1).values("first")
        x = BLOCK * (np.arange(first.shape[1]) + 0.5)
        for one, colour in zip(first, [*PALETTE, *PALETTE], strict=False):
            row[0].plot(x, one, lw=0.8, color=colour)
        row[0].axhline(0, color="0.6", lw=0.8, ls=":")
        row[0].set_ylabel(rf"{NAMES[cell]}: $\lambda_1$ (nats per step)")
        for k, colour in zip(every, PALETTE, strict=False):
            curves = records.where(cell=cell, k=k).values("squares")
            bands(row[1], x, curves, color=colour, label=f"k = {k}")
        row[1].set(ylabel=rf"{NAMES[cell]}: mean $\lambda_i^2$, $i \leq k$", yscale="log")
        row[1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        for ax in row:
            ax.set_xlabel("flossing epoch")
    return figure


def findings(records):
    found = []
    for cell, every in DIRECTIONS.items():
        first = records.where(cell=cell, k=1).values("first")
        at = np.abs(first[:, 80 // BLOCK : 100 // BLOCK].mean(axis=1))
        claim = f"{NAMES[cell]}: the first exponent reaches zero within 100 epochs, to 0.1"
        found.append(most(claim, at < 0.1, f"distance {spread(at, '.3f')}"))
        for k in every:
            some = records.where(cell=cell, k=k)
            stopped = [r["network"] for r in some if r["stopped"]]
            before = (some.values("before") ** 2).mean(axis=1)
            after = (some.values("after") ** 2).mean(axis=1)
            claim = (
                f"{NAMES[cell]}: the squares of {k} exponents fall towards zero: their mean is "
                "below 0.02 in a long run"
            )
            text = f"from {spread(before, '.2g')} to {spread(after, '.2g')}"
            text += f"; {len(stopped)} stopped early" if stopped else ""
            found.append(most(claim, after < 0.02, text))
    some = records.where(cell="relu", k=1)
    before, after = some.values("before")[:, 0], some.values("after")[:, 0]
    wild = before > 0.05
    gone = [sum(name in r.get("diverged", []) for r in some) for name in ("before", "after")]
    found.append(
        Finding(
            "ReLU: networks that were unstable are stabilised: first exponents above 0.05 fall "
            "below it",
            f"{wild.sum()} of {len(wild)} unstable, from {spread(before[wild], '.2f')} to "
            f"{spread(after[wild], '.3f')}; in 3200 steps {gone[0]} diverge before, {gone[1]} after"
            if wild.any()
            else "no network was unstable",
            bool(wild.any() and np.all(after[wild] < 0.05) and gone[1] == 0),
        )
    )
    return found
