"""Flossing: the loss and its descent, targets met and not, intervals, and what is refused."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import lyapnet as ln
from lyapnet.flossing import source
from lyapnet.flossing.epoch import Flosser
from lyapnet.flossing.window import Window
from lyapnet.tangent.interval import Interval


def small(n=8, **kwargs):
    return ln.VanillaRNN.random(n, **{"gain": 0.8, "bias": 0.1, "rng": 0, **kwargs})


def test_loss_is_eq_4():
    lam = np.array([[0.5, -1.0], [0.0, 2.0]])
    assert ln.flossing_loss(lam) == pytest.approx((1.25 + 4.0) / 2)
    assert ln.flossing_loss(lam, 0.5, reduction="mean") == pytest.approx((2.25 + 0.25 + 2.25) / 4)
    assert ln.flossing_loss(lam[0], [0, -2], weights=[1, 3]) == pytest.approx(0.25 + 3)


@pytest.mark.parametrize(
    ("lam", "kwargs", "named"),
    [
        (0.5, {}, "`lam` must have shape"),
        ([0.5, 1], {"target": [1, 2, 3]}, "`target` must be a number or have shape"),
        ([0.5, 1], {"weights": [-1, 1]}, "`weights` must not be negative"),
        ([0.5, 1], {"weights": [0, 0]}, "not all zero"),
        ([0.5, 1], {"reduction": "max"}, "`reduction` must be one of"),
    ],
)
def test_bad_losses_are_named(lam, kwargs, named):
    with pytest.raises(ValueError, match=named):
        ln.flossing_loss(np.asarray(lam), **kwargs)


class Recorder(ln.Adam):
    """Keeps the gradient that it gets."""

    def update(self, params, grads):
        self.seen = {name: g.copy() for name, g in grads.items()}
        return super().update(params, grads)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_descends_the_gradient_that_autograd_finds(members, reduction):
    cell, k = small(), 5
    window = Window(
        k=k, n_steps=9, target=[0.1, 0, 0, 0, -0.2], weights=np.arange(1, 6), reduction=reduction,
        transient=2, basis_transient=3, qr_interval=1, optimizer=Recorder(),
    )  # fmt: skip
    rng = np.random.default_rng(1)
    lead = () if members == 1 else (members,)
    x, u = rng.standard_normal((*lead, 8)), rng.standard_normal((14, *lead, 1))
    flosser = Flosser(window, cell)
    _, lam, loss = flosser.epoch(cell, x, u, np.random.default_rng(2))
    basis = np.random.default_rng(2).standard_normal((*lead, k, 8)).swapaxes(-1, -2)

    def by_autograd(params):
        found = ln.finite_time_exponents(
            cell.with_params(params), x, basis, inputs=u, transient=2, basis_transient=3
        )
        return ln.flossing_loss(found, window.goal, weights=np.arange(1, 6), reduction=reduction)

    assert loss == pytest.approx(by_autograd(cell.params), rel=1e-13)
    assert lam.shape == (k,)
    for name, want in grad(by_autograd)(cell.params).items():
        # Only the order of sums differs.
        np.testing.assert_allclose(flosser.optimizer.seen[name], want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", [0.0, -0.5, -1.0])
@pytest.mark.parametrize("gain", [0.2, 0.5, 0.9])
def test_reaches_its_target_within_100_epochs(gain, target):
    cell = ln.VanillaRNN.random(32, gain=gain, rng=3)
    r = ln.floss(
        cell, 100, k=1, n_steps=50, basis_transient=10, target=target, rng=4, tol=0.08,
        optimizer=ln.Adam(0.005),
    )  # fmt: skip
    assert r.met, r.verdict
    assert r.verdict.startswith("target met after")
    assert len(r.loss) <= 100
    assert r.exponents.shape == (len(r.loss), 1)
    # The spectrum of a long run agrees with what the windows showed.
    s = ln.lyapunov_spectrum(
        r.cell, inputs=np.random.default_rng(5).standard_normal((3000, 1)), k=1, rng=6
    )
    assert abs(s.exponents[0] - target) < 0.2


def test_flosses_many_exponents_and_leaves_the_rest():
    cell = small(16)
    r = ln.floss(
        cell,
        400,
        k=4,
        n_steps=40,
        basis_transient=10,
        clip_norm=1.0,
        optimizer=ln.Adam(0.01),
        rng=0,
    )
    # The median: single windows in which tangent vectors nearly align throw it up for a while.
    assert np.median(r.loss[-100:]) < 0.02 * r.loss[:5].mean()
    s = ln.lyapunov_spectrum(
        r.cell, inputs=np.random.default_rng(5).standard_normal((2000, 1)), rng=6
    )
    assert (np.abs(s.exponents[:4]) < 0.15).all()
    assert s.exponents[5] < -0.2


def test_a_positive_target_ends_with_a_verdict():
    cell = ln.VanillaRNN.random(16, gain=0.5, rng=0)
    r = ln.floss(cell, 300, k=1, n_steps=40, target=1.0, optimizer=ln.Adam(0.01), rng=0, tol=0.05)
    assert not r.met
    assert len(r.loss) == 300
    assert "exponent 1 of 1" in r.verdict
    assert "a positive exponent needs chaos" in r.verdict


@pytest.mark.parametrize(
    ("target", "weights", "rising"),
    [
        ([-0.3, -0.2, 0.0], None, True),  # however long, exponents come to the mean of these
        ([-0.1, -0.4, 0.0], None, True),
        ([-0.4, 5.0, -0.5], [1, 0, 1], False),  # one that does not count may be anywhere
        ([0.0, -0.2, -0.3], None, False),
        ([-0.31, -0.3, -0.29], None, False),  # nearly equal: all can be met within the tolerance
    ],
)
def test_targets_that_rise_along_the_exponents_are_named(target, weights, rising):
    r = ln.floss(small(), 60, k=3, n_steps=10, target=target, weights=weights, rng=0)
    assert not r.met
    assert ("descending order" in r.verdict) == rising, r.verdict


def test_an_unfinished_run_says_so():
    r = ln.floss(small(), 20, k=4, n_steps=10, rng=0)
    assert not r.met
    assert "run more epochs" in r.verdict
    assert "too few" in ln.floss(small(), 2, k=1, n_steps=5, rng=0).verdict


def test_the_interval_changes_the_time_but_not_the_numbers():
    cell = small(24)
    runs = [
        ln.floss(cell, 60, k=18, n_steps=25, basis_transient=5, qr_interval=q, rng=0)
        for q in (1, "auto")
    ]
    # Rounding over a sine of 1e-5, carried through 60 updates.
    np.testing.assert_allclose(runs[0].exponents, runs[1].exponents, rtol=1e-7)
    np.testing.assert_allclose(
        runs[0].cell.params["W"], runs[1].cell.params["W"], rtol=1e-6, atol=1e-9
    )


def test_the_interval_follows_the_sine():
    interval = Interval.of("auto")
    interval.adapt(0.1, 50)
    assert interval.steps == 2  # at most doubled
    interval.adapt(0.01, 50)
    assert interval.steps == 4
    interval.adapt(1e-4, 50)
    assert interval.steps == 5  # near the aim of 1e-5: one step at a time
    interval.adapt(2e-5, 50)
    assert interval.steps == 5
    interval.adapt(5e-6, 50)
    assert interval.steps == 4
    interval.adapt(0.0, 50)
    assert interval.steps == 2
    interval.adapt(0.0, 50)
    assert interval.steps == 1
    interval.adapt(1.0, 50)
    assert interval.steps == 2
    fixed = Interval.of(3)
    fixed.adapt(0.1, 50)
    assert fixed.steps == 3


def test_one_exponent_over_several_stretches():
    # Whole blocks end before the window does, so that it is swept in two stretches.
    r = ln.floss(small(), 3, k=1, n_steps=50, qr_interval=32, rng=0)
    assert np.isfinite(r.cell.params["W"]).all()


def test_inputs_fixed_or_fresh():
    cell = small()
    u = np.random.default_rng(0).standard_normal((20, 1))
    fixed = ln.floss(cell, 3, k=2, n_steps=20, inputs=u, rng=1)
    called = ln.floss(cell, 3, k=2, n_steps=20, inputs=lambda rng: u, rng=1)
    batched = ln.floss(cell, 3, k=2, n_steps=20, inputs=u[:, None], rng=1)
    assert (fixed.exponents == called.exponents).all()
    assert (fixed.exponents == batched.exponents).all()
    fresh = ln.floss(cell, 3, k=2, n_steps=20, rng=1)
    assert (fresh.exponents != fixed.exponents).any()
    autonomous = ln.VanillaRNN(cell.params["W"])
    assert ln.floss(autonomous, 2, k=2, n_steps=5, rng=1).exponents.shape == (2, 2)


def test_a_batch_is_a_mean():
    cell, T = small(), 12
    u = np.random.default_rng(0).standard_normal((T, 4, 1))
    x = np.random.default_rng(1).standard_normal((4, 8))
    r = ln.floss(cell, 1, k=8, n_steps=T, inputs=u, x0=x, batch_size=4, rng=1)
    rows = np.random.default_rng(1).standard_normal((4, 8, 8))
    lam = ln.finite_time_exponents(cell, x, rows.swapaxes(-1, -2), inputs=u)
    np.testing.assert_allclose(r.exponents[0], lam.mean(axis=0), rtol=1e-12)
    assert r.loss[0] == pytest.approx(ln.flossing_loss(lam))


def test_networks_of_an_ensemble_are_flossed_independently():
    cells = [small(rng=seed) for seed in range(3)]
    both = ln.VanillaRNN(*(np.stack([c.params[name] for c in cells]) for name in "WVb"))
    u, x = np.random.default_rng(0).standard_normal((10, 1)), np.ones(8)
    basis_rng = np.random.default_rng(7)
    r = ln.floss(both, 2, k=8, n_steps=10, inputs=u, x0=x, rng=basis_rng)
    assert r.exponents.shape == (2, 3, 8)
    assert r.loss.shape == (2, 3)
    first = np.random.default_rng(7).standard_normal((3, 8, 8))
    for i, cell in enumerate(cells):
        lam = ln.finite_time_exponents(cell, x, first[i].T, inputs=u)
        np.testing.assert_allclose(r.exponents[0, i], lam, rtol=1e-12)
    batched = ln.floss(both, 2, k=3, n_steps=10, batch_size=2, rng=0)
    assert batched.exponents.shape == (2, 3, 3)


def test_any_system_with_parameters_can_be_flossed():
    def field(x, p):
        rho = p["rho"]
        return anp.array(
            [10 * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
        )

    flow = ln.Flow(field, 3, dt=0.02, params={"rho": 28.0})
    r = ln.floss(
        flow, 30, k=1, n_steps=50, x0=[1.0, 2.0, 20.0], target=-0.2, optimizer=ln.Adam(0.5), rng=0
    )
    assert r.cell.params["rho"] != 28.0
    assert r.loss[-1] < r.loss[0]


FORMS = {
    "a list of one": (lambda W, b: {"W": W, "b": [b]}, lambda p: (p["W"], p["b"][0])),
    "parts of one": (
        lambda W, b: {"in": {"W": W}, "out": {"b": b}}, lambda p: (p["in"]["W"], p["out"]["b"]),
    ),
    "a tuple of one": (lambda W, b: {"W": (W,), "b": b}, lambda p: (p["W"][0], p["b"])),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_parameters_may_be_nested(form):
    # Before: as many arrays as keys were taken for a dictionary of arrays.
    rng = np.random.default_rng(3)
    arrays = 0.8 * rng.standard_normal((3, 3)), rng.standard_normal(3)
    nest, parts = FORMS[form]

    def network(nest, parts):
        def step(x, p):
            W, b = parts(p)
            return anp.tanh(anp.dot(W, x) + b)

        return ln.Map(step, 3, params=nest(*arrays))

    run = dict(k=2, n_steps=10, x0=np.ones(3), rng=0)
    flat = ln.floss(network(lambda W, b: {"W": W, "b": b}, lambda p: (p["W"], p["b"])), 5, **run)
    nested = ln.floss(network(nest, parts), 5, **run)
    np.testing.assert_allclose(nested.loss, flat.loss, rtol=1e-12)
    for x, y in zip(parts(nested.cell.params), flat.cell.params.values(), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_inputs_are_drawn_in_parts_as_at_once(monkeypatch):
    # A billion numbers in one call kept Ctrl-C waiting for half a minute.
    shape = (7, 3, 2)
    monkeypatch.setattr(source, "_PART", 5)
    drawn = source._normal(np.random.default_rng(0), shape)
    np.testing.assert_array_equal(drawn, np.random.default_rng(0).standard_normal(shape))


def test_only_the_parameters_that_were_asked_for():
    cell = ln.LSTM.random(6, rng=0)
    settings = dict(k=3, n_steps=10, clip_norm=0.1, rng=1)
    alone = ln.floss(cell, 5, only=("b",), **settings)
    changed = [k for k, x in alone.cell.params.items() if (x != cell.params[k]).any()]
    assert changed == ["b"]
    assert set(alone.optimizer.state.m) == {"b"}
    everything = ln.floss(cell, 5, only=sorted(cell.params), **settings)
    plain = ln.floss(cell, 5, **settings)
    for name, x in plain.cell.params.items():
        np.testing.assert_array_equal(everything.cell.params[name], x)
    # what one parameter alone gets is its part of the first step of all
    first = ln.floss(cell, 1, **settings).cell.params["W"]
    np.testing.assert_array_equal(ln.floss(cell, 1, only=["W"], **settings).cell.params["W"], first)
    stack = ln.Stack([ln.VanillaRNN.random(3, rng=0), ln.VanillaRNN.random(3, n_inputs=3, rng=1)])
    r = ln.floss(stack, 2, only=("layer1.W",), k=2, n_steps=5, rng=0)
    np.testing.assert_array_equal(r.cell.params["layer0.W"], stack.params["layer0.W"])
    schedule = ln.FlossingSchedule(before=3, k=2, n_steps=5, only=("W",))
    task, run = ln.tasks.DelayedCopy(1), dict(n_steps=5, batch_size=2, rng=0)
    trained = ln.train(cell, task, 0, schedule=schedule, **run)
    assert trained.flossing_optimizer.t == 0  # no epoch, no flossing
    trained = ln.train(cell, task, 1, schedule=schedule, **run)
    assert set(trained.flossing_optimizer.state.m) == {"W"}
    for wrong in (("U",), ()):
        with pytest.raises(ValueError, match=r"`only` must be a sequence of names among \['V'"):
            ln.floss(cell, 5, only=wrong, **settings)
    with pytest.raises(TypeError, match="`only`"):
        ln.floss(cell, 5, only="W", **settings)


def test_goes_on_with_its_optimizer():
    cell, u, x = small(), np.ones((10, 1)), np.zeros(8)
    settings = dict(k=8, n_steps=10, inputs=u, x0=x)
    rng = np.random.default_rng(0)
    whole = ln.floss(cell, 6, rng=np.random.default_rng(0), qr_interval=1, **settings)
    half = ln.floss(cell, 3, rng=rng, qr_interval=1, **settings)
    assert half.optimizer.t == 3
    rest = ln.floss(half.cell, 3, rng=rng, optimizer=half.optimizer, qr_interval=1, **settings)
    assert half.optimizer.t == 3  # copied, not used up
    assert (rest.cell.params["W"] == whole.cell.params["W"]).all()


def test_a_failure_carries_the_result_so_far():
    cell = ln.VanillaRNN.random(6, activation="relu", gain=0.5, mean=-1.0, rng=0)
    with pytest.raises(ln.DegenerateBasisError, match="fewer exponents") as caught:
        ln.floss(cell, 5, k=6, n_steps=30, rng=0)
    assert isinstance(caught.value.partial, ln.FlossResult)
    assert np.isfinite(caught.value.partial.cell.params["W"]).all()


def test_the_callback_sees_each_epoch():
    seen = []
    r = ln.floss(small(), 3, k=2, n_steps=5, rng=0, callback=seen.append)
    assert all(isinstance(p, ln.Progress) for p in seen)
    assert [p.epoch for p in seen] == [len(p.loss) for p in seen] == [1, 2, 3]
    for p in seen:
        assert (p.loss == r.loss[: p.epoch]).all()
        assert (p.exponents == r.exponents[p.epoch - 1]).all()
    assert (seen[-1].cell.params["W"] == r.cell.params["W"]).all()
    assert (seen[0].cell.params["W"] != r.cell.params["W"]).any()


@pytest.mark.parametrize(
    ("kwargs", "error", "named"),
    [
        ({"k": 9}, ValueError, "`k` must be at most 8"),
        ({"k": 0}, ValueError, "`k` must be at least 1"),
        ({"n_steps": 0}, ValueError, "`n_steps`"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"transient": -1}, ValueError, "`transient`"),
        ({"qr_interval": "never"}, ValueError, "`qr_interval`"),
        ({"optimizer": "adam"}, TypeError, "`optimizer`"),
        ({"tol": 0}, ValueError, "`tol`"),
        ({"inputs": np.ones((3, 1))}, ValueError, "`inputs` has 3 steps"),
        ({"inputs": np.ones((9, 2, 1))}, ValueError, "batch_size=1"),
        ({"inputs": np.full((9, 1), np.nan)}, ValueError, "`inputs` must be finite"),
        ({"x0": np.ones(7)}, ValueError, "`x0` must have shape"),
        ({"x0": np.ones((3, 8))}, ValueError, "`x0` must have shape"),
        ({"checkpoint": "/nowhere/at/all.npz"}, ValueError, "`checkpoint`"),
    ],
)
def test_bad_arguments_are_named(kwargs, error, named):
    with pytest.raises(error, match=named):
        ln.floss(small(), 2, **{"k": 2, "n_steps": 5, "rng": 0, **kwargs})


def test_a_system_without_parameters_is_refused():
    with pytest.raises(ValueError, match="has no params"):
        ln.floss(ln.Map(lambda x: 0.5 * x, 1), 2, k=1, n_steps=5, x0=[1.0])


def test_the_result_shows_and_draws_itself():
    r = ln.floss(small(), 8, k=2, n_steps=5, rng=0)
    assert "n_epochs=8" in repr(r)
    ax = r.plot()
    assert len(ax.lines) == 3
    assert ax.get_ylabel() == "exponent (nats per step)"
    names = [text.get_text() for text in ax.get_legend().texts]
    assert names == [r"$\lambda_{1}$", r"$\lambda_{2}$", "target"]
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x1  # hides no data
    import matplotlib.pyplot as plt

    plt.close(ax.figure)


@pytest.mark.parametrize(("n_epochs", "points"), [(0, 0), (1, 1)])
def test_runs_of_hardly_any_epochs_are_drawn(n_epochs, points):
    """Of no epoch: "cannot reshape array of size 0"; of one: an empty picture."""
    import matplotlib.pyplot as plt

    for batch_size in (1, 60):  # one by one, and by their median
        ax = ln.floss(small(), n_epochs, k=2, n_steps=5, batch_size=batch_size, rng=0).plot()
        curves = [line for line in ax.lines if line.get_label() != "target"]
        assert {len(line.get_xdata()) for line in curves} == {points}
        assert points == 0 or {line.get_marker() for line in curves} == {"o"}
    plt.close("all")


SHORT = dict(k=10, n_steps=20, clip_norm=1.0, optimizer=ln.Adam(0.01), rng=0)


@pytest.mark.parametrize(("cell", "gate"), [(ln.GRU, "update"), (ln.LSTM, "forget")])
def test_networks_that_come_to_hold_their_state_are_warned_of(cell, gate):
    drawn = cell.random(12, rng=0)
    with pytest.warns(
        UserWarning, match=rf"opened the {gate} gate from 0\.\d+ to 0\.\d+"
    ) as caught:
        held = ln.floss(drawn, 40, **SHORT)
    numbers = re.findall(r"0\.\d+", str(caught[0].message))
    u = np.random.default_rng(1).standard_normal((200, 1))
    for one, number in zip((drawn, held.cell), numbers, strict=True):
        x, values = np.zeros(one.dim), []
        for now in u:
            values.append(one.gate_values(x, now)[gate].mean())
            x = one.step(x, now)
        # There from a random state for 20 steps, here from zero for 200.
        assert np.mean(values) == pytest.approx(float(number), abs=0.15)
    ln.floss(cell.random(12, bias="open", rng=0), 40, **SHORT)  # warnings are errors
    ln.floss(drawn, 5, **SHORT)  # so few epochs open nothing


@pytest.mark.parametrize("members", [1, 3])
def test_relaxed_states_are_those_of_steps_without_input(members):
    cell = ln.VanillaRNN.random(6, gain=1.5, bias=0.3, rng=0)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((members, 6))
    u = rng.standard_normal((12, members, 1))
    relaxed = x
    for _ in range(7):
        relaxed = cell.step(relaxed)
    run = dict(k=2, n_steps=10, transient=2, batch_size=members, inputs=u, rng=3)
    found = ln.floss(cell, 1, x0=x if members > 1 else x[0], relaxation=7, **run)
    truth = ln.floss(cell, 1, x0=relaxed if members > 1 else relaxed[0], **run)
    np.testing.assert_allclose(found.exponents, truth.exponents, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.cell.params["W"], truth.cell.params["W"], rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="`relaxation` must be at least 0"):
        ln.floss(cell, 1, relaxation=-1, **run)


def test_relaxation_comes_before_the_time_of_the_window():
    def step(x, t, p):
        return np.tanh(p["a"] * x) + np.cos(t)

    system = ln.Map(step, 2, params={"a": np.array([1.2, 0.7])}, time=True)
    run = dict(k=1, n_steps=5, rng=0)
    x = np.array([0.3, -0.2])
    before = x
    for t in (2.0, 3.0, 4.0):
        before = np.tanh(np.array([1.2, 0.7]) * before) + np.cos(t)
    found = ln.floss(system, 1, x0=x, t0=5.0, relaxation=3, **run)
    truth = ln.floss(system, 1, x0=before, t0=5.0, **run)
    np.testing.assert_allclose(found.exponents, truth.exponents, rtol=0, atol=1e-12)
