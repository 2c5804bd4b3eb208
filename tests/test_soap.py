"""Adam along principal directions, against the algorithm written plainly, and what it implies."""

import numpy as np
import pytest
from scipy.stats import ortho_group

import lyapnet as ln

#: Of steps of up to 0.002: eigenvectors of G G^T know small singular values of G by their squares.
ROUNDING = 2e-6


def steps_of(optimizer, grads):
    """Return each step from zero, parameter by parameter."""
    params, steps = {name: np.zeros_like(g) for name, g in grads[0].items()}, []
    for g in grads:
        before, params = params, optimizer.update(params, g)
        steps.append({name: x - before[name] for name, x in params.items()})
    return steps


def draw(shapes, times=25, seed=0, scale=1e-3):
    """Draw gradients that share a part, as those of neighbouring epochs do."""
    rng = np.random.default_rng(seed)
    always = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return [
        {name: scale * (x + rng.standard_normal(x.shape)) for name, x in always.items()}
        for _ in range(times)
    ]


def plainly(grads, rate, b1=0.9, b2=0.95, eps=1e-12):
    """Return the steps of one square matrix."""
    left, right, m, v = (np.zeros_like(grads[0]) for _ in range(4))
    steps = []
    for t, G in enumerate(grads, 1):
        left = b2 * left + (1 - b2) * G @ G.T
        right = b2 * right + (1 - b2) * G.T @ G
        if t <= 10 or t % 10 == 0:
            U, V = np.linalg.eigh(left)[1], np.linalg.eigh(right)[1]
        m = b1 * m + (1 - b1) * G
        v = b2 * v + (1 - b2) * (U.T @ G @ V) ** 2
        seen = (U.T @ m @ V / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        steps.append(-0.2 * rate * U @ np.minimum(np.maximum(seen, -1), 1) @ V.T)
    return steps


@pytest.mark.parametrize("n", [1, 7, 30])
def test_is_adam_along_the_eigenvectors_of_both_covariances(n):
    grads = draw({"W": (n, n)})
    got = [step["W"] for step in steps_of(ln.SOAP(0.01), grads)]
    np.testing.assert_allclose(got, plainly([g["W"] for g in grads], 0.01), rtol=0, atol=ROUNDING)


def test_gates_and_layers_have_directions_of_their_own():
    layers = [ln.LSTM.random(5, n_inputs=2, rng=0), ln.VanillaRNN.random(6, n_inputs=5, rng=1)]
    grads = draw({name: x.shape for name, x in ln.Stack(layers).params.items()})
    got = steps_of(ln.SOAP(0.01), grads)
    parts = [("layer0.W", slice(5 * i, 5 * i + 5)) for i in range(4)] + [("layer1.W", slice(None))]
    for name, rows in parts:
        want = plainly([g[name][rows] for g in grads], 0.01)
        np.testing.assert_allclose([s[name][rows] for s in got], want, rtol=0, atol=ROUNDING)


def test_turned_gradients_turn_the_steps():
    """So does no optimiser that goes by single entries."""
    n, rng = 12, np.random.default_rng(1)
    left, right = ortho_group.rvs(n, size=2, random_state=rng)
    grads = draw({"W": (n, n)})
    turned = [{"W": left @ g["W"] @ right.T} for g in grads]
    last, there = (steps_of(ln.SOAP(0.01), g)[-1]["W"] for g in (grads, turned))
    np.testing.assert_allclose(there, left @ last @ right.T, rtol=0, atol=ROUNDING)
    assert abs(last).max() > 1e-4


def test_the_first_step_is_orthogonal():
    grads = draw({"W": (20, 20)}, times=1)
    (step,) = steps_of(ln.SOAP(0.01), grads)
    u, _, vt = np.linalg.svd(grads[0]["W"])
    np.testing.assert_allclose(step["W"], -0.2 * 0.01 * u @ vt, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_all_else_steps_as_by_adam(decay):
    shapes = {"V": (6, 6), "b": (6,), "readout.W": (3, 3), "W0": (4, 4), "params[0]": (3, 3)}
    grads = draw({**shapes, "W": (6, 6)})
    adam, soap = (
        kind(0.01, 0.9, 0.95, eps=1e-12, weight_decay=decay) for kind in (ln.Adam, ln.SOAP)
    )
    want, got = steps_of(adam, grads)[-1], steps_of(soap, grads)[-1]
    for name in shapes:
        np.testing.assert_array_equal(got[name], want[name])
    assert abs(got["W"] - want["W"]).max() > 1e-3


def test_entries_that_agree_do_not_add_up():
    n, rate = 100, 0.01
    grads = [{"W": np.ones((n, n))}]
    assert np.linalg.norm(steps_of(ln.Adam(rate), grads)[0]["W"], 2) == pytest.approx(rate * n)
    step = steps_of(ln.SOAP(rate), grads)[0]["W"]
    assert np.linalg.norm(step, 2) == pytest.approx(0.2 * rate, rel=0.05)


def test_no_entry_along_the_directions_is_larger_than_the_rate():
    """After small gradients, or where directions are new, the quotient may be any number."""
    n = 8
    grads = draw({"W": (n, n)}, scale=1e-6)
    grads += draw({"W": (n, n)}, times=1, seed=5, scale=1.0)
    for step in steps_of(ln.SOAP(0.01), grads):
        assert np.linalg.norm(step["W"]) <= 0.2 * 0.01 * n * 1.0001


def test_matrices_can_be_named():
    grads = draw({"A": (4, 4), "W": (4, 4), "gates": (6, 2)})
    soap, adam = ln.SOAP(0.01, matrices=["A", "gates"]), ln.Adam(0.01, 0.9, 0.95, eps=1e-12)
    got, want = steps_of(soap, grads)[-1], steps_of(adam, grads)[-1]
    np.testing.assert_array_equal(got["W"], want["W"])
    for name, rows in (("A", slice(4)), ("gates", slice(2, 4))):
        plain = plainly([g[name][rows] for g in grads], 0.01)[-1]
        np.testing.assert_allclose(got[name][rows], plain, rtol=0, atol=ROUNDING)
    assert soap.copy().settings["matrices"] == ("A", "gates")


def test_what_cannot_be_done_is_refused_before_anything_changes():
    soap, x = ln.SOAP(), {"A": np.eye(2), "b": np.ones(2), "readout.W": np.ones((1, 2))}
    with pytest.raises(ValueError, match="no matrix named W among"):
        soap.update(x, x)
    for name in ("b", "readout.W", "c"):
        with pytest.raises(ValueError, match=f"`matrices` must name square .* not '{name}'"):
            ln.SOAP(matrices=["A", name]).update(x, x)
    W = {"W": np.eye(2)}
    with pytest.raises(ValueError, match="must be finite"):
        soap.update(W, {"W": np.full((2, 2), np.nan)})
    assert soap.t == 0
    assert not soap.state.covariances


def test_no_gradient_no_step():
    assert not steps_of(ln.SOAP(), [{"W": np.zeros((3, 3))}])[0]["W"].any()


def test_is_itself_after_copies_and_from_files(tmp_path):
    soap = ln.SOAP(0.01, 0.8, eps=1e-6)
    steps_of(soap, draw({"W": (4, 4), "b": (4,)}))
    task = ln.tasks.TemporalXOR(2)
    cell = ln.VanillaRNN.random(4, n_inputs=1, rng=0)
    r = ln.train(cell, task, 3, optimizer=ln.SOAP(0.01), n_steps=10, batch_size=2, rng=1)
    r.save(tmp_path / "r")
    kept = ln.load(tmp_path / "r").optimizer
    for other in (soap.copy(), soap.with_state(soap.state), kept):
        assert type(other) is ln.SOAP
    assert repr(soap.copy()) == repr(soap)
    assert repr(soap).startswith("SOAP(learning_rate=0.01, b1=0.8")
    assert kept.t == 3
    grads = {name: np.ones_like(x) for name, x in kept.state.m.items()}
    one, other = (x.update(r.optimizer.state.m, grads) for x in (kept, r.optimizer.copy()))
    for name, x in one.items():
        np.testing.assert_array_equal(other[name], x)


def test_copies_share_nothing():
    soap, grads = ln.SOAP(0.01), draw({"W": (4, 4)})
    steps_of(soap, grads[:12])
    other = soap.copy()
    before = soap.state.covariances["W"].copy()
    other.update({"W": np.zeros((4, 4))}, grads[12])
    np.testing.assert_array_equal(soap.state.covariances["W"], before)


def test_goes_on_from_a_checkpoint_bit_for_bit(tmp_path):
    """Stopped between two decompositions."""
    cell, task = ln.VanillaRNN.random(6, n_inputs=1, rng=0), ln.tasks.TemporalXOR(2)
    schedule = ln.FlossingSchedule(before=12, at=4, epochs=3, k=4, n_steps=10, optimizer=ln.SOAP())
    run = dict(n_steps=10, batch_size=2, rng=1, optimizer=ln.SOAP(0.01), schedule=schedule)
    whole = ln.train(cell, task, 18, **run)
    path = tmp_path / "run"

    def interrupt(progress):
        if progress.epoch == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ln.train(cell, task, 18, checkpoint=path, callback=interrupt, **run)
    again = ln.train(cell, task, 18, checkpoint=path, **run)
    for name, x in whole.cell.params.items():
        np.testing.assert_array_equal(again.cell.params[name], x)
