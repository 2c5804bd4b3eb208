"""Variational dropout: units that are cut off for a whole sequence."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..optimize import recurrent_names
from .network import Network


def dropped(
    network: Network, probability: float, rng: np.random.Generator
) -> tuple[Network, dict[str, Array]]:
    """Cut the recurrent connections from some units, and scale those of the others.

    The same units for all steps and the whole batch, so that the network remains one map, which
    has exponents: Y. Gal and Z. Ghahramani, NeurIPS 2016.

    Returns
    -------
    network : Network
    masks : dict of str to array (N,)
        What multiplies the columns of each of the weights, and so of their gradients.
    """
    params = network.params
    masks: dict[str, Array] = {}
    for name in recurrent_names(params):
        drawn = rng.random(params[name].shape[-1])
        masks[name] = np.where(drawn >= probability, 1.0 / (1.0 - probability), 0.0)
    cut = {name: params[name] * mask for name, mask in masks.items()}
    return network.with_params({**params, **cut}), masks
