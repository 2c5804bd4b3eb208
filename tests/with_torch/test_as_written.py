"""Modules as people write them: with assignments, branches, parts that are shared, wrappers."""

import copy

import numpy as np
import pytest

import lyapnet as ln

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import lyapnet.torch as lt

N, M, T, B, K = 6, 2, 12, 3, 2


class Network(torch.nn.Module):
    """A tanh network; of what is derived from it there is another way to write it, or to use it."""

    def __init__(self):
        super().__init__()
        self.hidden, self.input = torch.nn.Linear(N, N), torch.nn.Linear(M, N, bias=False)

    def sums(self, h, u):
        return self.hidden(h) + self.input(u)

    def forward(self, h, u):
        return torch.tanh(self.sums(h, u))


class Scaled(Network):
    def forward(self, h, u):
        z = self.sums(h, u)
        z[..., :2] = z[..., :2] * 0.5
        return z.tanh_()


class Halves(Network):
    def forward(self, h, u):
        z, new = self.sums(h, u), torch.zeros_like(h)
        new[..., :3] = torch.tanh(z)[..., :3]
        new[..., 3:] = torch.sin(z)[..., 3:]
        return new


class Units(Network):
    def forward(self, h, u):
        z, new = self.sums(h, u), h.clone()
        for i in range(N):
            new[..., i] = torch.tanh(z[..., i]) + (0.2 * new[..., i - 1] if i else 0.0)
        return new


class Picked(Network):
    """Entries picked by numbers, of a tensor that is no buffer, and by a constant made inside."""

    order = torch.tensor([3, 1, 0, 2, 5, 4])

    def forward(self, h, u):
        z = self.sums(h, u)[..., self.order]
        new = torch.sin(z) * torch.tensor(0.9)
        new[..., [0, 4]] += 0.1 * z[..., [1, 2]]
        return new


class Masked(Network):
    def forward(self, h, u):
        z = self.sums(h, u)
        new = torch.sin(z)
        new[z > 0] = 0.7 * torch.tanh(z[z > 0])
        return new


class Branch(Network):
    def forward(self, h, u):
        z = self.sums(h, u)
        return torch.tanh(z) if z.sum() > 0 else torch.sin(z)


class Counted(Network):
    def forward(self, h, u):
        z = self.sums(h, u)
        return torch.tanh(z) * (1 + 0.1 * len(torch.nonzero(z > 0)))


WRITTEN = [Scaled, Halves, Units, Picked, Masked, Branch, Counted]


def made(kind):
    torch.manual_seed(3)
    module = kind().double()
    given = np.random.default_rng(1).standard_normal((T, B, M))
    first = 0.5 * np.random.default_rng(2).standard_normal((B, N))
    return module, torch.tensor(given), torch.tensor(first)


@pytest.mark.parametrize("kind", WRITTEN)
def test_exponents_are_those_of_dense_jacobians(kind):
    # Before: assignments to parts of a tensor gave -0.59 for -0.40, "converged".
    module, inputs, first = made(kind)
    u = inputs.reshape(-1, M).repeat(10, 1)
    system = lt.System(module, N, n_inputs=M)
    x = first[0]
    basis = np.eye(N)[:, :K]
    jacobians = []
    for v in u:
        jacobians.append(torch.autograd.functional.jacobian(lambda h, v=v: module(h, v), x))
        x = module(x, v).detach()
    expected = ln.spectrum_from_jacobians(torch.stack(jacobians).numpy(), basis=basis)
    run = dict(inputs=u.numpy(), k=K, basis=basis, transient=0, basis_transient=0)
    found = ln.lyapunov_spectrum(system, x0=first[0].numpy(), **run)
    np.testing.assert_allclose(found.exponents, expected.exponents, atol=1e-10)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("kind", WRITTEN)
def test_gradients_of_a_batch_are_those_of_finite_differences(kind):
    module, inputs, first = made(kind)

    def loss():
        return lt.flossing_loss(module, inputs, first, k=K)

    loss().backward()
    step, total = 1e-6, []
    for p in (module.hidden.weight, module.input.weight):
        with torch.no_grad():
            for sign in (1, -1):
                p[1, 0] += sign * step
                total.append(loss().item())
                p[1, 0] -= sign * step
        slope = (total[-2] - total[-1]) / (2 * step)
        assert p.grad[1, 0].item() == pytest.approx(slope, rel=1e-5, abs=1e-7)


class Twice(Network):
    """Part `again` is `hidden`."""

    def __init__(self):
        super().__init__()
        self.again = self.hidden

    def forward(self, h, u):
        return super().forward(h, u) + 0.3 * torch.sin(self.again(h))


class SameWeights(Twice):
    def __init__(self):
        super().__init__()
        self.again = torch.nn.Linear(N, N)
        self.again.weight, self.again.bias = self.hidden.weight, self.hidden.bias


class InAList(Twice):
    def __init__(self):
        super().__init__()
        self.parts = torch.nn.ModuleList([self.hidden, self.hidden])

    def forward(self, h, u):
        return torch.tanh(self.sums(h, u)) + 0.3 * torch.sin(self.parts[1](h))


class Apart(Twice):
    """The same with two parts of equal weights, which PyTorch differentiates by themselves."""

    def __init__(self):
        super().__init__()
        self.again = copy.deepcopy(self.hidden)


@pytest.mark.parametrize("kind", [Twice, SameWeights, InAList])
def test_parts_that_have_two_names_are_one(kind):
    # Before: Jacobians were wrong, gradients None, and the module was left without its parameters.
    expected, inputs, first = made(Apart)
    lt.flossing_loss(expected, inputs, first, k=K).backward()
    module = kind().double()
    state = expected.state_dict()
    module.load_state_dict(
        {
            name: state.get(name, state["hidden.weight"])
            if "weight" in name
            else state["hidden.bias"]
            for name in module.state_dict()
        }
    )
    loss = lt.flossing_loss(module, inputs, first, k=K)
    loss.backward()
    for name in ("weight", "bias"):
        both = sum(getattr(part, name).grad for part in (expected.hidden, expected.again))
        torch.testing.assert_close(getattr(module.hidden, name).grad, both)
    assert all(isinstance(p, torch.nn.Parameter) for p in module.parameters())


def test_wrappers_are_looked_through():
    torch.manual_seed(0)
    rnn = torch.nn.GRU(M, N)
    u = torch.randn(T, M)
    schedule = ln.FlossingSchedule(before=2, k=K, n_steps=T)
    for wrapped in (torch.compile(rnn, backend="eager"), torch.nn.DataParallel(rnn)):
        assert lt.flossing_loss(wrapped, u, k=K) == lt.flossing_loss(rnn, u, k=K)
        assert isinstance(lt.from_module(wrapped), ln.GRU)
        flosser = lt.Flosser(wrapped, schedule, lambda: u, only=("weight_hh_l0",))
        assert flosser(0) == 2


def test_a_part_that_is_called_module_is_not_all_there_is():
    class Holder(Network):
        def __init__(self):
            super().__init__()
            self.module = torch.nn.Linear(N, N)

        def forward(self, h, u):
            return super().forward(h, u) + 0.1 * self.module(h)

    flosser = lt.Flosser(
        Holder(), ln.FlossingSchedule(k=K, n_steps=T), lambda: torch.randn(T, M), h0=torch.zeros(N)
    )
    assert len(flosser.optimizer.param_groups[0]["params"]) == 5


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_modes_without_gradients_around_a_run_change_nothing(mode):
    # Before: under `inference_mode` all gradients were zero, and flossing did nothing.
    module, inputs, _ = made(Network)
    run = dict(k=K, n_steps=T, inputs=inputs[:, 0].numpy(), x0=np.ones(N), rng=0)
    expected = ln.floss(lt.System(module, N, n_inputs=M), 3, **run)
    with mode():
        found = ln.floss(lt.System(module, N, n_inputs=M), 3, **run)
    np.testing.assert_array_equal(found.loss, expected.loss)
    np.testing.assert_array_equal(
        found.cell.params["hidden.weight"], expected.cell.params["hidden.weight"]
    )
    rnn = torch.nn.GRU(M, N)
    before = rnn.weight_hh_l0.clone()
    with mode():
        schedule = ln.FlossingSchedule(before=1, k=K, n_steps=T)
        lt.Flosser(rnn, schedule, lambda: torch.randn(T, M))(0)
    assert (rnn.weight_hh_l0 != before).any()
