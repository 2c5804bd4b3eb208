"""The notebooks on PyTorch with PyTorch, where that is installed; `make test` runs it without."""

import json
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(capsys, name="from_pytorch_and_back"):
    """Run the cells of a notebook, in order, in one namespace; return it and what was said."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    namespace = {"__name__": "notebook"}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), namespace)
    return namespace, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_with_torch_the_flossed_network_learns_there(capsys):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found, said = run(capsys)
    finally:
        torch.set_num_threads(threads)
    assert "skipped" not in said
    assert found["difference"] < 1e-6  # single precision, and tanh forgets
    # as the notebook says; with another release of PyTorch the readout may start elsewhere
    assert found["learned"]["flossed"][-50:].mean() > 0.95
    assert abs(found["learned"]["as initialised"][-50:].mean() - 0.5) < 0.02


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_without_torch_every_cell_runs(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it then fails
    found, said = run(capsys)
    assert found["torch"] is None
    assert "learned" not in found
    assert said.count("PyTorch is not installed") == 2  # at the top, and where it would train


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_with_torch_both_networks_of_the_loop_learn(capsys):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        learned = run(capsys, "flossing_in_pytorch")[0]["learned"]
    finally:
        torch.set_num_threads(threads)
    for name in ("nn.RNN", "layer norm"):
        assert learned[name, "flossed"] > 0.9
        assert abs(learned[name, "not flossed"] - 0.5) < 0.03


def test_without_torch_the_loop_says_so(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found, said = run(capsys, "flossing_in_pytorch")
    assert found["learned"] == {}
    assert said.count("PyTorch is not installed") == 2  # at the top, and where it would train
