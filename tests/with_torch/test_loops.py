"""When the loops of a module are compiled: as soon as its calls have come to enough steps."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

import lyapnet as ln
import lyapnet.torch as lt
from lyapnet.torch import exponents

MAKE = (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU)


def engines(monkeypatch):
    """Return a list to which the engine of each further call is added."""
    used, run = [], exponents._Run.forward

    def noted(self, *args, **kwargs):
        used.append(self.system.engine_used[0])
        return run(self, *args, **kwargs)

    monkeypatch.setattr(exponents._Run, "forward", noted)
    return used


def inputs(n_steps):
    return torch.randn(n_steps, 1, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", MAKE, ids=lambda x: x.__name__)
def test_a_module_is_compiled_when_its_calls_have_come_to_a_thousand_steps(make, monkeypatch):
    used = engines(monkeypatch)
    module, other = make(1, 5), make(1, 5)
    losses = []
    for _ in range(6):
        loss = lt.flossing_loss(module, inputs(200), k=2)
        (bar,) = torch.autograd.grad(loss, [module.weight_hh_l0])
        losses.append((loss.item(), bar))
    assert used == 4 * ["numpy"] + 2 * ["compiled"]
    for loss, bar in losses[1:]:
        assert loss == pytest.approx(losses[0][0], rel=1e-5)  # in single precision
        torch.testing.assert_close(bar, losses[0][1], rtol=1e-4, atol=1e-6)
    lt.finite_time_exponents(other, inputs(200), k=2)
    assert used[-1] == "numpy"  # of its own account
    lt.finite_time_exponents(other, inputs(1000), k=2)
    assert used[-1] == "compiled"  # one long window


def test_a_flosser_is_for_many_epochs(monkeypatch):
    used = engines(monkeypatch)
    schedule = ln.FlossingSchedule(before=2, epochs=2, k=2, n_steps=30)
    lt.Flosser(torch.nn.RNN(1, 5), schedule, lambda: inputs(30))(0)
    assert used == ["compiled", "compiled"]
