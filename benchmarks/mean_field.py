"""Mean-field theory beside finite random networks: gains at which they are critical, spectra.

    python benchmarks/mean_field.py [--quick] [--json FILE]

Critical gains under inputs of several variances, by `driven_gain`, and where the largest exponent
of networks of 300 units, 50 independent inputs, 800 steps, crosses zero: between gains 10 % below
and above, as a straight line. Spectra by `mean_field_spectrum`, and those of networks of 200 units
under 100 inputs.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import lyapnet as ln

KINDS = {
    "vanilla": ("vanilla", {}),
    "vanilla, leak 0.3": ("vanilla", {"leak": 0.3}),
    "GRU": ("gru", {}),
    "LSTM, forget bias 1": ("lstm", {"bias": {"forget": 1.0}}),
}
CELLS = {"vanilla": ln.VanillaRNN, "gru": ln.GRU, "lstm": ln.LSTM}
#: Gain and input variance of the spectra.
SPECTRA = ((0.8, 0.0), (3.0, 0.0), (1.5, 1.0))


def exponents(kind, options, gain, variance, *, n, m, n_steps, k, seed):
    """Return the leading exponents of one network."""
    rng = np.random.default_rng(seed)
    cell = CELLS[kind].random(n, gain=gain, n_inputs=m, rng=rng, **options)
    inputs = np.sqrt(variance / m) * rng.standard_normal((n_steps + 300, m))
    s = ln.lyapunov_spectrum(
        cell, inputs=inputs, k=k, transient=200, basis_transient=100, record=False, rng=rng
    )
    return s.exponents


def crossing(kind, options, gain, variance, seed, n_steps):
    """Return the gain at which the largest exponent of one network is zero."""
    gains = np.array([0.9, 1.1]) * gain
    lam = [
        exponents(kind, options, g, variance, n=300, m=50, n_steps=n_steps, k=1, seed=seed)[0]
        for g in gains
    ]
    return float(gains[0] - lam[0] * (gains[1] - gains[0]) / (lam[1] - lam[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one variance, one network")
    parser.add_argument("--json", metavar="FILE", type=Path)
    options = parser.parse_args()
    variances = [1.0] if options.quick else [0.1, 1.0, 10.0]
    gains = {}
    for name, (kind, more) in KINDS.items():
        theory = [ln.driven_gain(kind, input_variance=v, **more) for v in variances]
        networks = [
            {"variance": v, "gains": [
                crossing(kind, more, theory[variances.index(v)], v, seed, 800)
                for seed in range(2)
            ]} for v in variances
        ]  # fmt: skip
        gains[name] = {"variances": variances, "theory": theory, "networks": networks}
        print(name, np.round(theory, 3), networks, flush=True)
    spectra = [
        {
            "gain": gain, "variance": variance,
            "theory": [x if np.isfinite(x) else None for x in
                       ln.mean_field_spectrum(gain, 200, input_variance=variance)],
            "network": exponents("vanilla", {}, gain, variance, n=200, m=100,
                                 n_steps=100 if options.quick else 600, k=200, seed=0).tolist(),
        } for gain, variance in SPECTRA
    ]  # fmt: skip
    if options.json:
        report = {"critical gains": gains, "spectra": spectra}
        options.json.write_text(json.dumps(report) + "\n")
    off = {
        (name, one["variance"]): max(
            abs(g / found["theory"][found["variances"].index(one["variance"])] - 1)
            for g in one["gains"]
        ) for name, found in gains.items() for one in found["networks"]
    }  # fmt: skip
    loud = max(x for (_, variance), x in off.items() if variance >= 1)
    print(f"critical gains of networks and of theory differ by at most {max(off.values()):.1%},")
    print(f"with inputs of a variance of 1 and more by {loud:.1%} (claim: 10 %)")
    return 0 if loud < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
