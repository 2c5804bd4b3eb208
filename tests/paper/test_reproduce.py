"""``lyapnet reproduce`` and what it stands on, with a figure that takes no time."""

import json
import types

import pytest

from lyapnet import LyapnetError
from lyapnet.cli import main
from lyapnet.paper import FIGURES, Finding, Records, harness, load_figure, reproduce
from lyapnet.runs.fingerprint import describe

# In a module of its own: what a run notes would otherwise make its function another one.
notes = types.ModuleType("notes")
notes.done = done = []


def square(x, *, rng):
    if x < 0:
        raise LyapnetError("below zero")
    notes.done.append(x)
    return {"square": x**2, "third": x / 3}


def plot(records):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot(records.values("x"), records.values("square"))
    return figure


@pytest.fixture
def script(monkeypatch):
    """Put a figure called "square" in the place of the others; return its script."""
    made = types.ModuleType("scripts.fig_square")
    made.TITLE, made.run, made.plot = "Squares", square, plot
    made.points = lambda scale: [dict(x=x) for x in range(2 if scale == "quick" else 4)]
    made.findings = lambda records: [
        Finding("no square is negative", f"{len(records)} squares", True),
        Finding("all are even", "1 is not", False),
        Finding("most are large", "2 squares", None),
    ]
    monkeypatch.setitem(FIGURES, "square", "fig_square")
    real = harness.load_figure
    monkeypatch.setattr(harness, "load_figure", lambda f: made if f == "square" else real(f))
    monkeypatch.setattr("lyapnet.paper.load_figure", harness.load_figure)
    done.clear()
    return made


def test_runs_are_done_once_and_the_missing_ones_added(script, tmp_path):
    first = reproduce("square", directory=tmp_path)
    assert done == [0, 1]
    assert reproduce("square", directory=tmp_path).records == first.records
    assert done == [0, 1]
    more = reproduce("square", scale="full", directory=tmp_path)
    assert done == [0, 1, 2, 3]
    assert more.records.values("square").tolist() == [0, 1, 4, 9]
    assert more.picture.read_bytes().startswith(b"\x89PNG")


def test_what_was_done_before_an_interruption_is_kept(script, tmp_path, monkeypatch, capsys):
    def interrupt(x, *, rng):
        if x == 1:
            raise KeyboardInterrupt
        return square(x, rng=rng)

    # Like the figures' own functions, which may change from version to version.
    monkeypatch.setattr(square, "__module__", "lyapnet.paper.scripts.square")
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(interrupt, name, getattr(square, name))
    monkeypatch.setattr(script, "run", interrupt)
    assert main(["reproduce", "square", "-o", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err
    monkeypatch.setattr(script, "run", square)
    assert len(reproduce("square", directory=tmp_path).records) == 2
    assert done == [0, 1]


def test_the_file_of_data_is_enough(script, tmp_path):
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = reproduce("square", directory=there)
    line = json.loads(made.data.read_text().splitlines()[1])
    assert line["point"] == {"x": 1}
    assert line["value"] == {"square": 1, "third": 0.33333}  # five digits
    (elsewhere / "square.jsonl").write_bytes(made.data.read_bytes())
    done.clear()
    assert reproduce("square", directory=elsewhere, run=False).records == made.records
    assert done == []


def test_without_running_nothing_is_drawn_from_nothing(script, tmp_path):
    with pytest.raises(ValueError, match="no run of figure square"):
        reproduce("square", directory=tmp_path, run=False)
    assert done == []


def test_a_run_that_fails_does_not_stop_the_others(script, tmp_path, capsys):
    script.points = lambda scale: [dict(x=x) for x in (-1, 2)]
    found = reproduce("square", directory=tmp_path)
    assert found.records.values("x").tolist() == [2]
    assert "below zero" in found.errors[0]
    assert main(["reproduce", "square", "-o", str(tmp_path)]) == 1
    assert "1 runs failed, the first with lyapnet.errors.LyapnetError" in capsys.readouterr().err
    script.points = lambda scale: [dict(x=-1)]
    with pytest.raises(LyapnetError, match="all 1 runs of figure square failed"):
        reproduce("square", directory=tmp_path)


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="`figure` '17' is unknown: choose from 1B"):
        reproduce("17", directory=tmp_path)
    with pytest.raises(ValueError, match="`scale` must be among"):
        reproduce("2A", scale="huge", directory=tmp_path)


def test_records():
    records = Records([{"a": 1, "b": 2.0}, {"a": 2, "b": 3.0}, {"b": 4.0}])
    assert records.each("a") == [1, 2, None]
    assert records.where(a=None) == [{"b": 4.0}]
    assert records.where(a=2).values("b").tolist() == [3.0]


@pytest.mark.parametrize("figure", FIGURES)
def test_the_runs_of_every_figure_can_be_kept(figure):
    # What a sweep cannot tell from another function it refuses to run.
    assert describe(load_figure(figure).run, "function")


def test_every_figure_has_what_the_gallery_shows():
    for figure in FIGURES:
        script = load_figure(figure)
        assert script.TITLE
        assert script.CLAIMS.strip()
        assert script.SETTINGS.strip()
        for scale in harness.SCALES:
            keys = [json.dumps(point, sort_keys=True) for point in script.points(scale)]
            assert len(keys) == len(set(keys)) > 0, figure


def test_figures_that_share_data_share_the_run():
    owners = {}
    for figure in FIGURES:
        run = load_figure(figure).run
        assert owners.setdefault(run.__name__, run) is run, figure


def test_command_line(script, tmp_path, capsys):
    call = ["reproduce", "square", "-o", str(tmp_path)]
    assert main(call) == 0
    text = capsys.readouterr().out
    assert "agrees: no square is negative: 2 squares" in text
    assert "DIFFERS: all are even: 1 is not" in text
    assert "undecided: most are large: 2 squares" in text
    assert main([*call, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figure"] == "square"
    assert [finding["agrees"] for finding in found["findings"]] == [True, False, None]
    assert (tmp_path / "fig_square.png").exists()


def test_command_line_lists_the_figures(capsys):
    assert main(["reproduce", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    assert main(["reproduce", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["2A"] == load_figure("2A").TITLE


def test_command_line_refuses(capsys):
    assert main(["reproduce", "17"]) == 2
    assert "choose from 1B" in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        main(["reproduce"])
    assert error.value.code == 2
