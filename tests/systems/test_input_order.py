"""Arguments in the other order: with as many inputs as states nothing would show."""

import warnings

import numpy as np
import pytest

import lyapnet as ln


def test_names_that_do_not_tell_are_asked_about():
    # Before: the exponents of a step in which states and inputs are exchanged, without a word.
    W = np.diag([0.5, 0.2])
    with pytest.warns(UserWarning, match=r"takes \(a, b\) and is called as step\(x, u\)"):
        ln.Map(lambda a, b: W @ b + a, 2, n_inputs=2)


@pytest.mark.parametrize(
    ("step", "n_inputs"),
    [
        (lambda x, u: x + u, 2),
        (lambda z, drive: z + drive, 2),
        (lambda state, b: state + b, 2),
        (lambda a, u: a + u, 2),
        (lambda a, b: a + b[:1], 1),  # the other order would fail
    ],
)
def test_names_that_tell_and_other_shapes_are_not(step, n_inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ln.Map(step, 2, n_inputs=n_inputs)
