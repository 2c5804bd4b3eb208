"""Orthogonal steps against singular value decompositions, and against Adam where they are its."""

import numpy as np
import pytest

import lyapnet as ln


def steps_of(optimizer, grads):
    """Return the last step from zero, parameter by parameter."""
    params = {name: np.zeros_like(g) for name, g in grads[0].items()}
    for g in grads:
        before, params = params, optimizer.update(params, g)
    return {name: x - before[name] for name, x in params.items()}


def draw(shapes, times=3, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {name: rng.standard_normal(shape) for name, shape in shapes.items()} for _ in range(times)
    ]


def check_orthogonal(step, mean, learning_rate):
    """Hold a step against the polar factor of the mean gradient, by its symmetric part."""
    n = len(step)
    turned = -step / (0.2 * np.sqrt(n) * learning_rate)
    np.testing.assert_allclose(turned @ turned.T, np.eye(n), atol=1e-12)
    stretch = turned.T @ mean  # symmetric and positive for the polar factor alone
    np.testing.assert_allclose(stretch, stretch.T, atol=1e-12 * abs(mean).max() * n)
    assert np.linalg.eigvalsh(stretch).min() > 0


def mean_of(grads, name, b1=0.9):
    mean = 0.0
    for g in grads:
        mean = b1 * mean + (1 - b1) * g[name]
    return mean


@pytest.mark.parametrize("n", [2, 7, 40])
def test_recurrent_weights_step_along_all_singular_directions_alike(n):
    grads = draw({"W": (n, n)})
    step = steps_of(ln.Muon(0.01), grads)["W"]
    check_orthogonal(step, mean_of(grads, "W"), 0.01)


def test_gates_and_layers_step_each_by_itself():
    layers = [ln.LSTM.random(5, n_inputs=2, rng=0), ln.VanillaRNN.random(6, n_inputs=5, rng=1)]
    grads = draw({name: x.shape for name, x in ln.Stack(layers).params.items()})
    steps = steps_of(ln.Muon(0.01), grads)
    for gate in range(4):
        rows = slice(5 * gate, 5 * gate + 5)
        check_orthogonal(steps["layer0.W"][rows], mean_of(grads, "layer0.W")[rows], 0.01)
    check_orthogonal(steps["layer1.W"], mean_of(grads, "layer1.W"), 0.01)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_all_else_steps_as_by_adam(decay):
    shapes = {"V": (6, 6), "b": (6,), "readout.W": (3, 3), "W0": (4, 4), "params[0]": (3, 3)}
    grads = draw({**shapes, "W": (6, 6)})
    adam, muon = (kind(0.01, weight_decay=decay) for kind in (ln.Adam, ln.Muon))
    want, got = steps_of(adam, grads), steps_of(muon, grads)
    for name in shapes:
        np.testing.assert_array_equal(got[name], want[name])
    assert abs(got["W"] - want["W"]).max() > 1e-3


def test_entries_that_agree_do_not_add_up():
    n, rate = 100, 0.01
    grads = [{"W": np.ones((n, n))}]
    assert np.linalg.norm(steps_of(ln.Adam(rate), grads)["W"], 2) == pytest.approx(rate * n)
    step = steps_of(ln.Muon(rate), grads)["W"]
    assert np.linalg.norm(step, 2) == pytest.approx(0.2 * rate * n**0.5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (2, 5), (5, 2)])
def test_any_matrix_has_a_step_of_about_the_learning_rate(shape):
    step = steps_of(ln.Muon(0.01), [{"W": np.ones(shape)}])["W"]
    assert step.shape == shape
    assert (abs(step) < 0.0101).all()
    assert (step < 0).all()


def test_directions_without_gradient_stay():
    g = np.zeros((6, 6))
    g[:3, :2] = np.random.default_rng(0).standard_normal((3, 2))
    step = steps_of(ln.Muon(0.01), [{"W": g}])["W"]
    assert (step != 0)[:3, :2].all()
    assert np.linalg.matrix_rank(step, tol=1e-10) == 2
    assert abs(step[3:]).max() < 1e-16
    assert abs(step[:, 2:]).max() < 1e-16


def test_matrices_can_be_named():
    grads = draw({"A": (4, 4), "W": (4, 4), "W_out": (2, 2)})
    muon, adam = ln.Muon(0.01, matrices=["A", "W_out"]), ln.Adam(0.01)
    got, want = steps_of(muon, grads), steps_of(adam, grads)
    np.testing.assert_array_equal(got["W"], want["W"])
    for name in ("A", "W_out"):
        check_orthogonal(got[name], mean_of(grads, name), 0.01)
    assert muon.copy().settings["matrices"] == ("A", "W_out")


def test_a_run_without_recurrent_weights_is_refused_before_anything_changes():
    muon, x = ln.Muon(), {"A": np.eye(2), "b": np.ones(2), "readout.W": np.eye(2)}
    with pytest.raises(ValueError, match="no matrix named W among"):
        muon.update(x, x)
    with pytest.raises(ValueError, match=r"`matrices` must name .* not 'b'"):
        ln.Muon(matrices=["A", "b"]).update(x, x)
    assert muon.t == 0


def test_no_gradient_no_step():
    assert not steps_of(ln.Muon(), [{"W": np.zeros((3, 3))}])["W"].any()


def test_the_size_of_the_gradient_does_not_matter():
    grads = draw({"W": (5, 5)})
    steps = [steps_of(ln.Muon(), [{"W": c * g["W"]} for g in grads])["W"] for c in (1, 1e-200)]
    np.testing.assert_allclose(steps[1], steps[0], rtol=1e-9)


def test_is_itself_after_copies_and_from_files(tmp_path):
    muon = ln.Muon(0.01, 0.8, eps=1e-6)
    grads = draw({"W": (4, 4), "b": (4,)})
    steps_of(muon, grads)
    cell = ln.VanillaRNN.random(4, n_inputs=1, rng=0)
    task = ln.tasks.TemporalXOR(2)
    run = dict(n_steps=10, batch_size=2, rng=1)
    r = ln.train(cell, task, 3, optimizer=ln.Muon(0.01), **run)
    r.save(tmp_path / "r")
    kept = ln.load(tmp_path / "r").optimizer
    for other in (muon.copy(), muon.with_state(muon.state), kept):
        assert type(other) is ln.Muon
    assert repr(muon.copy()) == repr(muon)
    assert repr(muon).startswith("Muon(learning_rate=0.01, b1=0.8")
    assert kept.t == 3


def test_goes_on_from_a_checkpoint_bit_for_bit(tmp_path):
    cell, task = ln.VanillaRNN.random(6, n_inputs=1, rng=0), ln.tasks.TemporalXOR(2)
    schedule = ln.FlossingSchedule(before=2, at=4, epochs=2, k=4, n_steps=10, optimizer=ln.Muon())
    run = dict(n_steps=10, batch_size=2, rng=1, optimizer=ln.Muon(0.01), schedule=schedule)
    whole = ln.train(cell, task, 8, **run)
    path = tmp_path / "run"

    def interrupt(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ln.train(cell, task, 8, checkpoint=path, callback=interrupt, **run)
    again = ln.train(cell, task, 8, checkpoint=path, **run)
    for name, x in whole.cell.params.items():
        np.testing.assert_array_equal(again.cell.params[name], x)
