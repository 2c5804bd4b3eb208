"""What stays the same during a training run, checked."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any, NamedTuple

from .. import validate
from ..optimize import checked_clip, recurrent_names
from ..systems import System
from ..systems.parameters import flossable, named_params
from ..tangent.start import start_time
from .batches import shortest
from .diagnostics import check_diagnostics
from .losses import check_loss
from .penalty import as_penalty
from .tasks import Task

#: Settings that were not always there.
_LATER = ("learning_rate", "dropout", "validate_every", "t0")


class Settings(NamedTuple):
    """What stays the same during a run: the arguments of `train`, see there."""

    task: Any
    n_epochs: int
    n_steps: int
    batch_size: int
    loss: Any
    clip_norm: Any
    penalty: Any
    diagnostics: Iterable[str]
    schedule: Any
    learning_rate: Any = None
    dropout: float = 0.0
    validate_every: int = 0
    t0: float = 0.0

    def checked(self, system: System) -> Settings:
        """Return the settings as a run of this system takes them, or refuse them."""
        return Settings(
            self.task,
            validate.integer("n_epochs", self.n_epochs, low=0),
            _long_enough(self.n_steps, self.task),
            validate.integer("batch_size", self.batch_size, low=1),
            check_loss(self.task.loss if self.loss is None else self.loss),
            checked_clip(self.clip_norm),
            as_penalty(self.penalty, system),
            check_diagnostics(self.diagnostics),
            self.schedule,
            _checked_rate(self.learning_rate),
            _checked_dropout(self.dropout, system),
            _checked_validation(self.validate_every, self.task),
            start_time(system, self.t0),
        )

    @property
    def told_apart(self) -> dict[str, Any]:
        """What tells this call from others, for a checkpoint.

        What is not asked for is not there: a checkpoint of an older version goes on.
        """
        return {name: x for name, x in self._asdict().items() if name not in _LATER or x}

    @property
    def accuracy_kind(self) -> str:
        """What the accuracy of the run is."""
        own = getattr(type(self.task), "accuracy", None)
        if own not in (None, Task.accuracy):
            return "own"
        loss = self.loss if own is None else self.task.loss
        return "fraction" if loss in ("cross_entropy", "softmax") else "R2"


def trainable(cell: Any, task: Any) -> System:
    """Return a cell as a system that can be trained on a task."""
    system = flossable(cell)
    if isinstance(task, type):
        raise TypeError(f"`task` must be a task, not its class: give {task.__name__}(delay)")
    for name in ("n_inputs", "n_outputs", "loss", "sample"):
        if not hasattr(task, name):
            raise TypeError(f"`task` must have {name}, as those of lyapnet.tasks; got {task!r}")
    if system.n_inputs != task.n_inputs:
        raise ValueError(
            f"`cell` has n_inputs={system.n_inputs}, but the task has {task.n_inputs}: make a "
            f"cell with n_inputs={task.n_inputs}"
        )
    if getattr(system, "networks", ()):
        raise ValueError("`cell` must be one network, not an ensemble: train one after the other")
    return system


def _long_enough(n_steps: Any, task: Any) -> int:
    """Return the steps of a sequence, of which one must come after the task's delay."""
    n_steps, length = validate.integer("n_steps", n_steps, low=1), shortest(task)
    if n_steps < length:
        raise ValueError(
            f"`n_steps` must be at least {length}, got {n_steps}: the task has a delay of "
            f"{getattr(task, 'delay', 0)}, and no output before has a target"
        )
    return n_steps


def _checked_rate(rate: Any) -> Any:
    if isinstance(rate, Real):
        raise TypeError(
            f"`learning_rate` must be a function of the epoch, got {rate!r}; "
            f"one that stays is the optimiser's, optimizer=ln.Adam({rate!r})"
        )
    return validate.function("learning_rate", rate)


def _checked_dropout(dropout: Any, system: System) -> float:
    dropout = validate.real("dropout", dropout, low=0.0)
    if dropout >= 1:
        raise ValueError(f"`dropout` must be less than 1, got {dropout}")
    if dropout and not recurrent_names(named_params(system.params, system.params)[0]):
        raise ValueError(f"`dropout` needs recurrent weights named W, and {system!r} has none")
    return dropout


def _checked_validation(every: Any, task: Any) -> int:
    every = validate.integer("validate_every", every, low=0)
    held_out = getattr(task, "held_out", None)
    if every and (held_out is None or held_out() is None):
        raise ValueError(f"`validate_every` is for a task that holds something out, not {task!r}")
    return every
