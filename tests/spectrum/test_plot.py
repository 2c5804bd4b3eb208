"""Pictures and tables of spectra show all data, at the parameter that they belong to."""

import numpy as np
import pytest

import lyapnet as ln

GAINS = np.array([1.6, 0.5, 1.0])


@pytest.fixture(scope="module")
def family():
    cells = ln.VanillaRNN.random(12, gain=GAINS, n_inputs=0, rng=0)
    return ln.lyapunov_spectrum(cells, 200, k=2, rng=0)


def data(ax):
    """Return the points of each named line."""
    named = (line for line in ax.lines if not line.get_label().startswith("_"))
    return {line.get_label(): np.array(line.get_data()) for line in named}


def test_exponents_stand_over_their_parameter(family):
    ax = family.plot(against=GAINS, label="gain g")
    assert ax.get_xlabel() == "gain g"
    lines = data(ax)
    assert list(lines) == [r"$\lambda_{1}$", r"$\lambda_{2}$"]
    order = np.argsort(GAINS)
    for i, (x, y) in enumerate(lines.values()):
        np.testing.assert_array_equal(x, GAINS[order])
        np.testing.assert_array_equal(y, family.exponents[order, i])


def test_many_of_one_exponent_are_not_on_one_spot():
    r = np.linspace(3.0, 4.0, 40)
    s = ln.lyapunov_spectrum(ln.catalog.logistic(r=r), 100, k=1, rng=0)
    ax = s.plot()
    (points,) = (line for line in ax.lines if len(line.get_xdata()) == 40)
    assert len(set(points.get_xdata())) == 40
    assert ax.get_xlabel() == "member"


def test_several_members_at_one_value_are_points():
    cells = ln.VanillaRNN.random(6, gain=[[0.5, 1.0], [0.5, 1.0]], n_inputs=0, rng=0)
    s = ln.lyapunov_spectrum(cells, 50, k=1, x0=np.random.default_rng(0).normal(size=(2, 2, 6)))
    ax = s.plot(against=[0.5, 1.0])
    (points,) = (line for line in ax.lines if len(line.get_xdata()) == 4)
    assert points.get_linestyle() == "None"


def test_legend_names_members_by_their_values(family):
    assert list(data(family.plot(members=GAINS, label="g ="))) == ["g = 1.6", "g = 0.5", "g = 1"]


def test_wrong_number_of_values_is_refused(family):
    with pytest.raises(ValueError, match=r"`against` must have one value for each member"):
        family.plot(against=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"`members` must have"):
        family.plot(members=np.ones((2, 3, 1)))


def test_html_has_verdict_and_intervals():
    s = ln.lyapunov_spectrum(ln.catalog.henon(), 2000, rng=0)
    html, (low, high) = s._repr_html_(), s.confidence_interval()
    assert s.diagnose().verdict in html
    assert f"{low[1]:.5g} to {high[1]:.5g}" in html


def test_html_of_an_ensemble_has_its_members(family):
    html = family._repr_html_()
    for member in range(3):
        assert f"{family.exponents[member, 0]:.5g}" in html
    many = ln.lyapunov_spectrum(
        ln.catalog.henon(), 20, x0=np.random.default_rng(0).uniform(-0.1, 0.1, (50, 2)), rng=0
    )
    rows = many._repr_html_().count("<tr>")
    assert rows < 15


@pytest.mark.parametrize("kind", [ln.VanillaRNN, ln.LSTM, ln.GRU])
def test_html_of_a_cell_has_its_parameters(kind):
    cell = kind.random(5, rng=0)
    html = cell._repr_html_()
    assert all(name in html for name in cell.params)
    assert " x 5" in html


def test_few_members_stand_beside_each_other_in_colours_of_their_own():
    cell = ln.VanillaRNN.random(6, gain=1.6, n_inputs=0, rng=0)
    s = ln.lyapunov_spectrum(cell, 100, x0=np.random.default_rng(0).normal(size=(3, 6)), rng=0)
    ax = s.plot()
    lines = data(ax)
    assert list(lines) == ["member 0", "member 1", "member 2"]
    np.testing.assert_allclose([x.mean() - 3.5 for x, _ in lines.values()], [-0.2, 0, 0.2])
    assert len({str(line.get_color()) for line in ax.lines if line.get_label() in lines}) == 3
