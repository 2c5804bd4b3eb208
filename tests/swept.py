"""Functions to sweep, a small grid, and no bar."""

import lyapnet as ln

GRID = {"a": [0, 1, 2]}
QUIET = {"progress": False}


def draw(a, rng):
    return {"a2": a**2, "x": rng.standard_normal(3)}


def sometimes(a, rng):
    if a == 1:
        raise RuntimeError("not this one")
    return a


def spectrum(gain, rng):
    return ln.lyapunov_spectrum(ln.VanillaRNN.random(4, gain=gain, rng=rng), 50, rng=rng)
