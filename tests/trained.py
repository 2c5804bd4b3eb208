"""A small network, a batch for it, and the settings of a run of seconds."""

import numpy as np

import lyapnet as ln
from lyapnet.training.losses import as_weights
from lyapnet.training.network import Batch, Network, Readout

SMALL = {"n_steps": 12, "batch_size": 3, "rng": 0}


def network(n=6, m=1, p=1, **kwargs):
    rng = np.random.default_rng(1)
    cell = ln.VanillaRNN.random(n, n_inputs=m, **{"bias": 0.1, "gain": 1.2, "rng": 2, **kwargs})
    readout = Readout(rng.standard_normal((p, n)), rng.standard_normal(p))
    return Network(cell, readout, rng.standard_normal(n))


def batch(m=1, p=1, T=9, B=3, shared=True):
    rng = np.random.default_rng(3)
    mask = np.arange(T) >= 4 if shared else rng.random((T, B)) * (np.arange(T) >= 2)[:, None]
    targets = rng.integers(0, 2, (T, B, p)).astype(float)
    return Batch(rng.standard_normal((T, B, m)), targets, as_weights(mask, (T, B)))
