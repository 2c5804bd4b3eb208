"""Flossing by a schedule in loops of PyTorch and of Lightning."""

import copy

import numpy as np
import pytest

import lyapnet as ln

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import lyapnet.torch as lt

N = 8


def schedule(**more):
    return ln.FlossingSchedule(
        k=4, n_steps=15, transient=2, basis_transient=3, optimizer=ln.Adam(0.01), **more
    )


def fresh(seed=0):
    torch.manual_seed(seed)
    return torch.nn.RNN(1, N, dtype=torch.float64)


def inputs():
    return torch.randn(20, 1)


def test_schedule_is_followed_and_exponents_move():
    rnn = fresh()
    flosser = lt.Flosser(rnn, schedule(before=60, at=(3,), epochs=5), inputs)
    assert [flosser(epoch) for epoch in range(5)] == [60, 0, 0, 5, 0]
    lam = np.array(flosser.exponents)
    assert lam.shape == (65, 4)
    assert (lam[-5:] ** 2).sum(axis=1).mean() < 0.3 * (lam[:5] ** 2).sum(axis=1).mean()
    assert all(p.grad is None for p in rnn.parameters())


def test_one_step_is_that_of_lyapnet():
    rnn, u = fresh(), inputs()
    cell = ln.from_torch(rnn.state_dict())
    module = copy.deepcopy(rnn)
    lt.Flosser(module, schedule(before=1), lambda: u, rng=3)(0)
    theirs = ln.floss(
        cell, 1, k=4, n_steps=15, transient=2, basis_transient=3, inputs=u.numpy(),
        x0=np.zeros(N), optimizer=ln.Adam(0.01), rng=3,
    ).cell  # fmt: skip
    np.testing.assert_allclose(module.weight_hh_l0.detach(), theirs.params["W"], atol=1e-9)
    np.testing.assert_allclose(module.weight_ih_l0.detach(), theirs.params["V"], atol=1e-9)


def test_adaptive_flossing_goes_on_in_smaller_steps():
    rnn, rates = fresh(), []
    window = dict(k=4, n_steps=15, transient=2, basis_transient=3, optimizer=ln.Adam(0.01))
    rule = ln.AdaptiveFlossing(epochs=1, growth=2, patience=1, slower=2, **window)
    flosser = lt.Flosser(rnn, rule, inputs)
    step = flosser.optimizer.step
    flosser.optimizer.step = lambda: (rates.append(flosser.optimizer.param_groups[0]["lr"]), step())
    done = [flosser(0)] + [flosser(i + 1, gradient_norm_h0=1.0) for i in range(5)]
    assert done == [1, 1, 1, 1, 0, 0]
    np.testing.assert_allclose(rates, 0.01 / np.array([1, 1, 3, 9]))
    assert flosser.optimizer.param_groups[0]["lr"] == 0.01


def test_other_optimizers_are_left_to_torch():
    with pytest.raises(TypeError, match=r"must floss by lyapnet\.Adam"):
        lt.Flosser(fresh(), ln.FlossingSchedule(k=4, n_steps=15, optimizer=ln.SOAP()), inputs)


def test_clipping_is_of_each_parameter_or_of_all():
    u, norms = inputs(), {}
    for clip in (None, 1e-3, ("global", 1e-3)):
        flosser = lt.Flosser(fresh(), schedule(clip_norm=clip), lambda: u, rng=3)
        flosser.step()
        # after one step Adam's running mean is a tenth of the gradient
        means = [10 * s["exp_avg"] for s in flosser.optimizer.state_dict()["state"].values()]
        norms[str(clip)] = np.array([m.norm().item() for m in means])
    plain, each, together = norms.values()
    np.testing.assert_allclose(each, np.minimum(plain, 1e-3), rtol=2e-3)
    np.testing.assert_allclose(together, plain * 1e-3 / np.linalg.norm(plain), rtol=2e-3)


def test_only_some_parameters():
    rnn = fresh()
    before = copy.deepcopy(rnn.state_dict())
    lt.Flosser(rnn, schedule(before=2), inputs, only=("weight_hh_l0",))(0)
    changed = [name for name, x in rnn.state_dict().items() if not torch.equal(x, before[name])]
    assert changed == ["weight_hh_l0"]
    with pytest.raises(ValueError, match=r"`only` must be .*weight_hh_l0"):
        lt.Flosser(rnn, schedule(), inputs, only=("W",))


def test_adaptive_schedule_goes_by_the_gradient():
    adaptive = ln.AdaptiveFlossing(k=2, n_steps=10, epochs=3, window=2, low=1e-5, high=1e-3)
    flosser = lt.Flosser(fresh(), adaptive, inputs)
    norms = [None, 1.0, 1e-7, 1e-7, 1e-4, 1e-2]
    counts = [flosser(epoch, gradient_norm_h0=norm) for epoch, norm in enumerate(norms)]
    # the geometric mean of 1 and 1e-7 is above 1e-5; of 1e-7 twice below; flossed until above 1e-3
    assert counts == [0, 0, 0, 3, 3, 0]
    with pytest.raises(ValueError, match="`gradient_norm_h0` is needed"):
        flosser(6)


@pytest.mark.parametrize(
    "draw", [lambda: None, lambda: 3, torch.Generator], ids=["none", "seed", "torch"]
)
def test_state_goes_on_elsewhere(draw, tmp_path):
    def run(flosser, epochs):
        return [flosser(epoch) for epoch in epochs]

    settings = schedule(before=5, at=(2,), epochs=5)
    u = inputs()
    straight, split = fresh(), fresh()
    run(lt.Flosser(straight, settings, lambda: u, rng=draw()), range(4))
    first = lt.Flosser(split, settings, lambda: u, rng=draw())
    run(first, range(2))
    torch.save(first.state_dict(), tmp_path / "flosser.pt")
    second = lt.Flosser(split, settings, lambda: u, rng=draw())
    second.load_state_dict(torch.load(tmp_path / "flosser.pt"))
    run(second, range(2, 4))
    for a, b in zip(straight.parameters(), split.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert len(second.exponents) == 10


@pytest.mark.filterwarnings("ignore")  # of Lightning, about its own dependencies and workers
def test_lightning_flosses_before_and_at(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")

    class Task(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = torch.nn.RNN(1, N), torch.nn.Linear(N, 1)

        def training_step(self, batch, _):
            u = batch[0]
            return torch.mean((self.head(self.rnn(u)[0])[1:] - u[:-1]) ** 2)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-3)

    torch.manual_seed(0)
    module = Task()
    flosser = lt.Flosser(module.rnn, schedule(before=7, at=(4,), epochs=3), inputs)
    data = torch.utils.data.TensorDataset(torch.randn(6, 20, 1))
    trainer = lightning.Trainer(
        max_steps=6, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[flosser.callback()],
        default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(data, batch_size=1))
    assert trainer.global_step == 6
    assert len(flosser.exponents) == 10
    assert flosser.state_dict()["epochs"] == [7, 0, 0, 0, 3, 0]
