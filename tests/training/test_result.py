"""What a result and a record show: tables, lines and pictures."""

import numpy as np
import pytest
from trained import SMALL, network

import lyapnet as ln


def test_the_result_shows_and_draws_itself():
    import matplotlib.pyplot as plt

    schedule = ln.FlossingSchedule(before=1, k=2, n_steps=5)
    r = ln.train(network().system, ln.tasks.DelayedCopy(1), 4, schedule=schedule, **SMALL)
    assert "n_epochs=4" in repr(r)
    ax = r.plot()
    assert ax.get_ylabel() == "$R^2$ on fresh batches"
    assert [t.get_text() for t in ax.get_legend().texts] == [
        "best constant",
        "flossed: 1 epoch in 1 episode",
    ]
    (marks,) = (line for line in ax.lines if line.get_marker() == "v")
    assert marks.get_xdata() == [0.5]  # between the start and the first epoch
    assert r.plot(ax) is ax
    plt.close("all")


def test_the_result_says_what_its_accuracy_is(tmp_path):
    class Own(ln.tasks.DelayedCopy):
        def accuracy(self, outputs, targets, mask):
            return 7.0

    kinds = {
        "fraction": ln.tasks.TemporalXOR(2),
        "R2": ln.tasks.TemporalXOR(2, inputs="uniform"),
        "own": Own(1),
    }
    for kind, task in kinds.items():
        r = ln.train(network().system, task, 2, **SMALL)
        assert r.accuracy_kind == kind
        assert ln.load(r.save(tmp_path / f"{kind}.npz")).accuracy_kind == kind
    assert "R^2" not in r.plot().get_ylabel()
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("n_epochs", [0, 1])
def test_runs_of_hardly_any_epochs_are_drawn(n_epochs):
    import matplotlib.pyplot as plt

    ax = ln.train(network().system, ln.tasks.DelayedCopy(1), n_epochs, **SMALL).plot()
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == n_epochs
    plt.close("all")


def test_few_episodes_of_flossing_get_a_line_and_many_a_tick():
    import matplotlib.pyplot as plt

    for at, lines in ((range(2), 2), (range(20), 0)):
        schedule = ln.FlossingSchedule(at=at, epochs=1, k=2, n_steps=5)
        ax = ln.train(
            network().system, ln.tasks.DelayedCopy(1), 20, schedule=schedule, **SMALL
        ).plot()
        (marks,) = (line for line in ax.lines if line.get_marker() == "v")
        assert len(marks.get_xdata()) == len(at)
        assert sum(len(c.get_segments()) for c in ax.collections) == lines
    plt.close("all")


def watched(task=None, **kwargs):
    names = ["exponents", "singular_values", "effective_rank", "gradient_overlap"]
    cell = ln.VanillaRNN.random(5, bias=0.1, rng=0)
    task = ln.tasks.TemporalXOR(2) if task is None else task
    schedule = ln.FlossingSchedule(before=2, k=3, n_steps=8)
    settings = {**SMALL, "diagnostics": names, "schedule": schedule, **kwargs}
    return ln.train(cell, task, 3, **settings)


def test_tables_have_the_diagnostics(tmp_path):
    pytest.importorskip("xarray")
    pytest.importorskip("pandas")
    r = watched()
    for result in (r, ln.load(r.save(tmp_path / "r.npz"))):
        data = result.to_xarray()
        assert data["exponents"].dims == ("flossing_epoch", "exponent")
        assert data["diagnostic_exponents"].dims == ("epoch", "diagnostic_exponent")
        assert data["singular_values"].dims == ("epoch", "singular_value")
        assert data["gradient_overlap"].dims == ("epoch", "covariant_vector")
        for name in ("effective_rank", "gradient_norm_h0", "transmission"):
            assert data[name].dims == ("epoch",)
            np.testing.assert_array_equal(data[name], r.diagnostics[name])
        numbers = ["loss", "accuracy", "flossing_epochs", "gradient_norm_h0", "transmission"]
        numbers += ["effective_rank"]
        assert list(result.to_dataframe().columns) == numbers


def test_the_repr_names_its_means():
    text = repr(watched())
    n = len(watched().loss)
    assert f" loss_over_{n}_epochs=" in text
    assert f" accuracy_over_{n}_epochs=" in text
    r = watched(ln.tasks.DelayedCopy(2))
    assert f" R2_over_{n}_epochs={r.accuracy.mean():.6g}" in repr(r)
    assert "accuracy" not in repr(r)


def test_schedules_and_records_fit_on_a_line():
    paper = dict(k=75, n_steps=39, transient=10, basis_transient=6)
    schedule = ln.FlossingSchedule(500, at=range(100, 10000, 100), **paper)
    assert repr(schedule) == (
        "FlossingSchedule(before=500, at=(100, 200, ..., 9900), epochs=500, k=75, n_steps=39)"
    )
    assert repr(ln.AdaptiveFlossing(**paper)) == (
        "AdaptiveFlossing(epochs=20, most=2000, window=20, k=75, n_steps=39)"
    )
    seen = []
    watched(callback=lambda record: seen.append(repr(record)))
    assert seen[2].startswith("TrainingProgress(epoch=3, loss=")
    assert seen[2].endswith("flossing_epochs=2)")
    cell = ln.VanillaRNN.random(5, rng=0)
    ln.floss(cell, 1, k=2, n_steps=8, callback=lambda record: seen.append(repr(record)), rng=0)
    assert seen[3].startswith("Progress(epoch=1, loss=")
    assert all(len(text) < 150 and "\n" not in text for text in seen)
