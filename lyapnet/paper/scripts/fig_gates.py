"""Beyond the paper: what flossing does to the gates of LSTM and GRU."""

import numpy as np

from ... import GRU, LSTM, Adam, floss, lyapunov_spectrum
from ..compare import most
from ..gating import HOLD, as_drawn, with_gates
from ..harness import spread
from ..style import COLOURS, bands, legend_below, panels

TITLE = "What flossing does to gates"
CLAIMS = """
Beyond the paper. A gated network can bring its exponents to zero by holding its state, and that is
what flossing finds when gates are as drawn: those that hold open, and the input hardly reaches the
state any more. Where gates are opened first, they stay where they are, and it is the recurrent
weights that bring the exponents to zero: the gain from input to state is kept.
"""
SETTINGS = """
N = 32 units, LSTM (dimension 64) or GRU, binary inputs, ten networks each, 30 exponents flossed for
300 epochs in windows of 55 steps of which 39 are averaged, Adam at 0.001, clipped at 1. Open:
biases of 4 with the sign that lets inputs in. Holding: the mean over units and 200 steps of a GRU's
update gate or of an LSTM's forget gate. Gain: the root mean square over these steps of the norm of
the derivative of the state in the input; exponents over the same input.
"""
#: Of the full data.
DIFFERING = {
    "LSTM, as drawn: the gain": "the forget gate holds the cell state, to which the input is "
    "added as before: the network becomes an integrator",
}

CELLS = {"gru": GRU, "lstm": LSTM}
GATES = {None: "as drawn", 4.0: "open"}
N, K, EVERY = 32, 30, 20
MEASURED = ("square", "holding", "gain")


def floss_gates(cell, gates, network, *, epochs=300, rng):
    start = np.random.default_rng(network)
    system = CELLS[cell].random(N, bias=0.1, rng=start)
    if gates is not None:
        system = with_gates(system, gates, N, start)
    inputs = start.integers(0, 2, (260, 1)).astype(float)
    found = [measure(system, inputs)]

    def watch(progress):
        if progress.epoch % EVERY == 0:
            found.append(measure(progress.cell, inputs))

    with as_drawn():
        floss(
            system, epochs, k=K, n_steps=39, transient=10, basis_transient=6, clip_norm=1.0,
            inputs=lambda rng: rng.integers(0, 2, (55, 1)).astype(float),
            optimizer=Adam(1e-3), rng=rng, callback=watch,
        )  # fmt: skip
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def measure(system, inputs):
    """Return how far a network's gates hold, its gain from input to state, and its exponents."""
    spectrum = lyapunov_spectrum(system, inputs=inputs, k=K, transient=60, rng=0, record=False)
    x, holding, gain = np.zeros(system.dim), [], []
    at = system.gates.index(next(iter(HOLD[system.gates])))
    for u in inputs:
        holding.append(np.mean(system._values(x, u)[0][at]))
        gain.append(np.sum(system.input_jacobian(x, u) ** 2))
        x = system.step(x, u)
    return {
        "holding": np.mean(holding[60:]),
        "gain": np.sqrt(np.mean(gain[60:])),
        "square": np.mean(spectrum.exponents**2),
    }


run = floss_gates


def points(scale):
    networks, more = (3, {"epochs": 100}) if scale == "quick" else (10, {})
    return [
        dict(cell=cell, gates=gates, network=i, **more)
        for i in range(networks)
        for cell in CELLS
        for gates in GATES
    ]


def plot(records):
    figure, axes = panels(3, 2)
    colours = {None: COLOURS["none"], 4.0: COLOURS["during"]}
    for row, cell in zip(axes, CELLS, strict=True):
        for ax, name, label in zip(
            row,
            MEASURED,
            (r"mean $\lambda_i^2$, $i \leq 30$", "opening of the holding gate", "gain from input"),
            strict=True,
        ):
            for gates, text in GATES.items():
                some = records.where(cell=cell, gates=gates)
                if some:
                    curves = some.values(name)
                    x = EVERY * np.arange(curves.shape[1])
                    bands(ax, x, curves, color=colours[gates], label=text)
            ax.set(xlabel="flossing epoch", ylabel=label)
            ax.set_yscale("log" if name != "holding" else "linear")
        row[1].set(ylim=(0, 1))
        row[2].set(ylim=(0.01, 10))
        row[0].set_title(cell.upper(), fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = []
    for cell in CELLS:
        name = cell.upper()
        for gates, text in GATES.items():
            some = records.where(cell=cell, gates=gates)
            if not some:
                continue
            first, last = ({x: some.values(x)[:, i] for x in MEASURED} for i in (0, -1))
            square = f"from {spread(first['square'], '.2g')} to {spread(last['square'], '.2g')}"
            claim = f"{name}, {text}: mean square of the exponents below 0.02 in the end"
            found.append(most(claim, last["square"] < 0.02, square))
            hold = f"from {spread(first['holding'], '.2f')} to {spread(last['holding'], '.2f')}"
            gain = f"from {spread(first['gain'], '.2f')} to {spread(last['gain'], '.2f')}"
            ratio = last["gain"] / first["gain"]
            if gates is None:
                claim = f"{name}, {text}: the gates that hold open"
                found.append(most(claim, last["holding"] > first["holding"] + 0.1, hold))
                claim = f"{name}, {text}: the gain from input to state falls below a half"
                found.append(most(claim, ratio < 0.5, gain))
            else:
                claim = f"{name}, {text}: the gain from input to state is kept, to a half"
                found.append(most(claim, abs(np.log2(ratio)) < 1, gain))
                claim = f"{name}, {text}: the gates that hold stay closed, below 0.1"
                found.append(most(claim, last["holding"] < 0.1, hold))
    return found
