"""The flossing loss in PyTorch, against finite differences, dense Jacobians and lyapnet itself."""

import numpy as np
import pytest

import lyapnet as ln

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import lyapnet.torch as lt
from lyapnet.torch import device, examples

N, M, T, B, K = 5, 2, 10, 3, 3

MODULES = {
    "rnn": ("RNN", {}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "two layers of rnn": ("RNN", {"num_layers": 2}),
    "rnn without biases": ("RNN", {"bias": False}),
    "lstm": ("LSTM", {}),
    "two layers of lstm": ("LSTM", {"num_layers": 2}),
    "lstm with projections": ("LSTM", {"proj_size": 3}),
    "gru": ("GRU", {}),
    "two layers of gru": ("GRU", {"num_layers": 2}),
    "rnn cell": ("RNNCell", {}),
    "lstm cell": ("LSTMCell", {}),
    "gru cell": ("GRUCell", {}),
}


def make(name):
    """Return a module in double precision, inputs of a batch and first states."""
    torch.manual_seed(5)
    kind, more = MODULES[name]
    module = getattr(torch.nn, kind)(M, N, dtype=torch.float64, **more)
    if name == "relu":
        torch.nn.init.constant_(module.bias_ih_l0, 2.0)  # no dead units
    lead = (B,) if kind.endswith("Cell") else (more.get("num_layers", 1), B)
    h0 = 0.5 * torch.rand(*lead, more.get("proj_size", N)).double()
    if kind.startswith("LSTM"):
        h0 = h0, torch.rand(*lead, N).double()
    return module, torch.randn(T, B, M).double(), h0


def derivative(loss, x):
    """Return the derivative of a loss along a random direction of a tensor, and the direction."""
    d = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).double()

    def at(t):
        with torch.no_grad():
            x.add_(t * d.to(x.dtype))
            found = loss().item()
            x.sub_(t * d.to(x.dtype))
        return found

    return (8 * (at(1e-5) - at(-1e-5)) - (at(2e-5) - at(-2e-5))) / 12e-5, d


@pytest.mark.parametrize("name", MODULES)
def test_gradient_of_standard_modules(name):
    module, inputs, h0 = make(name)
    firsts = h0 if isinstance(h0, tuple) else (h0,)
    for x in (inputs, *firsts):
        x.requires_grad_()

    def loss():
        return lt.flossing_loss(
            module, inputs, h0, k=K, target=0.1, weights=[1, 2, 3], transient=1,
            basis_transient=1, qr_interval=1, rng=0,
        )  # fmt: skip

    wanted = [*module.parameters(), inputs, *firsts]
    for x, found in zip(wanted, torch.autograd.grad(loss(), wanted), strict=True):
        truth, d = derivative(loss, x)
        np.testing.assert_allclose((found * d).sum().item(), truth, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "relu"])
def test_exponents_of_standard_modules_are_those_of_dense_jacobians(name):
    module, inputs, h0 = make(name)
    kind, more = MODULES[name]
    found = lt.finite_time_exponents(module, inputs, h0, k=K, rng=7).detach().numpy()
    layers, lstm = more.get("num_layers", 1), kind.startswith("LSTM")
    # Each layer's state side by side, (h, c) of an LSTM.
    parts = h0 if lstm else (h0,)
    if kind.endswith("Cell"):
        parts = tuple(x[None] for x in parts)

    def step(x, u):
        split = torch.split(x, [p.shape[-1] for _ in range(layers) for p in parts])
        state = [torch.stack(split[i :: len(parts)]) for i in range(len(parts))]
        if kind.endswith("Cell"):
            new = module(u, tuple(s[0] for s in state) if lstm else state[0][0])
            return torch.cat(new) if lstm else new
        new = module(u[None], tuple(state) if lstm else state[0])[1]
        new = new if lstm else (new,)
        return torch.cat([x[i] for i in range(layers) for x in new])

    rng = np.random.default_rng(7)
    for b, basis in enumerate(rng.standard_normal((B, K, found_dim(parts, layers)))):
        x = torch.cat([p[i, b] for i in range(layers) for p in parts])
        Q, total = torch.linalg.qr(torch.tensor(basis).T)[0], 0
        slopes = torch.ones_like(x)
        if kind.startswith("RNN"):  # here the state is before the activation: a change of variables
            slopes = 1 - x**2
        for u in inputs[:, b]:
            J = torch.autograd.functional.jacobian(lambda h, u=u: step(h, u), x)
            x = step(x, u).detach()
            new = 1 - x**2 if kind.startswith("RNN") else slopes
            Q, R = torch.linalg.qr(J / new[:, None] * slopes @ Q)
            slopes = new
            total = total + R.diagonal().abs().log()
        np.testing.assert_allclose(found[b], total.detach() / T, rtol=0, atol=1e-9)


def found_dim(parts, layers):
    """Return the dimension of the state of all layers."""
    return layers * sum(p.shape[-1] for p in parts)


def test_the_same_network_as_module_system_and_cell():
    torch.manual_seed(0)
    gru = torch.nn.GRU(M, N).double()
    cell = torch.nn.GRUCell(M, N).double()
    cell.load_state_dict({k.removesuffix("_l0"): x for k, x in gru.state_dict().items()})
    system = lt.System(lambda h, u: cell(u, h), N, n_inputs=M, params=cell)
    inputs = torch.randn(T, M).double()
    run = dict(k=K, rng=0, qr_interval=1)
    standard = lt.flossing_loss(gru, inputs, **run)
    custom = lt.flossing_loss(system, inputs, **run)
    ours = ln.from_torch(gru.state_dict())
    rng = np.random.default_rng(0)
    lam = ln.finite_time_exponents(
        ours, np.zeros(N), rng.standard_normal((K, N)).T, inputs=inputs.numpy()
    )
    np.testing.assert_allclose(standard.item(), ln.flossing_loss(lam), rtol=1e-12)
    np.testing.assert_allclose(custom.item(), ln.flossing_loss(lam), rtol=1e-12)
    standard.backward()
    custom.backward()
    for name, p in cell.named_parameters():
        np.testing.assert_allclose(p.grad, getattr(gru, f"{name}_l0").grad, atol=1e-10)


def test_single_precision_batches_first_and_second_backward():
    torch.manual_seed(0)
    rnn = torch.nn.RNN(M, N, batch_first=True)
    inputs = torch.randn(B, T, M)
    loss = lt.flossing_loss(rnn, inputs, k=K, rng=0)
    assert loss.dtype == torch.float32
    loss.backward(retain_graph=True)
    once = rnn.weight_hh_l0.grad.clone()
    assert once.dtype == torch.float32
    loss.backward()  # the sweep has used its tape up, and runs again
    torch.testing.assert_close(rnn.weight_hh_l0.grad, 2 * once)
    double = torch.nn.RNN(M, N, dtype=torch.float64)
    double.load_state_dict(rnn.state_dict())
    same = lt.flossing_loss(double, inputs.transpose(0, 1), k=K, rng=0)
    torch.testing.assert_close(loss, same.float())
    # a custom module, called as module(h, u)
    custom = examples.LayerNormRNN(N, M)
    lt.flossing_loss(custom, inputs.transpose(0, 1), torch.zeros(N), k=K, rng=0).backward()
    assert custom.W.grad.abs().max() > 0


def test_the_basis_is_one_and_the_same_unless_drawn():
    rnn, inputs = torch.nn.RNN(M, N), torch.randn(T, M)
    assert lt.flossing_loss(rnn, inputs, k=1) == lt.flossing_loss(rnn, inputs, k=1)
    rng = np.random.default_rng(0)
    first, second = (lt.flossing_loss(rnn, inputs, k=1, rng=rng) for _ in "ab")
    assert first == lt.flossing_loss(rnn, inputs, k=1, rng=0)
    assert first != second
    a, b = (torch.Generator().manual_seed(1) for _ in "ab")
    assert lt.flossing_loss(rnn, inputs, k=1, rng=a) == lt.flossing_loss(rnn, inputs, k=1, rng=b)


def test_the_random_streams_of_others_go_on_as_if_nothing_was():
    rnn, inputs = torch.nn.RNN(M, N), torch.randn(20, M)
    schedule = ln.FlossingSchedule(before=3, k=2, n_steps=15)
    theirs = torch.get_rng_state()
    for module in (rnn, examples.LayerNormRNN(N, M)):
        torch.set_rng_state(theirs)
        lt.flossing_loss(module, inputs, torch.zeros(N) if module is not rnn else None, k=2)
        lt.System(module if module is not rnn else torch.sin, N, n_inputs=M * (module is not rnn))
        assert torch.equal(torch.get_rng_state(), theirs)
    lt.Flosser(rnn, schedule, lambda: inputs)(0)
    assert torch.equal(torch.get_rng_state(), theirs)


def test_a_module_elsewhere_is_computed_here_and_answered_there(monkeypatch):
    """Without a GPU: the device is claimed, and it is noted what is sent there."""
    rnn, inputs = torch.nn.RNN(M, N), torch.randn(T, M)
    here = lt.finite_time_exponents(rnn, inputs, k=2)
    assert (here.device.type, here.dtype) == ("cpu", torch.float64)
    sent = []

    class Elsewhere(torch.Tensor):
        device = torch.device("cuda", 1)

    claimed = torch.zeros(()).as_subclass(Elsewhere)
    monkeypatch.setattr(device, "tensor_of", lambda module: claimed)
    monkeypatch.setattr(torch.Tensor, "to", noting(sent, torch.Tensor.to))
    with pytest.warns(UserWarning, match="the module is on cuda:1, and exponents are computed on"):
        lt.finite_time_exponents(rnn, inputs, k=2)
    lt.finite_time_exponents(rnn, inputs, k=2)  # said once
    assert sent == [torch.device("cuda", 1)] * 2
    monkeypatch.undo()
    with pytest.raises(ValueError, match="on the meta device, where parameters have no values"):
        lt.flossing_loss(torch.nn.RNN(M, N, device="meta"), inputs, k=1)


def noting(sent, to):
    """Return a `Tensor.to` that notes devices that are not there, and stays here."""

    def moved(x, where, *more, **settings):
        if isinstance(where, torch.device) and where.type == "cuda":
            sent.append(where)
            return x
        return to(x, where, *more, **settings)

    return moved


def test_from_module():
    torch.manual_seed(0)
    x, u = np.full(N, 0.1), np.ones(M)
    both = torch.nn.GRU(M, N, num_layers=2, bidirectional=True)
    with pytest.warns(UserWarning, match="first of 2 layers alone") as caught:
        back = lt.from_module(both, reverse=True)
    assert caught[0].filename == __file__
    new = both.double()(torch.ones(1, M).double(), torch.full((4, N), 0.1).double())[1]
    np.testing.assert_allclose(back.step(x, u), new[1].detach(), atol=1e-14)
    assert lt.from_module(both, layer=1, reverse=False).n_inputs == 2 * N
    with pytest.raises(ValueError, match="past and future at once"):
        lt.from_module(both, layer=None, reverse=True)
    for one in (both, torch.nn.LSTM(M, N, proj_size=2, bidirectional=True)):
        with pytest.raises(ValueError, match="say which by `reverse=False`"):
            lt.from_module(one)
    with pytest.raises(ValueError, match="`reverse` is for a bidirectional module"):
        lt.from_module(torch.nn.GRU(M, N), reverse=True)
    with pytest.raises(ValueError, match="`layer`"):
        lt.from_module(torch.nn.GRU(M, N), layer=1)
    with pytest.raises(TypeError, match=r"of any other module make a lyapnet\.torch\.System"):
        lt.from_module(torch.nn.Linear(2, 2))
    assert repr(lt.from_module(torch.nn.RNN(M, N, nonlinearity="relu"))) == (
        f"VanillaRNN(dim={N}, n_inputs={M}, activation='relu')"
    )


def test_what_is_refused():
    rnn, inputs = torch.nn.RNN(M, N), torch.randn(T, M)
    with pytest.raises(ValueError, match=r"`h0` must lie in \(-1, 1\)"):
        lt.flossing_loss(rnn, inputs, torch.full((1, N), 2.0), k=1)
    with pytest.raises(TypeError, match=r"`h0` must be a pair \(h, c\)"):
        lt.flossing_loss(torch.nn.LSTM(M, N), inputs, torch.zeros(1, N), k=1)
    with pytest.raises(ValueError, match="`h0` must be a first state"):
        lt.flossing_loss(rnn, torch.randn(T, B, M), torch.zeros(1, 2, N), k=1)
    with pytest.raises(ValueError, match="`k`"):
        lt.flossing_loss(rnn, inputs, k=N + 1)
    with pytest.raises(ValueError, match="not more than transient=10"):
        lt.flossing_loss(rnn, inputs, k=1, transient=T)
    with pytest.raises(ValueError, match="`inputs` must have shape"):
        lt.flossing_loss(rnn, torch.randn(T, M + 1), k=1)
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.randn(60, 2, M), [60, 50])
    with pytest.raises(TypeError, match="packed"):
        lt.flossing_loss(torch.nn.GRU(M, N), packed, k=1)
    batch_first = torch.nn.GRU(M, N, batch_first=True)
    with pytest.raises(ValueError, match=r"\(B, T, 2\), since batch_first.*got \(4, 60, 3\)"):
        lt.flossing_loss(batch_first, torch.randn(4, 60, M + 1), k=1)
    with pytest.raises(ValueError, match="`reduction`"):
        lt.flossing_loss(rnn, inputs, k=1, reduction="max")
    with pytest.raises(ValueError, match="bidirectional"):
        lt.flossing_loss(torch.nn.RNN(M, N, bidirectional=True), inputs, k=1)
    model = torch.nn.Sequential(torch.nn.Linear(M, M), rnn)
    with pytest.raises(ValueError, match=r"`h0` is needed: .*; its recurrent part is module\.1"):
        lt.flossing_loss(model, inputs, k=1)
    with pytest.raises(TypeError, match="`module` must be a Module"):
        lt.flossing_loss(ln.VanillaRNN.random(N), inputs, k=1)
    with pytest.raises(ValueError, match="`n_steps` is needed"):
        lt.flossing_loss(lt.System(torch.sin, N), None, k=1)


def test_second_derivatives_are_refused_by_name():
    rnn = torch.nn.RNN(1, 4)
    loss = lt.flossing_loss(rnn, torch.randn(20, 1), k=2)
    found = torch.autograd.grad(loss, list(rnn.parameters()), create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        sum(x.pow(2).sum() for x in found).backward()


def test_dropout_between_layers_is_left_out():
    lstm = torch.nn.LSTM(1, 4, 2, dropout=0.5)
    inputs = torch.randn(20, 1)
    training = lt.flossing_loss(lstm, inputs, k=2)
    assert training == lt.flossing_loss(lstm.eval(), inputs, k=2)


@pytest.mark.parametrize("interval", [1, 5])
def test_relu_from_a_state_of_zeros_is_told_to_leave_out_a_step(interval):
    """Units at zero have slope 0, in the first step of PyTorch's own default state."""
    torch.manual_seed(0)
    rnn = torch.nn.RNN(2, 12, nonlinearity="relu")
    inputs = torch.randn(60, 2)
    with pytest.raises(ln.DegenerateBasisError, match="`transient=1` leaves out that step"):
        lt.flossing_loss(rnn, inputs, k=3, qr_interval=interval).backward()
    loss = lt.flossing_loss(rnn, inputs, k=3, transient=1, qr_interval=interval)
    loss.backward()
    assert np.isfinite(loss.item())
    # Later on it is no remedy.
    with torch.no_grad():
        rnn.bias_ih_l0[:] = 0.0
        rnn.weight_ih_l0[:] = 1.0
        inputs[20:] = -100.0
    with pytest.raises(ln.DegenerateBasisError) as caught:
        lt.flossing_loss(rnn, inputs, k=3, transient=1, qr_interval=interval).backward()
    assert "transient" not in str(caught.value)
