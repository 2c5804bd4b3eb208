"""Pictures: nothing is cut off, whole numbers are whole, and of many members bands are drawn."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.results.axes import MANY, quantiles

SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "1"
DRAWN = (
    "condition", "condition_by_dimension", "condition_comparison", "condition_reduction",
    "covariant", "diagnosis", "echo_state", "floss", "invariants", "network_comparison", "spectrum",
    "spectrum_of_a_flow", "train",
)  # fmt: skip


def flossed_in_training():
    schedule = ln.FlossingSchedule(before=2, k=2, n_steps=5)
    cell, task = ln.VanillaRNN.random(6, rng=0), ln.tasks.TemporalXOR(2)
    return ln.train(cell, task, 3, n_steps=8, batch_size=2, schedule=schedule, rng=0)


MADE = {
    "fixed points": lambda: ln.fixed_points(ln.catalog.lorenz63(), 20, rng=0),
    "flossed in training": flossed_in_training,
    "alignment": lambda: ln.alignment(ln.catalog.standard(), 100, rng=0),
    "invariants of a flow": lambda: ln.check_invariants(ln.catalog.lorenz63(), 100, rng=0),
    "sweep": lambda: ln.sweep(lambda a, rng: a, {"a": [1, 2]}, rng=0, progress=False),
    "step": lambda: ln.check_step(ln.catalog.lorenz63(), 100, rng=0),
    "many": lambda: ensemble(MANY + 1),
    "diagnosis of many": lambda: ensemble(MANY + 1).diagnose(),
}


@pytest.fixture(params=[*DRAWN, *MADE])
def result(request):
    made = MADE.get(request.param)
    return made() if made else ln.load(SAVED / f"{request.param}.npz")


def ensemble(count, **kwargs):
    x0 = np.random.default_rng(0).uniform(-0.1, 0.1, (count, 2))
    return ln.lyapunov_spectrum(ln.catalog.henon(), 100, x0=x0, rng=0, **kwargs)


def test_nothing_is_cut_off_where_the_figure_has_no_layout(result):
    """Beside axes there is room only for titles and labels: a legend there was cut off."""
    figure, ax = plt.subplots()
    result.plot(ax)
    figure.draw_without_rendering()
    drawn, whole = figure.get_tightbbox(), figure.bbox_inches
    assert drawn.x0 >= whole.x0
    assert drawn.y0 >= whole.y0
    assert drawn.x1 <= whole.x1
    assert drawn.y1 <= whole.y1
    plt.close(figure)


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda: ln.load(SAVED / "floss.npz"), "flossing epoch"),
        (flossed_in_training, "training epoch"),
        (lambda: ln.load(SAVED / "condition_by_dimension.npz"), "tangent directions m"),
        (lambda: ensemble(8, k=1), "member"),
        (lambda: ln.lyapunov_spectrum(ln.VanillaRNN.random(20, rng=0), 50, rng=0), "index i"),
    ],
)
def test_what_is_counted_has_whole_numbers(make, label):
    ax = make().plot()
    assert ax.get_xlabel() == label
    np.testing.assert_array_equal(ax.get_xticks() % 1, 0)
    plt.close(ax.figure)


def test_quantiles_are_those_of_numpy_where_all_is_finite():
    values = np.random.default_rng(0).normal(size=(101, 3, 2))
    expected = np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975], axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(quantiles(values), expected)
    holed = np.concatenate([values, np.full((7, 3, 2), np.nan)])
    np.testing.assert_array_equal(quantiles(holed), expected)
    values[:60] = -np.inf
    np.testing.assert_array_equal(quantiles(values)[2], -np.inf)
    assert np.isnan(quantiles(np.full((4, 2), np.nan))).all()


def test_of_many_members_the_median_and_bands_are_drawn():
    """Each by itself took 6 ms: 10 000 a minute, for a blob."""
    s = ensemble(300)
    ax = s.plot()
    assert len(ax.get_children()) < 25
    (middle,) = (line for line in ax.lines if line.get_label() == "median of 300 members")
    expected = np.sort(s.exponents, axis=0)[149]
    np.testing.assert_array_equal(middle.get_ydata(), expected)
    assert ax.get_legend_handles_labels()[1][1:] == ["half of the members", "95 % of the members"]
    for lam, ((_, low), (_, high)) in zip(
        s.exponents.T, ax.collections[0].get_segments(), strict=True
    ):
        assert np.mean((lam >= low) & (lam <= high)) == pytest.approx(0.5, abs=0.01)
    plt.close(ax.figure)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ensemble(300).diagnose(),
        lambda: ln.alignment(
            ln.catalog.standard(), 50, x0=np.random.default_rng(0).uniform(0, 6, (300, 2)), rng=0
        ),
        lambda: ln.floss(
            ln.VanillaRNN.random(4, gain=np.ones(300), rng=0), 2, k=2, n_steps=5, rng=0
        ),
        lambda: ln.lyapunov_spectrum(ln.catalog.henon(a=np.linspace(1, 1.1, 300)), 50, rng=0),
        lambda: ln.check_step(ln.catalog.lorenz63(), 20, x0=np.full((300, 3), 1.0), rng=0),
    ],
)
def test_other_pictures_of_many_members_have_few_parts(make):
    ax = make().plot()
    assert len(ax.get_children()) < 40
    ax.figure.draw_without_rendering()
    plt.close(ax.figure)
