"""When a run is flossed: schedules, set in advance and adaptive, and their optimizers."""

import numpy as np
import pytest
from trained import SMALL, network

import lyapnet as ln


class EveryOther:
    """A schedule of the user's own."""

    def __init__(self):
        self.settings = {"k": 2, "n_steps": 8}
        self.seen = []

    def episode(self, epoch, record):
        self.seen.append((epoch, record.epoch, len(record.loss)))
        return 3 * (epoch % 2)


def test_settings_that_no_schedule_takes():
    schedule = EveryOther()
    schedule.settings["window"] = 8
    with pytest.raises(ValueError, match=r"`schedule\.settings` has \['window'\]"):
        ln.train(network().system, ln.tasks.DelayedCopy(1), 5, schedule=schedule, **SMALL)


def test_any_object_with_an_episode_is_a_schedule():
    schedule = EveryOther()
    r = ln.train(network().system, ln.tasks.DelayedCopy(1), 5, schedule=schedule, **SMALL)
    assert schedule.seen == [(e, e, e) for e in range(5)]
    assert r.flossing_epochs.tolist() == [0, 3, 0, 3, 0]
    assert r.exponents.shape == (6, 2)
    assert r.flossing_optimizer.t == 6
    assert r.optimizer.t == 5


def test_schedules():
    settings = dict(k=2, n_steps=5)
    s = ln.FlossingSchedule(before=7, at=[2, 4], epochs=3, **settings)
    assert [s.episode(e, None) for e in range(6)] == [7, 0, 3, 0, 3, 0]
    assert ln.FlossingSchedule(at=2, **settings).episode(2, None) == 500

    def record(norms, flossed):
        norms, flossed = np.array(norms), np.array(flossed, dtype=int)
        return ln.TrainingProgress(len(norms), None, norms, None, norms, norms, flossed, {})

    a = ln.AdaptiveFlossing(1e-4, 1e-2, epochs=10, most=25, window=2, **settings)
    assert a.episode(0, record([], [])) == 0
    assert a.episode(2, record([1e-3, 1e-3], [0, 0])) == 0
    assert a.episode(2, record([1e-3, 1e-6], [0, 0])) == 10  # collapsed
    assert a.episode(3, record([1e-3, 1e-6, 1e-3], [0, 0, 10])) == 10  # not yet back
    assert a.episode(3, record([1e-3, 1e-6, 0.1], [0, 0, 10])) == 0  # back
    assert a.episode(4, record([1e-3, 1e-6, 1e-3, 1e-3], [0, 0, 10, 10])) == 5  # what is left
    assert a.episode(1, record([0.0], [0])) == 10  # no gradient at all
    with pytest.raises(ValueError, match="`low` and `high` go together"):
        ln.AdaptiveFlossing(1e-4, **settings)


def test_adaptive_flossing_needs_no_absolute_number():
    rule = ln.AdaptiveFlossing(
        epochs=10, most=75, window=2, drop=100, growth=2, patience=2, enough=2, k=2, n_steps=5
    )

    def episode(share, flossed, scale=1.0, known=True):
        share, flossed = scale * np.array(share), np.array(flossed, dtype=int)
        n = len(share)
        other = np.full(n, np.nan)
        norms, share = (other, share) if known else (share, None)
        record = ln.TrainingProgress(n, None, other, None, other, norms, flossed, {}, share)
        return rule.episode(n, record)

    for scale in (1.0, 1e-9, 1e9):
        for known in (True, False):  # the transmission, or the norm of the gradient in its place

            def after(share, flossed, scale=scale, known=known):
                return episode(share, flossed, scale, known)

            assert after([], []) == 10  # before training
            assert after([1, 1], [10, 10]) == 10  # too early to tell
            assert after([1, 3, 4], [10] * 3) == 10  # grows
            assert after([1, 3, 4, 4], [10] * 4) == 0  # not to twice 3 in two episodes
            ended = [1, 3, 4, 4], [10] * 4
            assert after(ended[0] + [0.01], ended[1] + [0]) == 0  # too early to tell
            assert after(ended[0] + [0.1, 0.1], ended[1] + [0] * 2) == 0  # not a hundredth
            assert after(ended[0] + [0.03, 0.03], ended[1] + [0] * 2) == 10  # collapsed
            again = ended[0] + [0.03, 0.03, 2], ended[1] + [0, 0, 10]
            assert after(*again) == 10  # the new flossing is judged by itself
            assert after(again[0] + [3, 6], again[1] + [10, 10]) == 5  # what is left of 75
            assert after(again[0] + [3, 8], again[1] + [10, 10]) == 0  # twice what was reached


def test_adaptive_flossing_ends_when_enough_is_back():
    def asked(enough, share):
        rule = ln.AdaptiveFlossing(window=1, enough=enough, k=2, n_steps=5)
        none, flossed = np.full(len(share), np.nan), np.array([20, 20, 0, 0, 20, 0, 0, 20])
        record = ln.TrainingProgress(
            len(share), None, none, None, none, none, flossed[: len(share)], {}, np.array(share)
        )
        return rule.episode(len(share), record)

    first = [0.1, 0.2, 1e-3, 1e-3]
    assert asked(0.5, first) == 20
    assert asked(0.5, [*first, 0.09]) == 20
    assert asked(0.5, [*first, 0.11]) == 0
    assert asked(np.inf, [*first, 0.11]) == 20
    # Not of what little was left when it ended last, but of the best.
    assert asked(0.5, [*first, 0.11, 1e-4, 1e-4, 0.09]) == 20
    with pytest.raises(ValueError, match="`enough` must be positive"):
        asked(0.0, first)


def test_adaptive_flossing_goes_on_in_smaller_steps():
    rule = ln.AdaptiveFlossing(
        epochs=10, window=2, drop=10, growth=2, patience=2, enough=0.5, slower=2, k=2, n_steps=5
    )

    def after(share, flossed):
        none, flossed = np.full(len(share), np.nan), np.array(flossed, dtype=int)
        record = ln.TrainingProgress(
            len(share), None, none, None, none, none, flossed, {}, np.array(share, dtype=float)
        )
        return rule.episode(len(share), record), round(1 / rule.pace(len(share), record))

    share = [1, 3, 4, 5]  # neither 4 nor 5 is twice 3
    assert after(share[:3], [10] * 3) == (10, 1)
    assert after(share, [10] * 4) == (10, 3)
    assert after([*share, 9], [10] * 5) == (10, 3)  # the new rate has not had two episodes yet
    share += [9, 11]  # 11 is twice 5, 12 is not twice 9
    assert after(share, [10] * 6) == (10, 3)
    assert after([*share, 12], [10] * 7) == (10, 9)
    share += [12, 12, 12]
    assert after(share, [10] * 9) == (0, 9)
    # Training has undone it: flossing in the smallest steps, until half of the best is back.
    share += [1, 1]
    assert after(share, [10] * 9 + [0, 0]) == (10, 9)
    assert after([*share, 5], [10] * 9 + [0, 0, 10]) == (10, 9)
    assert after([*share, 7], [10] * 9 + [0, 0, 10]) == (0, 9)
    # Where all of it is to come back, that is enough before training, but not during.
    rule = ln.AdaptiveFlossing(
        epochs=10, window=2, drop=10, growth=2, patience=2, enough=5, until=4, k=2, n_steps=5
    )
    assert after([1, 3.9], [10] * 2) == (10, 1)
    assert after([1, 3.9, 4], [10] * 3) == (0, 1)
    assert after([5, 9, 40], [10] * 3) == (10, 1)  # it was never below
    assert after([1, 4, 0.1, 0.1, 4], [10, 10, 0, 0, 10]) == (10, 1)
    with pytest.raises(ValueError, match="`until` must be positive"):
        ln.AdaptiveFlossing(until=-1, k=2, n_steps=5)
    with pytest.raises(ValueError, match="`slower` and the limits"):
        ln.AdaptiveFlossing(1e-4, 1e-2, slower=1, k=2, n_steps=5)


class Paced(ln.FlossingSchedule):
    def pace(self, epoch, record):
        return 0.5 if epoch else 1.0


def test_the_pace_multiplies_the_learning_rate():
    """Each flossing epoch by itself, continued by hand."""
    window = dict(k=3, n_steps=8)
    task, run = ln.tasks.TemporalXOR(2), dict(n_steps=8, batch_size=2, rng=1)
    still = ln.Adam(1e-300)
    cell = ln.VanillaRNN.random(5, n_inputs=1, rng=0)

    def flossed(kind, rate, n_epochs, **more):
        schedule = kind(at=[0, 1], epochs=1, optimizer=ln.Adam(rate), **window)
        return ln.train(cell, task, n_epochs, schedule=schedule, optimizer=still, **run)

    first, whole, paced = (
        flossed(kind, 0.1, n).cell.params["W"]
        for kind, n in ((ln.FlossingSchedule, 1), (ln.FlossingSchedule, 2), (Paced, 2))
    )
    np.testing.assert_allclose(paced - first, (whole - first) / 2, rtol=1e-9)
    assert flossed(Paced, 0.1, 2).flossing_optimizer.learning_rate == 0.1


class LastStep(ln.tasks.DelayedCopy):
    """A task in which the last step alone counts."""

    def sample(self, n_steps, batch_size, rng=None):
        u, y, _ = super().sample(n_steps, batch_size, rng)
        return u, y, np.arange(n_steps) == n_steps - 1


@pytest.mark.parametrize("gain", [1.0, 0.9])
@pytest.mark.parametrize("loudness", [1.0, 1e4])
def test_the_transmission_of_a_scaled_rotation(gain, loudness):
    # Exact: a gradient that enters at step T arrives gain**T times as large, whatever its size.
    cell = ln.VanillaRNN.random(5, gain=gain, init="orthogonal", activation="linear", rng=0)
    readout = loudness * np.ones((1, 5)), np.zeros(1)
    r = ln.train(cell, LastStep(1), 1, n_steps=7, batch_size=3, readout=readout, rng=0)
    assert r.diagnostics["transmission"][0] == pytest.approx(gain**7, rel=1e-12)


def test_flossing_has_its_own_optimizer():
    floss_adam, adam = ln.Adam(0.5), ln.Adam(0.25)
    schedule = ln.FlossingSchedule(before=2, k=2, n_steps=5, optimizer=floss_adam)
    r = ln.train(
        network().system, ln.tasks.DelayedCopy(1), 3, schedule=schedule, optimizer=adam, **SMALL
    )
    assert (r.optimizer.learning_rate, r.optimizer.t) == (0.25, 3)
    assert (r.flossing_optimizer.learning_rate, r.flossing_optimizer.t) == (0.5, 2)
    assert floss_adam.t == adam.t == 0


def test_an_episode_that_a_run_does_not_reach_is_said():
    cell, task = ln.VanillaRNN.random(5, rng=1), ln.tasks.TemporalXOR(2)
    schedule = ln.FlossingSchedule(at=20, epochs=1, k=1, n_steps=3)
    with pytest.warns(UserWarning, match="epoch 20, which a run of 5 epochs does not reach"):
        ln.train(cell, task, 5, n_steps=9, batch_size=2, schedule=schedule, rng=0)
