"""Any module of PyTorch as a system, against dense Jacobians from PyTorch itself."""

import numpy as np
import pytest
from autograd import grad

import lyapnet as ln

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import lyapnet.torch as lt
from lyapnet.torch import examples

N, M, T, K = 6, 2, 12, 3

CELLS = {
    "layer norm": lambda: examples.LayerNormRNN(N, M),
    "coRNN": lambda: examples.CoRNN(N, M),
    "antisymmetric": lambda: examples.AntisymmetricRNN(N, M),
    "Lipschitz": lambda: examples.LipschitzRNN(N, M),
    "LRU": lambda: examples.LRU(N, M),
    "minGRU": lambda: examples.MinGRU(N, M),
    "neural ODE": lambda: examples.NeuralODE(N, M),
    "deep": lambda: examples.DeepStack(N, T, bias=0.3),
}


@pytest.fixture(params=CELLS)
def case(request):
    """Return a module in single precision, its system, a state, inputs and a basis."""
    torch.manual_seed(3)
    module = CELLS[request.param]()
    system = module.system()
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((T, system.n_inputs))
    if request.param == "deep":
        inputs = module.depths()
    x = rng.standard_normal(system.dim)
    return module, system, x, inputs, rng.standard_normal((system.dim, K))


def dense(step, x, inputs, basis):
    """Return exponents, states and Jacobians as people compute them: dense, QR in every step."""
    x, Q = torch.tensor(x), torch.linalg.qr(torch.tensor(basis))[0]
    total, states, jacobians = torch.zeros(Q.shape[1]).double(), [x], []
    for u in torch.tensor(inputs):
        J = torch.autograd.functional.jacobian(lambda h, u=u: step(h, u), x)
        Q, R = torch.linalg.qr(J @ Q)
        total = total + R.diagonal().abs().log()
        x = step(x, u).detach()
        states.append(x)
        jacobians.append(J)
    return (total / len(inputs)).numpy(), torch.stack(states).numpy(), torch.stack(jacobians)


def test_spectrum_is_that_of_dense_jacobians(case):
    module, system, x, inputs, basis = case
    lam = ln.finite_time_exponents(system, x, basis, inputs=inputs)
    orbit = system.orbit(x, inputs, T)
    truth, states, jacobians = dense(module.double(), x, inputs, basis)
    np.testing.assert_allclose(orbit.states, states, rtol=0, atol=1e-12)
    np.testing.assert_allclose(orbit.jacobians, jacobians, rtol=0, atol=1e-12)
    np.testing.assert_allclose(lam * system.dt, truth, rtol=0, atol=1e-9)


def test_gradient_is_that_of_finite_differences(case):
    module, system, x, inputs, basis = case
    rng = np.random.default_rng(2)

    def loss(params, x, inputs):
        lam = ln.finite_time_exponents(
            system.with_params(params), x, basis, inputs=inputs, basis_transient=2, qr_interval=2
        )
        return ln.flossing_loss(lam, 0.1)

    def check(found, loss_of, p):
        d = rng.standard_normal(p.shape)
        at = [loss_of(p + t * d) for t in (1e-4, -1e-4, 2e-4, -2e-4)]
        # fourth order, so that rounding and not the step is what is left
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / 12e-4
        np.testing.assert_allclose(np.sum(found * d), slope, rtol=1e-7, atol=1e-9)

    p = system.params
    found, x_bar, u_bar = grad(lambda a: loss(*a))((p, x, inputs))
    check(x_bar, lambda moved: loss(p, moved, inputs), x)
    if not isinstance(module, examples.DeepStack):  # whose input is a number of a layer
        check(u_bar, lambda moved: loss(p, x, moved), inputs)
    for name in p:
        check(found[name], lambda moved, k=name: loss({**p, k: moved}, x, inputs), p[name])


def test_gradient_is_that_of_pytorch_through_dense_jacobians(case):
    module, system, x, inputs, basis = case
    module = module.double()
    named = {name: p for name, p in module.named_parameters()}

    x_, Q, total = torch.tensor(x), torch.linalg.qr(torch.tensor(basis))[0], 0.0
    for u in torch.tensor(inputs):
        J = torch.autograd.functional.jacobian(lambda h, u=u: module(h, u), x_, create_graph=True)
        Q, R = torch.linalg.qr(J @ Q)
        total = total + R.diagonal().abs().log()
        x_ = module(x_, u)
    loss = ((total / len(inputs) / system.dt) ** 2).sum()
    truth = torch.autograd.grad(loss, named.values(), allow_unused=True)
    found = grad(
        lambda p: ln.flossing_loss(
            ln.finite_time_exponents(system.with_params(p), x, basis, inputs=inputs)
        )
    )(system.params)
    scale = max(float(g.abs().max()) for g in truth if g is not None)
    for name, g in zip(named, truth, strict=True):
        g = np.zeros(found[name].shape) if g is None else g.numpy()
        np.testing.assert_allclose(found[name], g, rtol=0, atol=1e-9 * max(scale, 1))


def test_condition_number_is_that_of_the_product(case):
    module, system, x, inputs, basis = case
    basis = np.linalg.qr(basis)[0]
    found = ln.condition_number(
        system, inputs=inputs, x0=x, basis=basis, transient=0, times=[T * system.dt], rng=0
    )
    product = torch.tensor(basis)
    for J in dense(module.double(), x, inputs, basis)[2]:
        product = J @ product
    s = np.linalg.svd(product.numpy(), compute_uv=False)
    np.testing.assert_allclose(found.log10_measured, np.log10(s[0] / s[-1]), rtol=0, atol=1e-9)


def test_exponents_that_are_known():
    torch.manual_seed(0)
    lru = examples.LRU(5, 1)
    run = dict(n_steps=300, x0=np.ones(10), transient=0, basis_transient=400, rng=0)
    found = ln.lyapunov_spectrum(lru.system(), **run).exponents
    truth = -np.exp(lru.nu.detach().double().numpy())
    np.testing.assert_allclose(found, np.sort(np.repeat(truth, 2))[::-1], rtol=0, atol=2e-3)
    np.testing.assert_allclose(found.sum(), 2 * truth.sum(), rtol=0, atol=1e-12)
    gru, inputs = examples.MinGRU(4, 1), np.random.default_rng(0).standard_normal((50, 1))
    found = ln.finite_time_exponents(gru.system(), np.ones(4), np.eye(4), inputs=inputs)
    z = torch.sigmoid(gru.double().gate(torch.tensor(inputs))).detach().numpy()
    np.testing.assert_allclose(found, np.log1p(-z).mean(axis=0), rtol=0, atol=1e-12)


def test_ensemble_is_its_members():
    torch.manual_seed(0)
    system = examples.LayerNormRNN(N, M).system()
    rng = np.random.default_rng(0)
    x, inputs = rng.standard_normal((3, N)), rng.standard_normal((T, 3, M))
    basis = rng.standard_normal((N, K))

    def loss(params, x, inputs):
        lam = ln.finite_time_exponents(system.with_params(params), x, basis, inputs=inputs)
        return ln.flossing_loss(lam)

    together = grad(loss)(system.params, x, inputs)
    alone = [grad(loss)(system.params, x[i], inputs[:, i]) for i in range(3)]
    for name, g in together.items():
        np.testing.assert_allclose(g, np.mean([one[name] for one in alone], axis=0), atol=1e-12)


def test_covariant_vectors_and_errors_of_a_module():
    torch.manual_seed(1)
    system = examples.LayerNormRNN(8, 1).system()
    inputs = np.random.default_rng(0).standard_normal((300, 1))
    found = ln.covariant_vectors(
        system, 100, k=3, inputs=inputs, transient=20, basis_transient=80, backward_transient=100,
        rng=0,
    )  # fmt: skip
    v, D = found.vectors, system.jacobian(found.states[:-1], inputs[100:199])
    pushed = np.matmul(D, v[:-1])
    cosines = np.abs(np.sum(pushed * v[1:], axis=1)) / np.linalg.norm(pushed, axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-9)
    spectrum = ln.lyapunov_spectrum(system, inputs=inputs, k=2, rng=0)
    assert (spectrum.stderr > 0).all()


def test_float32_module_runs_in_float64_unless_told_not_to():
    torch.manual_seed(0)
    module = examples.LayerNormRNN(N, M)
    x, u = np.random.default_rng(0).standard_normal(N), np.ones(M)
    exact = lt.System(module, N, n_inputs=M).step(x, u)
    single = lt.System(module, N, n_inputs=M, dtype=torch.float32).step(x, u)
    assert module.W.dtype == torch.float32
    assert exact.dtype == single.dtype == np.float64
    assert 0 < np.abs(exact - single).max() < 1e-5
    np.testing.assert_allclose(exact, module.double()(torch.tensor(x), torch.tensor(u)).detach(),
                               atol=1e-14)  # fmt: skip


def test_flossed_parameters_go_back_into_the_module():
    torch.manual_seed(0)
    module = examples.AntisymmetricRNN(8, 1)
    before = module.W.detach().clone()
    module.b.requires_grad_(False)
    system = module.system()
    assert sorted(system.params) == ["V", "W"]
    r = ln.floss(system, 40, k=4, n_steps=20, batch_size=2, optimizer=ln.Adam(0.01), rng=0)
    assert r.loss[-5:].mean() < 0.7 * r.loss[:5].mean()
    assert torch.equal(module.W, before)
    r.cell.store()
    np.testing.assert_allclose(module.W.detach(), r.cell.params["W"], atol=1e-7)
    np.testing.assert_array_equal(system.current().params["W"], module.W.detach().double().numpy())


def test_steps_as_people_write_them():
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(M, N)
    linear = torch.nn.Linear(N + M, N)
    W = torch.randn(N, N).double() / N

    def only_batches(h, u):
        return torch.tanh(linear(torch.cat([h, u], dim=1)))

    def branches(h, u, p):
        return p["W"] @ h if float(h.sum()) > 0 else torch.tanh(p["W"] @ h)

    steps = {
        "module, other order": lt.System(lambda h, u: cell(u, h), N, n_inputs=M, params=cell),
        "batches": lt.System(only_batches, N, n_inputs=M, params=linear),
        "branches": lt.System(branches, N, n_inputs=M, params={"W": W}),
        "mapping": lt.System(lambda h, p: torch.sin(p["W"] @ h), N, params={"W": W}),
        "nothing to learn": lt.System(lambda h: torch.sin(W @ h), N),
    }
    x = np.random.default_rng(0).standard_normal(N)
    for name, system in steps.items():
        u = np.ones(M) if system.n_inputs else None
        J = system.jacobian(x, u)
        d = 1e-6 * np.eye(N)
        slopes = np.stack(
            [(system.step(x + e, u) - system.step(x - e, u)) / 2e-6 for e in d], axis=1
        )
        np.testing.assert_allclose(J, slopes, atol=1e-8, err_msg=name)
        Q = np.random.default_rng(1).standard_normal((N, 2))
        np.testing.assert_allclose(system.pushforward(x, Q, u), J @ Q, atol=1e-12)


LAYERS = {
    "RNNCell": lambda c, h, u: c(u, h),
    "GRUCell": lambda c, h, u: c(u, h),
    "LSTMCell": lambda c, h, u: torch.cat(c(u, h.chunk(2))),
    "RNN": lambda c, h, u: c(u[None], h[None])[1][0],
    "LSTM": lambda c, h, u: torch.cat(
        [x[0] for x in c(u[None], tuple(x[None] for x in h.chunk(2)))[1]]
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_batches_of_steps_that_have_pytorch_s_own_layers_inside(name):
    torch.manual_seed(0)
    layer, n = getattr(torch.nn, name)(M, N), N * (1 + name.startswith("LSTM"))
    system = lt.System(lambda h, u: LAYERS[name](layer, h, u), n, n_inputs=M, params=layer)
    rng = np.random.default_rng(0)
    x, u, basis = rng.uniform(-0.5, 0.5, (2, n)), rng.standard_normal((5, 2, M)), np.eye(n)[:, :2]

    def loss(params, x, u):
        lam = ln.finite_time_exponents(system.with_params(params), x, basis, inputs=u)
        return ln.flossing_loss(lam)

    together = grad(loss)(system.params, x, u)
    alone = [grad(loss)(system.params, x[i], u[:, i]) for i in range(2)]
    for key, g in together.items():
        np.testing.assert_allclose(g, np.mean([one[key] for one in alone], axis=0), atol=1e-12)


def test_steps_that_are_refused():
    linear = torch.nn.Linear(N, N)
    with pytest.raises(TypeError, match=r"give the module whose parameters .* as `params`"):
        lt.System(lambda h: linear(h), N)
    with pytest.raises(ValueError, match=r"`step` must return the next state.*\(3,\)"):
        lt.System(lambda h: h[:3], N)
    with pytest.raises(ValueError, match=r"draws at random in 1 .*call \.eval\(\)"):
        lt.System(torch.nn.Sequential(linear, torch.nn.Dropout(0.5)), N)
    with pytest.raises(ValueError, match="draws at random, and exponents are those of one map"):
        lt.System(lambda h: torch.nn.functional.dropout(torch.sin(h)), N)
    calls = []
    with pytest.raises(ValueError, match=r"changes from call to call.* a memory of its own"):
        lt.System(lambda h: calls.append(1) or torch.sin(h) * len(calls), N)
    with pytest.raises(TypeError, match="compute in PyTorch alone, not in NumPy"):
        lt.System(lambda h: torch.from_numpy(np.sin(h.numpy())), N)
    W = torch.eye(N, dtype=torch.complex128)
    with pytest.raises(TypeError, match="`W` is complex"):
        lt.System(lambda h, p: (p["W"] @ h).real, N, params={"W": W})
    with pytest.raises(TypeError, match=r"it is called as step\(h, u\), and the parts of a state"):
        lt.System(lambda h, u: torch.cat(torch.nn.LSTMCell(M, N)(u, h)), 2 * N, n_inputs=M)
    with pytest.raises(TypeError, match="`step` must be a function or module"):
        lt.System(3, N)
    for dtype in (torch.bfloat16, torch.complex64, "float64"):
        with pytest.raises(TypeError, match="`dtype` must be a real type that NumPy has"):
            lt.System(lambda h: torch.sin(h), N, dtype=dtype)
    system = lt.System(lambda h: torch.sin(h), N)
    with pytest.raises(ValueError, match="exactly the keys"):
        system.with_params({"W": np.eye(N)})
    with pytest.raises(TypeError, match="cannot trace a single step of PyTorch"):
        grad(lambda x: system.step(x).sum())(np.ones(N))


class InputFirst(torch.nn.Module):
    """A cell in PyTorch's order of arguments."""

    hidden_size = N

    def __init__(self):
        super().__init__()
        self.cell = torch.nn.GRUCell(N, N)

    def forward(self, x, h):
        return self.cell(x, h)


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell", "RNN", "GRU", "LSTM"])
def test_pytorchs_own_modules_take_their_input_first(kind):
    module = getattr(torch.nn, kind)(N, N)  # as many inputs as states: it would run
    for step in (module, module.forward):
        for m in (N, 0):
            with pytest.raises(TypeError, match=r"\(input, hx\).*lyapnet\.torch\.from_module"):
                lt.System(step, N, n_inputs=m)


def test_modules_whose_arguments_say_that_the_input_comes_first():
    module = InputFirst()
    said = r"`step` takes \(x, h\).*called as step\(h, u\): give lambda h, u: module\(u, h\)"
    with pytest.raises(TypeError, match=said):
        lt.System(module, N, n_inputs=N)
    with pytest.raises(TypeError, match=said):
        lt.finite_time_exponents(module, torch.zeros(10, N), torch.zeros(N), k=2)
    with pytest.raises(TypeError, match=said):
        lt.flossing_loss(module, torch.zeros(10, N), k=2)
    # what the message says does what it should
    right = lt.System(lambda h, u: module(u, h), N, n_inputs=N, params=module)
    own = lt.from_module(module.cell)
    h, u = np.random.default_rng(0).standard_normal((2, N))
    np.testing.assert_allclose(right.step(h, u), own.step(h, u), atol=1e-12)


def test_the_length_of_a_step_is_no_state():
    lt.System(lambda x, h=0.1: x + h * torch.sin(x), N)


@pytest.mark.parametrize("kind", ["added", "multiplied", "later"])
def test_noise_from_elsewhere_is_seen(kind):
    rng = np.random.default_rng(0)
    calls = []

    def later(h):  # behind a warm-up, so to speak
        calls.append(1)
        return torch.sin(h) + (torch.tensor(rng.normal(size=N)) if len(calls) > 8 else 0.0)

    steps = {
        "added": lambda h: torch.sin(h) + 0.1 * torch.tensor(rng.normal(size=N)),
        "multiplied": lambda h: torch.sin(h) * rng.normal(),
        "later": later,
    }
    with pytest.raises(ValueError, match="draws at random, and exponents are those of one map"):
        ln.lyapunov_spectrum(lt.System(steps[kind], N), 300, k=1, x0=np.ones(N), rng=0)


def test_what_a_step_finds_around_itself_is_never_out_of_date():
    gain = 0.9
    system = lt.System(lambda h: gain * h, N)  # exponents log(gain)
    for x0 in (np.ones(N), np.ones((2, N))):
        for gain in (0.9, 0.5):
            s = ln.lyapunov_spectrum(system, 20, k=2, x0=x0, rng=0)
            np.testing.assert_allclose(s.exponents, np.full(s.exponents.shape, np.log(gain)))
    gain = 0.8
    np.testing.assert_allclose(system.jacobian(np.ones(N)), 0.8 * np.eye(N))
    loss = lt.flossing_loss(system, None, torch.ones(N), k=2, n_steps=5)
    np.testing.assert_allclose(loss.item(), 2 * np.log(0.8) ** 2)


def test_a_run_has_the_parameters_that_the_module_has_when_it_begins():
    linear = torch.nn.Linear(1, 1, bias=False).double()

    def becomes(weight):
        with torch.no_grad():
            linear.weight.fill_(weight)

    becomes(0.5)
    system = lt.System(lambda h: linear(h), 1, params=linear)
    first = ln.lyapunov_spectrum(system, 20, x0=[1.0], rng=0)
    becomes(0.25)
    again = ln.lyapunov_spectrum(system, 20, x0=[1.0], rng=0)
    np.testing.assert_allclose([first.exponents[0], again.exponents[0]], np.log([0.5, 0.25]))
    assert system.jacobian(np.ones(1))[0, 0] == system.params["weight"][0, 0] == 0.25
    # what has begun goes on as it was; what was given stays
    np.testing.assert_allclose(first.extend(20).exponents, np.log(0.5))
    own = system.with_params({"weight": np.array([[0.125]])})
    becomes(0.75)
    np.testing.assert_allclose(own.step(np.ones(1)), 0.125)
    np.testing.assert_allclose(own.current().step(np.ones(1)), 0.75)
    own.store()
    np.testing.assert_allclose(system.step(np.ones(1)), 0.125)


def test_tensors_are_taken_where_arrays_are_without_a_warning():
    cell = ln.VanillaRNN.random(N, n_inputs=M, rng=0)
    u = torch.randn(30, M, dtype=torch.float64)
    found = [ln.lyapunov_spectrum(cell, inputs=x, rng=0).exponents for x in (u, u.numpy())]
    np.testing.assert_array_equal(*found)


def test_states_that_are_detached_are_noticed():
    W = torch.randn(N, N, dtype=torch.float64)
    whole = lt.System(lambda h: torch.tanh(W @ h.detach()), N)  # exponents were -inf, "converged"
    part = lt.System(lambda h: torch.tanh(W @ h.detach()) + 0.1 * h, N)
    for system in (whole, part):
        with pytest.warns(UserWarning, match=r"derivative is not that of the step.*\.detach\(\)"):
            s = ln.lyapunov_spectrum(system, 200, k=2, x0=np.full(N, 0.3), rng=0)
        assert s.diagnose().verdict.startswith("unreliable: the derivative is not that of")
    single = lt.System(lambda h: torch.tanh(W.float() @ h), N, dtype=torch.float32)
    s = ln.lyapunov_spectrum(single, 200, k=2, x0=np.full(N, 0.3), rng=0)
    assert s.settings["reservations"] == []


def test_a_module_whose_arguments_do_not_tell_is_asked_about():
    class Cell(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = torch.nn.RNNCell(N, N)

        def forward(self, a, b):
            return self.cell(a, b)

    with pytest.warns(UserWarning, match=r"takes \(a, b\) and is called as step\(h, u\)"):
        lt.System(Cell().double(), N, n_inputs=N)
