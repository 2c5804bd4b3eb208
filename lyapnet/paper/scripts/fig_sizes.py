"""Beyond the paper: one setting that trains networks of every size on lags of 0.9 N."""

import numpy as np

from ... import SOAP, Adam, AdaptiveFlossing, VanillaRNN, train
from ...training.tasks import TemporalXOR
from ..compare import learned, learning_time, most, percent
from ..draw import draw_arms
from ..harness import Finding
from ..learning import PEAK, floored_log, one_cycle, thinned
from ..style import COLOURS, PALETTE, legend_below, panels
from .fig_rule import lag_of

TITLE = "Lags of 0.9 N from 16 to 320 units, in steps along principal directions"
CLAIMS = """
Beyond the paper: one setting, for networks of 16 to 320 units, learns lags of 0.9 N, with no more
than one flossing epoch for twenty of the plan. It is adaptive flossing in ever smaller steps, until
all of the gradient comes back, and training by `SOAP`, Adam along the principal directions of the
gradients in W. Without flossing large networks stay at chance, and by Adam they learn later.
"""
SETTINGS = """
N = 16 to 320 tanh units, gain 1, ten networks each, binary temporal XOR of a lag of 0.9 N, batch
16, sequences of three lags, of 100 steps at least, gradients clipped at 0.03 in each parameter,
readouts drawn with a standard deviation of 1/sqrt(N). `AdaptiveFlossing(slower=2, until=1.0,
most=800)` of 15/16 of N exponents, in windows of a quarter of the lag, of 39 steps at least. A plan
of 16 000 epochs: after a warm-up of 1000 the learning rate rises along half a cosine from a quarter
of 128 / N^2 (0.01 at most) until half of the epochs, and falls to zero at the end; by Adam it is
2 N^(-3/2). A run ends sooner when it has answered 95 % right, on average over 200 epochs. Accuracy
on 200 fresh sequences.
"""

#: The plan: epochs, those of the warm-up, and flossing in percent of them.
EPOCHS, WARM, MOST = 16_000, 1000, 5
#: A run ends when it has answered so many right, on average over so many epochs.
ENOUGH, OVER = 0.95, 200

#: How networks are trained and flossed: first what is claimed to work.
OURS, BY_ADAM, UNFLOSSED = ("soap", "rule"), ("adam", "rule"), ("soap", "none")
ARMS = {
    OURS: dict(color=COLOURS["rule"], label="SOAP, adaptive flossing"),
    BY_ADAM: dict(color=PALETTE[1], label="Adam, adaptive flossing"),
    UNFLOSSED: dict(color=COLOURS["none"], label="SOAP, no flossing"),
}
#: Networks of fewer units learn in any of these ways.
LARGE = 80
#: Their sizes, and how many networks there are of each.
SIZES = {OURS: (16, 32, 64, 80, 160, 320), BY_ADAM: (16, 32, 80), UNFLOSSED: (16, 32, 80)}
NETWORKS = {OURS: 10, BY_ADAM: 5, UNFLOSSED: 5}


def learn_size(n, network, optimizer, condition, *, epochs=EPOCHS, rng):
    lag, steps = lag_of(n), {"soap": SOAP, "adam": Adam}[optimizer]()
    task, n_steps = TemporalXOR(lag), max(100, 3 * lag)
    schedule = AdaptiveFlossing(
        k=round(n * 15 / 16), n_steps=max(39, lag // 4), transient=10, basis_transient=6,
        slower=2, until=1.0, most=epochs * MOST // 100,
    )  # fmt: skip
    result = train(
        VanillaRNN.random(n, n_inputs=1, bias=0.1, rng=np.random.default_rng(network)),
        task, epochs, n_steps=n_steps, batch_size=16, clip_norm=0.03, readout=n**-0.5,
        optimizer=steps, learning_rate=rates(n, optimizer, epochs),
        schedule=schedule if condition == "rule" else None, callback=has_learned, rng=network,
    )  # fmt: skip
    return outcome(result, task, n_steps, network)


def rates(n, optimizer, epochs):
    """Return the learning rate as a function of the epoch."""
    top = min(0.01, 128 / n**2) if optimizer == "soap" else 2 * n**-1.5
    return one_cycle(top / PEAK, epochs, WARM * epochs / EPOCHS)


def has_learned(progress):
    return progress.accuracy[-OVER:].mean() > ENOUGH


def outcome(result, task, n_steps, network):
    """Return what is kept of a run: how well it does, and how it came there."""
    u, y, mask = task.sample(n_steps, 200, np.random.default_rng([network, 2]))
    transmission = thinned(floored_log(result.diagnostics["transmission"]))
    return {
        "accuracy": task.accuracy(result.outputs(u), y, mask),
        "trained": len(result.accuracy),
        "flossing_epochs": int(result.flossing_epochs.sum()),
        "curve": thinned(result.accuracy).round(4),
        "log_transmission": transmission.round(3),
    }


run = learn_size


def points(scale):
    if scale == "quick":
        return [point(OURS, n, i, epochs=800) for i in range(2) for n in (12, 16)]
    return [point(name, n, i) for name in ARMS for i in range(NETWORKS[name]) for n in SIZES[name]]


def point(name, n, network, **more):
    optimizer, condition = name
    return dict(n=n, network=network, optimizer=optimizer, condition=condition, **more)


def arm(records, name):
    optimizer, condition = name
    return records.where(optimizer=optimizer, condition=condition)


def plot(records):
    figure, axes = panels(3)
    sizes = records.each("n")
    here = {name: some for name in ARMS if (some := arm(records, name))}
    for i, (name, some) in enumerate(here.items()):
        look, shift = ARMS[name], 0.2 * (i - (len(here) - 1) / 2)
        arms = {f"{n}": some.where(n=n) for n in sizes}
        draw_arms(*axes[:2], arms, {**look, "fmt": "o"}, shift)
        for place, one in enumerate(arms.values()):
            epochs = learning_time(one)
            at = np.full(len(epochs), place + shift)
            axes[2].plot(at, epochs, "o", ms=2.5, mew=0, alpha=0.6, color=look["color"])
    axes[2].set_xticks(range(len(sizes)), [f"{n}" for n in sizes], fontsize=6.5)
    axes[2].set(ylabel="epochs until 90 %", ylim=(0, None))
    for ax in axes:
        ax.set(xlabel="number N of units, lag 0.9 N", xlim=(-0.5, len(sizes) - 0.5))
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    found = []
    ours, by_adam, unflossed = (arm(records, name) for name in ARMS)
    for n in ours.each("n"):
        some = ours.where(n=n)
        text = f"{percent(some.values('accuracy'))}, 90 % after {until(some)}"
        found.append(most(f"N = {n}: most networks learn lag {lag_of(n)}", learned(some), text))
    for n in (n for n in unflossed.each("n") if n >= LARGE):
        some = unflossed.where(n=n)
        claim = f"N = {n}: most networks fail without flossing"
        found.append(most(claim, ~learned(some), percent(some.values("accuracy"))))
    for n in (n for n in by_adam.each("n") if n >= LARGE):
        soap, adam = (epochs_of(some.where(n=n)) for some in (ours, by_adam))
        later = [adam[i] > soap[i] for i in adam if i in soap]
        text = f"90 % after {until(by_adam.where(n=n))}"
        found.append(most(f"N = {n}: most networks learn later by Adam", later, text))
    if ours:
        share = np.array([100 * r["flossing_epochs"] / r.get("epochs", EPOCHS) for r in ours])
        text = f"{share.min():.1f} to {share.max():.1f} %"
        claim = "no more than one flossing epoch for twenty of the plan"
        found.append(Finding(claim, text, bool(share.max() <= MOST)))
    return found


def epochs_of(records):
    """Return by the number of a network when it came to 90 %."""
    epochs = learning_time(records)
    return {r["network"]: at for r, at in zip(records, epochs, strict=True)}


def until(records):
    """Write down when the networks came to 90 %, those that did."""
    epochs = learning_time(records)
    epochs = epochs[np.isfinite(epochs)]
    return f"{epochs.min():.0f} to {epochs.max():.0f} epochs" if len(epochs) else "never"
