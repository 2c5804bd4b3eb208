"""Loops in files."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln


@pytest.mark.parametrize("cell", [ln.GRU.random(5, rng=0), ln.LSTM.random(4, rng=0)])
def test_a_loop_is_saved_with_its_cell(cell, tmp_path):
    loop = ln.ClosedLoop(cell, np.full((1, cell.dim), 0.3), [0.1])
    there = ln.load(loop.save(tmp_path / "loop.npz"), ln.ClosedLoop)
    exponents = [ln.lyapunov_spectrum(x, 60, rng=0).exponents for x in (loop, there)]
    assert_array_equal(*exponents)


def test_a_readout_sees_what_that_of_a_stack_does():
    stack = ln.Stack([ln.GRU.random(3, n_inputs=1, rng=0), ln.LSTM.random(2, n_inputs=3, rng=1)])
    C = np.array([[0.3, -0.5]])
    whole = np.zeros((1, stack.dim))
    whole[:, stack.visible] = C
    x = np.random.default_rng(2).standard_normal(stack.dim)
    assert_array_equal(ln.ClosedLoop(stack, C).step(x), ln.ClosedLoop(stack, whole).step(x))
    expected = stack.step(x, C @ x[stack.visible])
    assert_allclose(ln.ClosedLoop(stack, C).step(x), expected, rtol=1e-14)
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 1, 2\)"):
        ln.ClosedLoop(stack, np.ones((1, 4)))


def test_of_a_map_there_is_nothing_to_save(tmp_path):
    driven = ln.Map(lambda x, u: 0.5 * x + u, 2, n_inputs=1)
    with pytest.raises(ValueError, match="save `params`"):
        ln.ClosedLoop(driven, [[0.1, 0.2]]).save(tmp_path / "loop.npz")
