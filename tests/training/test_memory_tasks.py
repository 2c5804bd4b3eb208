"""Tasks of memory and of data: what comes in, what is asked for, and what counts."""

import numpy as np
import pytest

import lyapnet as ln

BATCH = 50


def test_copy_memory_repeats_the_list():
    task = ln.tasks.CopyMemory(items=4, delay=9, symbols=5)
    assert (task.length, task.n_inputs, task.n_outputs) == (13, 6, 5)
    for extra in (0, 6):
        u, y, mask = task.sample(task.length + extra, BATCH, rng=0)
        assert (mask == (np.arange(13 + extra) >= 9 + extra)).all()
        shown = u[extra : extra + 4]
        assert (shown.sum(axis=-1) == 1).all()
        np.testing.assert_array_equal(y[mask], shown[..., :5])
        # beside the list there is nothing but the cue
        assert u.sum() == 5 * BATCH
        assert (u[9 + extra, :, 5] == 1).all()
    assert len(np.unique(y[mask].argmax(-1))) == 5
    with pytest.raises(ValueError, match="`n_steps` must be at least 13"):
        task.sample(12, 1)
    with pytest.raises(ValueError, match="`delay`"):
        ln.tasks.CopyMemory(items=4, delay=3)


def test_hold_asks_for_the_first_bits():
    u, y, mask = ln.tasks.Hold(items=7, delay=5).sample(9, BATCH, rng=0)
    assert (np.abs(u[0]) == 1).all()
    assert 0.09 < u[1:].std() < 0.11
    np.testing.assert_array_equal(y[mask], np.broadcast_to(u[0] > 0, (4, BATCH, 7)))
    assert abs(y[mask].mean() - 0.5) < 0.1


def test_adding_problem_by_hand():
    task = ln.tasks.AddingProblem(20)
    u, y, mask = task.sample(20, 2000, rng=0)
    assert list(np.flatnonzero(mask)) == [19]
    for b in range(BATCH):
        first, second = np.flatnonzero(u[:, b, 1])
        assert first < 10 <= second
        assert y[-1, b, 0] == u[first, b, 0] + u[second, b, 0]
    assert abs(np.mean((y[-1] - 1) ** 2) - 1 / 6) < 0.01
    # always to answer 1 is the best constant: R² about 0
    assert abs(task.accuracy(np.ones(y.shape), y, mask)) < 0.01


def test_flip_flop_holds_each_line():
    u, y, mask = ln.tasks.FlipFlop(2, rate=0.2).sample(60, BATCH, rng=0)
    assert mask.all()
    held = np.zeros((BATCH, 2))
    for t in range(60):
        held = np.where(u[t] != 0, u[t], held)
        np.testing.assert_array_equal(y[t], held)
    assert abs((u[1:] != 0).mean() - 0.2) < 0.02


def test_sequences_and_their_split():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 30, 2))
    y = np.arange(30.0)[None, :, None] + np.zeros((6, 30, 1))
    weights = rng.random((6, 30))
    task = ln.tasks.Sequences(x, y, weights, validation=0.3, rng=1)
    held = task.held_out()
    out = set(held[1][0, :, 0])
    assert len(out) == 9
    seen = set()
    for seed in range(30):
        u, target, mask = task.sample(6, 8, rng=seed)
        which = target[0, :, 0].astype(int)
        seen |= set(which)
        np.testing.assert_array_equal(u, x[:, which])
        np.testing.assert_array_equal(mask, weights[:, which])
    assert seen == set(range(30)) - out
    assert ln.tasks.Sequences(x, y).held_out() is None
    for args, kwargs, named in [
        ((x, y[:5]), {}, "`inputs` and `targets`"),
        ((x, y, np.ones(5)), {}, "mask"),
        ((x, y), {"validation": 1.0}, "`validation`"),
    ]:
        with pytest.raises(ValueError, match=named):
            ln.tasks.Sequences(*args, **kwargs)
    with pytest.raises(ValueError, match="`n_steps` must be 6"):
        task.sample(7, 1)


def test_digits():
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    task = ln.tasks.SequentialDigits()
    u, y, mask = task.held_out()
    assert u.shape == (64, 359, 1)
    assert (u.min(), u.max()) == (0, 1)
    assert list(np.flatnonzero(mask.all(axis=1))) == [63]
    images, labels = datasets.load_digits(return_X_y=True)
    row = {tuple(image): label for image, label in zip(images, labels, strict=True)}
    for b in range(20):
        assert row[tuple(16 * u[:, b, 0])] == y[-1, b].argmax()
    mixed = ln.tasks.SequentialDigits(permuted=True).sample(64, 5, rng=0)[0]
    plain = task.sample(64, 300, rng=0)[0]
    assert not set(map(tuple, mixed[..., 0].T)) & set(map(tuple, plain[..., 0].T))


def test_characters_are_pieces_of_the_text():
    text = "the quick brown fox jumps over the lazy dog. " * 20
    task = ln.tasks.Characters(text, validation=0.2)
    u, y, mask = task.sample(12, 30, rng=0)
    assert mask.all()
    for b in range(30):
        piece = task.read(u[:, b]) + task.read(y[-1:, b])
        assert piece in text[: int(0.8 * len(text))]
        assert task.read(y[:, b]) == piece[1:]
    u, y, _ = task.held_out(10)
    assert "".join(task.read(u[:, b]) for b in range(u.shape[1])) in text
    few = ln.tasks.Characters(text, most=3)
    assert few.characters == " eo"
    assert few.n_inputs == 4
    assert "\N{REPLACEMENT CHARACTER}" in few.read(few.sample(50, 1, rng=0)[0][:, 0])
    long = ln.tasks.Characters()
    assert len(long._codes) > 20_000
    with pytest.raises(ValueError, match="at least 100 characters"):
        ln.tasks.Characters("short")


@pytest.mark.parametrize(
    "task",
    [
        ln.tasks.CopyMemory(2, 3, symbols=3), ln.tasks.Hold(2, 3), ln.tasks.AddingProblem(5),
        ln.tasks.FlipFlop(2), ln.tasks.Characters("abcdefgh" * 30),
    ],
    ids=lambda task: type(task).__name__,
)  # fmt: skip
def test_every_task_is_learnt_a_little(task):
    cell = ln.VanillaRNN.random(16, n_inputs=task.n_inputs, gain=0.9, rng=0)
    readout = np.zeros((task.n_outputs, 16)), np.zeros(task.n_outputs)
    schedule = ln.FlossingSchedule(before=2, k=2, n_steps=4)
    r = ln.train(
        cell, task, 60, n_steps=max(task.length, 6), batch_size=32, optimizer=ln.Adam(0.02),
        readout=readout, schedule=schedule, clip_norm=1.0, rng=0,
    )  # fmt: skip
    assert r.loss[-10:].mean() < 0.9 * r.loss[:3].mean()
    assert r.accuracy[-10:].mean() > r.accuracy[:3].mean()
    assert len(r.exponents) == 2
