"""Runs by both engines, and whether they are the same."""

from importlib import import_module

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

#: The module, whose name is also that of a function.
LOOP = import_module("lyapnet.compiled.loop")


def on_arrays(patch, whole):
    """Let all systems be written down on whole arrays, or none, as far as they can be."""
    patch.setattr("lyapnet.systems.engine.least_for", lambda *_: -1 if whole else np.inf)
    patch.setattr(LOOP, "EACH", 0)


def both(system, n_steps, **options):
    """Run a system by both engines, few steps: chaos sets rounding apart."""
    options = {"transient": 3, "basis_transient": 5, "rng": 0, **options}
    runs = [
        ln.lyapunov_spectrum(ln.compiled(system, engine), n_steps, **options)
        for engine in ("compiled", "numpy")
    ]
    assert [s.settings["engine"] for s in runs] == ["compiled", "numpy"]
    return runs


def agree(a, b, rtol=1e-9, atol=1e-11):
    assert_allclose(a.state, b.state, rtol=rtol, atol=atol)
    assert_allclose(a.log_growth, b.log_growth, rtol=rtol, atol=atol)
    assert_allclose(a.exponents, b.exponents, rtol=rtol, atol=atol)
    assert_allclose(a.stderr, b.stderr, rtol=1e-6, atol=atol)
    assert_array_equal(a.times, b.times)
    assert a.settings["qr_interval"] == b.settings["qr_interval"]
