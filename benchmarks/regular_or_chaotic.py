"""Verdicts of `alignment` and of spectra on 200 starts each, held against runs of 10^6 steps.

The truth is the growth of one tangent vector over the long run, compiled by numba, as is the map
itself: exponential if it is more than a thousand times linear. A spectrum calls an orbit chaotic
if the 95 % interval of its largest exponent lies above zero. Run it as

    OMP_NUM_THREADS=1 python benchmarks/regular_or_chaotic.py

which prints the table of docs/guides/regular_or_chaotic.md.
"""

from __future__ import annotations

import numba
import numpy as np

import lyapnet as ln

STARTS, LONG = 200, 10**6


@numba.njit
def standard_growth(k, starts, n):
    out = np.empty(len(starts))
    for i in range(len(starts)):
        theta, p = starts[i]
        a, b, total = 1.0, 0.3, 0.0
        for t in range(n):
            b += k * np.cos(theta) * a
            a += b
            p += k * np.sin(theta)
            theta = (theta + p) % (2 * np.pi)
            if t % 32 == 31:
                size = abs(a) + abs(b)
                total += np.log(size)
                a /= size
                b /= size
        out[i] = total + np.log(abs(a) + abs(b))
    return out


@numba.njit
def kick(x, w, h):
    q1, q2 = x[0], x[1]
    x[2] -= h * (q1 + 2 * q1 * q2)
    x[3] -= h * (q2 + q1 * q1 - q2 * q2)
    w[2] -= h * ((1 + 2 * q2) * w[0] + 2 * q1 * w[1])
    w[3] -= h * (2 * q1 * w[0] + (1 - 2 * q2) * w[1])


@numba.njit
def henon_heiles_growth(h, starts, n):
    out = np.empty(len(starts))
    for i in range(len(starts)):
        x, w, total = starts[i].copy(), np.array([1.0, 0.4, -0.3, 0.2]), 0.0
        for t in range(n):
            kick(x, w, h / 2)
            x[:2] += h * x[2:]
            w[:2] += h * w[2:]
            kick(x, w, h / 2)
            if t % 32 == 31:
                size = np.abs(w).sum()
                total += np.log(size)
                w /= size
        out[i] = total + np.log(np.abs(w).sum())
    return out


def on_shell(energy, rng):
    """Return starts of an energy with q1 = 0."""
    found = []
    while len(found) < STARTS:
        q2, p2 = rng.uniform(-0.5, 0.95), rng.uniform(-0.55, 0.55)
        rest = 2 * energy - p2**2 - q2**2 + 2 * q2**3 / 3
        if rest > 0:
            found.append([0.0, q2, np.sqrt(rest), p2])
    return np.array(found)


def report(name, system, starts, n_steps, growth):
    chaotic = growth > np.log(1e3 * LONG * system.dt)
    for n in n_steps:
        verdict = ln.alignment(system, n, x0=starts, rng=0).verdict
        spectrum = ln.lyapunov_spectrum(system, n, k=2, x0=starts, record=False, rng=0)
        above = spectrum.confidence_interval()[0][:, 0] > 0
        pairs = [
            (~chaotic, chaotic),
            (~chaotic & (verdict == "chaotic"), chaotic & (verdict == "regular")),
            (~chaotic & (verdict == "undecided"), chaotic & (verdict == "undecided")),
            (~chaotic & above, chaotic & ~above),
        ]
        cells = [f"{first.sum()}, {second.sum()}" for first, second in pairs]
        print(f"| {name} | {n} | {' | '.join(cells)} |", flush=True)


def main():
    print(
        "| system | steps | regular, chaotic | `alignment` wrong | undecided | spectrum wrong |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    rng = np.random.default_rng(0)
    for k in (0.3, 0.9):
        starts = rng.uniform(0, 2 * np.pi, (STARTS, 2))
        growth = standard_growth(k, starts, LONG)
        report(
            f"standard map, k = {k}", ln.catalog.standard(k=k), starts, (10_000, 100_000), growth
        )
    starts = np.stack([rng.uniform(-3.1, 3.1, STARTS), rng.uniform(-2.5, 2.5, STARTS)], axis=-1)
    report("pendulum", ln.catalog.pendulum(), starts, (20_000,), np.zeros(STARTS))  # integrable
    for name, energy in (("1/12", 1 / 12), ("1/8", 1 / 8)):
        starts = on_shell(energy, rng)
        growth = henon_heiles_growth(0.05, starts, LONG)
        report(f"Hénon-Heiles, E = {name}", ln.catalog.henon_heiles(), starts, (40_000, 200_000),
               growth)  # fmt: skip


if __name__ == "__main__":
    main()
