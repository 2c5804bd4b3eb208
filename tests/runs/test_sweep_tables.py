"""Tables and pictures of sweeps."""

import numpy as np
import pytest
from swept import GRID, QUIET, sometimes, spectrum

import lyapnet as ln

pytest.importorskip("joblib")


def both(a, b, rng):
    return {"sum": a + b, "pair": np.array([a, b])}


def number(a, rng):
    return a + 0.1 * rng.random()


def test_a_full_grid_becomes_a_dataset():
    pytest.importorskip("xarray")
    grid = {"a": [3, 1], "b": [0.5, 1.5, 2.5]}
    data = ln.sweep(both, grid, seeds=2, rng=0, **QUIET).to_xarray()
    assert data["sum"].dims == ("a", "b", "seed")
    assert data["pair"].dims == ("a", "b", "seed", "pair_0")
    assert list(data["a"].values) == [3, 1]
    assert data["sum"].sel(a=1, b=2.5, seed=1) == 3.5
    assert list(data["pair"].sel(a=3, b=0.5, seed=0)) == [3, 0.5]


def test_runs_that_failed_are_nan_in_a_dataset():
    pytest.importorskip("xarray")
    data = ln.sweep(sometimes, GRID, rng=0, **QUIET).to_xarray()
    np.testing.assert_array_equal(data["value"].sel(seed=0), [0, np.nan, 2])


def test_what_is_no_grid_says_so():
    pytest.importorskip("xarray")
    some = ln.sweep(both, [{"a": 1, "b": 1}, {"a": 2, "b": 2}], rng=0, **QUIET)
    with pytest.raises(ValueError, match=r"2 x 2 x 1 \(a, b, seed\): use `to_dataframe`"):
        some.to_xarray()
    whole = ln.sweep(spectrum, {"gain": [0.5]}, rng=0, **QUIET)
    with pytest.raises(TypeError, match="a Spectrum, and only numbers"):
        whole.to_xarray()
    ragged = ln.sweep(lambda a, rng: np.ones(a), {"a": [1, 2]}, rng=0, **QUIET)
    with pytest.raises(ValueError, match="different shapes"):
        ragged.to_xarray()
    with pytest.raises(ValueError, match="'a' is both"):
        ln.sweep(lambda a, rng: {"a": a}, GRID, rng=0, **QUIET).to_xarray()
    with pytest.raises(ValueError, match="all runs have failed"):
        ln.sweep(sometimes, {"a": [1]}, rng=0, **QUIET).to_xarray()


def test_a_sweep_over_one_number_draws_its_median():
    pytest.importorskip("matplotlib")
    found = ln.sweep(number, GRID, seeds=3, rng=0, **QUIET)
    ax = found.plot()
    dots, median = ax.lines
    assert len(dots.get_xdata()) == 9
    expected = np.median(np.reshape(found.values, (3, 3)), axis=1)
    np.testing.assert_array_equal(median.get_ydata(), expected)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "value")
    named = ln.sweep(both, {"a": [1, 2], "b": [0]}, rng=0, **QUIET).plot(value="sum")
    assert named.get_ylabel() == "sum"


def test_a_sweep_over_two_numbers_is_a_plane():
    pytest.importorskip("matplotlib")

    def product(a, b, rng):
        if (a, b) == (2, 30):
            raise RuntimeError("not this one")
        return a * b

    ax = ln.sweep(product, {"a": [1, 2], "b": [10, 20, 30]}, seeds=2, rng=0, **QUIET).plot()
    (mesh,) = ax.collections
    shown = np.reshape(mesh.get_array(), (3, 2))
    assert shown.mask.tolist() == [[False, False], [False, False], [False, True]]
    assert shown.filled(0).tolist() == [[10, 20], [20, 40], [30, 0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")


def test_what_cannot_be_drawn_says_so():
    pytest.importorskip("matplotlib")
    three = {"a": [1, 2], "b": [1, 2], "c": [1, 2]}
    with pytest.raises(ValueError, match="two parameters that vary, got 'a', 'b', 'c'"):
        ln.sweep(lambda a, b, c, rng: a + b + c, three, rng=0, **QUIET).plot()
    with pytest.raises(ValueError, match="not 'a'"):
        ln.sweep(lambda a, rng: 1, {"a": ["x", "y"]}, rng=0, **QUIET).plot()
    with pytest.raises(ValueError, match=r"`value` must be one of \['sum'\]"):
        ln.sweep(both, {"a": [1, 2], "b": [0]}, rng=0, **QUIET).plot(value="pair")


def test_a_table_has_the_errors_of_runs_that_failed_and_no_column_for_what_they_lack():
    frame = ln.sweep(sometimes, GRID, rng=0, **QUIET).to_dataframe()
    assert frame["error"][1] == "RuntimeError: not this one"
    assert frame["error"].isna().sum() == 2

    def fails(a, rng):
        return {"b": 1 / a}

    frame = ln.sweep(fails, {"a": [0, 1]}, rng=0, **QUIET).to_dataframe()
    assert list(frame.columns) == ["a", "seed", "error", "b"]
    assert "error" not in ln.sweep(number, GRID, rng=0, **QUIET).to_dataframe()
