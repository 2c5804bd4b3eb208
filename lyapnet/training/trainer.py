"""Training in progress: all that goes from epoch to epoch, and can be saved and restored."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..errors import LyapnetError
from ..flossing.epoch import Flosser
from ..numerics.arrays import Array
from ..optimize import Adam, adam_state, clipped, restored
from ..tangent.stretches import run_orbit
from . import losses
from .batches import draw_batch, draw_inputs, held_out
from .bptt import Evaluation, evaluate
from .diagnostics import DIAGNOSTICS, Moment, gradient_norm_h0, transmission
from .dropout import dropped
from .network import Batch, Network
from .progress import TrainingProgress
from .result import TrainResult, accuracy_name
from .schedule import pace_of
from .settings import Settings


class Trainer:
    """A training run between two epochs.

    Parameters
    ----------
    network : Network
    settings : Settings
    optimizer : Adam
    flosser : Flosser or None
    rng : Generator
    """

    name = "training"

    def __init__(
        self,
        network: Network,
        settings: Settings,
        optimizer: Adam,
        flosser: Flosser | None,
        rng: np.random.Generator,
    ) -> None:
        self.network = self.good = network
        self.settings = settings
        self.optimizer = optimizer
        self.flosser = flosser
        self.rng = rng
        self.n_epochs = settings.n_epochs
        self.epoch = 0
        #: Flossing epochs left before the next training epoch; None where that is not decided.
        self.pending: int | None = None
        self.history = {
            name: np.zeros(settings.n_epochs)
            for name in ("loss", "accuracy", "gradient_norm_h0", "transmission")
        }
        self.history["flossing_epochs"] = np.zeros(settings.n_epochs, dtype=int)
        self.watched: dict[str, Array] = {}
        self.exponents: list[Array] = []
        #: Whether the callback has asked to stop.
        self.stopped = False
        self._held: Batch | None = None

    @property
    def done(self) -> bool:
        """Whether all of them are done."""
        return self.epoch >= self.n_epochs

    def advance(self) -> None:
        """Do the next epoch, of flossing or of training; a failure leaves the last good network."""
        schedule = self.settings.schedule
        if self.pending is None:
            self.pending = 0
            if schedule is not None:
                self.pending = _count(schedule.episode(self.epoch, self.progress()))
        try:
            if self.pending:
                self._floss()
            else:
                self._train()
        except LyapnetError:
            self.network = self.good
            raise

    def _floss(self) -> None:
        """Floss on one input sequence of the task, from the trained initial state."""
        assert self.flosser is not None
        assert self.pending is not None
        system, total = self.network.system, self.flosser.window.plan.total
        inputs = draw_inputs(self.settings.task, total, self.rng)
        rows = system.drive.rows(inputs, (), total, t0=self.settings.t0)
        pace = pace_of(self.settings.schedule, self.epoch, self.progress())
        system, lam, _ = self.flosser.epoch(system, self.network.x0, rows, self.rng, pace)
        self.network = Network(system, *self.network[1:])
        self.exponents.append(lam)
        self.history["flossing_epochs"][self.epoch] += 1
        self.pending -= 1

    def _train(self) -> None:
        """Take one step down the loss of a fresh batch."""
        settings, epoch = self.settings, self.epoch
        batch = draw_batch(
            settings.task, settings.n_steps, settings.batch_size, settings.t0, self.rng
        )
        losses.check_targets(settings.loss, batch.targets, batch.weights)
        network, masks = self.network, dict[str, Array]()
        if settings.dropout:
            network, masks = dropped(network, settings.dropout, self.rng)
        found = evaluate(network, batch, settings.loss, settings.penalty, self.rng)
        for name, mask in masks.items():
            found.grads[name] = found.grads[name] * mask
        self.good = self.network
        moment = Moment(epoch, network, batch, found, getattr(settings.task, "delay", 0))
        self.history["loss"][epoch] = found.loss
        self.history["accuracy"][epoch] = self._accuracy(batch, found)
        self.history["gradient_norm_h0"][epoch] = gradient_norm_h0(moment)
        self.history["transmission"][epoch] = transmission(moment)
        for name in settings.diagnostics:
            self._watch(name, DIAGNOSTICS[name](moment))
        if settings.learning_rate is not None:
            self.optimizer.learning_rate = validate.real(
                f"learning_rate({epoch})", settings.learning_rate(epoch), low=0.0
            )
        grads = clipped(found.grads, settings.clip_norm)
        self.network = self.network.with_params(self.optimizer.update(self.network.params, grads))
        if settings.validate_every:
            self._validate()
        self.epoch += 1
        self.pending = None

    def _watch(self, name: str, value: Any) -> None:
        """Record something of this epoch."""
        value = np.asarray(value)
        if name not in self.watched:
            self.watched[name] = np.zeros((self.settings.n_epochs, *value.shape))
        self.watched[name][self.epoch] = value

    def _validate(self) -> None:
        """Record loss and accuracy on what is held out, after the update; NaN between times."""
        loss = right = np.nan
        if (self.epoch + 1) % self.settings.validate_every == 0:
            if self._held is None:
                self._held = held_out(self.settings.task, self.settings.t0)
            loss, right = self.score(self._held)
        self._watch("validation_loss", loss)
        self._watch("validation_accuracy", right)

    def score(self, batch: Batch) -> tuple[float, float]:
        """Return loss and accuracy of the network as it is."""
        u, targets, weights, _ = batch
        system = self.network.system
        x = np.broadcast_to(self.network.x0, (u.shape[1], system.dim))
        states = run_orbit(system, x, batch.rows(system), 0, len(u)).states
        outputs = self.network.outputs(states[1:])
        loss = losses.loss_and_gradient(self.settings.loss, outputs, targets, weights)[0]
        return loss, self._right(outputs, targets, weights)

    def _accuracy(self, batch: Batch, found: Evaluation) -> float:
        targets, weights = batch.targets[found.first :], batch.weights[found.first :]
        return self._right(found.outputs, targets, weights)

    def _right(self, outputs: Array, targets: Array, weights: Array) -> float:
        own = getattr(self.settings.task, "accuracy", None)
        if own is not None:
            return float(own(outputs, targets, weights))
        return losses.accuracy(self.settings.loss, outputs, targets, weights)

    def progress(self) -> TrainingProgress:
        """Return what is known so far."""
        known = {name: x[: self.epoch] for name, x in self.history.items()}
        watched = {name: x[: self.epoch] for name, x in self.watched.items()}
        last = self.exponents[-1] if self.exponents else None
        return TrainingProgress(
            self.epoch, self.network.system, **known, exponents=last, diagnostics=watched
        )

    def shown(self) -> dict[str, str]:
        """Return what the progress bar shows."""
        if self.pending is not None:
            first = self.exponents[-1][0]
            return {"flossing": f"{self.pending} left", "exponent": f"{first:.3f}"}
        loss, accuracy = (self.history[name][self.epoch - 1] for name in ("loss", "accuracy"))
        name = accuracy_name(self.settings.accuracy_kind)
        return {"loss": f"{loss:.3g}", name: f"{accuracy:.3f}"}

    def result(self) -> TrainResult[Any]:
        """Return what has been found so far."""
        done = {name: x[: self.epoch].copy() for name, x in self.history.items()}
        watched = {name: x[: self.epoch].copy() for name, x in self.watched.items()}
        flosser = self.flosser
        k = 0 if flosser is None else flosser.window.k
        return TrainResult(
            *self.network,
            done["loss"],
            done["accuracy"],
            np.array(self.exponents).reshape(len(self.exponents), k),
            done["flossing_epochs"],
            {name: done[name] for name in ("gradient_norm_h0", "transmission")} | watched,
            self.optimizer,
            None if flosser is None else flosser.optimizer,
            self.settings.accuracy_kind,
            getattr(self.settings.task, "chance", None),
        )

    @property
    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, and all that it has found."""
        return {
            "epoch": self.epoch,
            "pending": self.pending,
            "params": self.network.params,
            "good": self.good.params,
            "optimizer": adam_state(self.optimizer),
            "flosser": None if self.flosser is None else self.flosser.state,
            "rng": self.rng.bit_generator.state,
            "history": {name: x[: self.epoch + 1].copy() for name, x in self.history.items()},
            "watched": {name: x[: self.epoch] for name, x in self.watched.items()},
            "exponents": self.exponents.copy(),
            **({"stopped": True} if self.stopped else {}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.epoch, self.pending = state["epoch"], state["pending"]
        self.good = self.network.with_params(state["good"])
        self.network = self.network.with_params(state["params"])
        self.optimizer = restored(self.optimizer, state["optimizer"])
        if self.flosser is not None:
            self.flosser.restore(state["flosser"])
        self.rng.bit_generator.state = state["rng"]
        for name, x in state["history"].items():
            self.history[name][: len(x)] = x
        for name, x in state["watched"].items():
            self.watched[name] = np.zeros((self.settings.n_epochs, *x.shape[1:]))
            self.watched[name][: len(x)] = x
        self.exponents = list(state["exponents"])
        self.stopped = state.get("stopped", False)


def _count(episode: Any) -> int:
    if not isinstance(episode, int | np.integer) or episode < 0:
        raise TypeError(
            f"`schedule.episode` must return a number of flossing epochs, got {episode!r}"
        )
    return int(episode)
