"""What the singular values of a long product are, and how well they are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arithmetic import FloatArray


@dataclass(eq=False)
class Measured:
    """Singular values at some steps.

    Attributes
    ----------
    log10_values : ndarray, shape (m, k)
        Descending; NaN where unresolved, -inf where proved to be zero.
    log10_condition : ndarray, shape (m,)
        Largest over smallest: not the difference of the rounded logarithms.
    spread : ndarray, shape (m,)
        Bound of the error of each logarithm, in nats; infinite where unresolved.
    needed_bits : ndarray, shape (m,)
        How many bits would resolve the values, about.
    reasons : list of str
        Why values are missing or infinite.
    """

    log10_values: FloatArray
    log10_condition: FloatArray
    spread: FloatArray
    needed_bits: FloatArray
    reasons: list[str]


def default_generator() -> np.random.Generator:
    """Return the generator of the directions that only serve the algorithm, always the same."""
    return np.random.default_rng(20231217)
