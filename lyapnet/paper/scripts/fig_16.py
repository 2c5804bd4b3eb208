"""Fig. 16: exponents of one network converge from ten initial conditions."""

import numpy as np

from ... import VanillaRNN, lyapunov_spectrum
from ..harness import Finding
from ..style import ORDERED, panels

TITLE = "Convergence of the exponents from ten initial conditions of one network"
CLAIMS = """
The estimates of the exponents of one network, from ten initial conditions, converge to the same
values as the run gets longer.
"""
SETTINGS = """
N = 80 tanh units; without input at gain 2, where the network is chaotic, and at gain 1 under normal
inputs, others for each initial condition. 20 000 steps, exponents 1, 10, 20, 40 and 80. The paper
leaves open size, gain and inputs.
"""

N, SHOWN = 80, (1, 10, 20, 40, 80)
KINDS = {"chaotic": "no input, gain 2", "driven": "inputs, gain 1"}


def converge_from_ten(kind, *, n_steps=20_000, rng):
    gain = 2.0 if kind == "chaotic" else 1.0
    cell = VanillaRNN.random(N, gain=gain, rng=np.random.default_rng(0))
    warm = dict(transient=500, basis_transient=200)
    u = rng.standard_normal((n_steps + 700, 10, 1)) if kind == "driven" else None
    s = lyapunov_spectrum(
        cell, n_steps, inputs=u, x0=rng.standard_normal((10, N)), rng=rng, qr_interval=1, **warm
    )
    at = np.unique(np.geomspace(10, n_steps, 40).astype(int)) - 1
    chosen = np.array(SHOWN) - 1
    return {
        "times": s.times[at],
        "running": s.running()[at][..., chosen],
        "exponents": s.exponents[:, chosen],
        "stderr": s.stderr[:, chosen],
    }


run = converge_from_ten


def points(scale):
    size = dict(n_steps=3000) if scale == "quick" else {}
    return [dict(kind=kind, **size) for kind in KINDS]


def plot(records):
    import matplotlib.pyplot as plt

    figure, axes = panels(2, height=2.6)
    for ax, r in zip(axes, records, strict=True):
        running = np.array(r["running"])
        # The last exponent lies so low that the others could not be told apart.
        colours = plt.get_cmap(ORDERED)(np.linspace(0, 0.9, len(SHOWN) - 1))
        for j, colour in enumerate(colours):
            ax.plot(r["times"], running[..., j], color=colour, lw=0.7)
            ax.plot([], [], color=colour, label=f"i = {SHOWN[j]}")
        ax.set(xlabel="averaged steps", ylabel=r"$\lambda_i$ (nats per step)", xscale="log")
        ax.set_title(KINDS[r["kind"]], fontsize=8)
    axes[1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def findings(records):
    found = []
    for r in records:
        times, running = np.array(r["times"]), np.array(r["running"])
        width = running.std(axis=1, ddof=1).mean(axis=-1)
        late = times >= 100
        rate = np.polyfit(np.log(times[late]), np.log(width[late]), 1)[0]
        found.append(
            Finding(
                f"{r['kind']}: estimates from ten initial conditions approach each other, about as "
                "the inverse root of time or faster",
                f"standard deviation {width[0]:.3f} after {times[0]:.0f} steps, {width[-1]:.5f} "
                f"after {times[-1]:.0f}, as t^{rate:.2f}",
                bool(rate < -0.35),
            )
        )
        exponents, stderr = np.array(r["exponents"]), np.array(r["stderr"])
        ratio = exponents.std(axis=0, ddof=1) / np.sqrt((stderr**2).mean(axis=0))
        found.append(
            Finding(
                f"{r['kind']}: the standard errors of each run explain how the ten differ at the "
                "end, by a factor of two either way",
                "standard deviation over standard error " + ", ".join(f"{x:.2f}" for x in ratio),
                bool(np.all((ratio > 0.5) & (ratio < 2))),
            )
        )
    return found
