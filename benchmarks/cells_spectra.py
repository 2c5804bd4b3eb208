"""What the remedies for vanishing gradients do to the exponents: spectra of many kinds of cells.

    OMP_NUM_THREADS=1 python benchmarks/cells_spectra.py --image docs/images/cells.png

Each as its authors draw it, or of gain 1 where they say nothing; 64 units; white inputs of
variance 1; exponents per step. The deep stack is a feed-forward network with depth as time.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import lyapnet as ln

N = 64
COLORS = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999"


def systems(torch, examples):
    """Return the cells by name, in groups that one panel shows."""
    torch.manual_seed(0)
    deep = examples.DeepStack(N, 600, init="orthogonal")
    return {
        "plain": {
            "vanilla, Gaussian": ln.VanillaRNN.random(N, rng=0),
            "vanilla, orthogonal": ln.VanillaRNN.random(N, init="orthogonal", rng=0),
            "layer norm": examples.LayerNormRNN(N).system(),
            "deep stack, orthogonal": deep.system(),
        },
        "gates": {
            "GRU": ln.GRU.random(N, rng=0),
            "LSTM, forget bias 1": ln.LSTM.random(N // 2, bias={"forget": 1.0}, rng=0),
            "LSTM, chrono 100": ln.LSTM.random(N // 2, bias="chrono", t_max=100, rng=0),
            "minGRU": examples.MinGRU(N).system(),
        },
        "near the identity": {
            "coRNN": examples.CoRNN(N // 2).system(),
            "antisymmetric": examples.AntisymmetricRNN(N).system(),
            "Lipschitz": examples.LipschitzRNN(N, gain=0.1).system(),
            "LRU": examples.LRU(N // 2).system(),
            "neural ODE": examples.NeuralODE(N).system(),
        },
    }


def measured(system, n_steps):
    """Return exponents per step and their standard errors."""
    inputs = np.random.default_rng(0).standard_normal((n_steps + 200, system.n_inputs))
    if getattr(getattr(system, "module", None), "depths", None):
        inputs = system.module.depths()
    s = ln.lyapunov_spectrum(
        system,
        inputs=inputs,
        x0=np.full(system.dim, 0.1),
        transient=100,
        basis_transient=100,
        rng=0,
    )
    pairs = (("exponents", s.exponents), ("stderr", s.stderr))
    # a file of JSON knows no infinity
    return {
        name: [round(float(x), 6) if np.isfinite(x) else None for x in values * system.dt]
        for name, values in pairs
    }


def draw(found, path):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    for ax, (title, group) in zip(axes, found.items(), strict=True):
        for color, (name, spectrum) in zip(COLORS, group.items(), strict=False):
            lam = np.array(spectrum["exponents"], dtype=float)
            ax.plot(np.arange(1, len(lam) + 1) / len(lam), lam, color=color, lw=1.6, label=name)
        ax.axhline(0, color="0.6", lw=0.8, zorder=0)
        ax.set(title=title, xlabel="i / n")
        ax.legend(frameon=False, loc="lower left", fontsize=9)
    for ax in axes[:2]:
        ax.set_ylim(-4, 0.2)
    axes[0].set_ylabel("exponent (nats per step)")
    fig.savefig(path, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    try:
        import torch

        from lyapnet.torch import examples
    except ImportError:
        print("PyTorch is not installed: `pip install torch`")
        return 0
    found = {}
    for title, group in systems(torch, examples).items():
        found[title] = {}
        for name, system in group.items():
            found[title][name] = measured(system, 50 if options.quick else 1000)
            lam = np.array(found[title][name]["exponents"], dtype=float)
            print(f"{name:24} {lam[0]:8.4f} {lam[len(lam) // 2]:8.3f} {lam[-1]:8.3f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.image:
        draw(found, options.image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
