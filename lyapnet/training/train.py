"""Training a network on a task, with flossing where a schedule says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import validate
from ..errors import LyapnetError
from ..flossing.epoch import Flosser, Window
from ..numerics.arrays import ArrayLike, PathLike, Seed, patient
from ..optimize import Adam, as_adam, checked_clip
from ..runs.checkpoint import Checkpoint
from ..runs.progress import asks_to_stop, progress_bar
from ..systems import AnySystem, System
from ..systems.parameters import flossable, named_params
from ..tangent.interval import Interval
from ..tangent.start import start_state, start_time
from .diagnostics import check_diagnostics
from .dropout import recurrent_names
from .losses import check_loss
from .network import Network, draw_readout
from .penalty import as_penalty
from .progress import TrainingProgress
from .result import TrainResult, accuracy_name
from .schedule import check_schedule
from .tasks import Task
from .trainer import Settings, Trainer

#: Settings that were not always there.
_LATER = ("learning_rate", "dropout", "validate_every", "t0")


@patient
def train(
    cell: AnySystem,
    task: Any,
    n_epochs: int,
    *,
    n_steps: int,
    batch_size: int,
    loss: Any = None,
    optimizer: Adam | None = None,
    schedule: Any = None,
    readout: Any = None,
    x0: ArrayLike | None = None,
    clip_norm: float | None = None,
    penalty: Any = None,
    dropout: float = 0.0,
    learning_rate: Callable[[int], float] | None = None,
    validate_every: int = 0,
    diagnostics: Iterable[str] = (),
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
    callback: Callable[[TrainingProgress], object] | None = None,
    checkpoint: PathLike | None = None,
) -> TrainResult[AnySystem]:
    r"""Train a network with a linear readout by backpropagation through time.

    .. math:: z_t = W_\mathrm{out} h_t + b_\mathrm{out}

    Each epoch draws a batch from the task and takes one step in the parameters of the
    cell, the readout and the initial state, which all members of the batch share.

    Parameters
    ----------
    cell : System
        One network. The readout sees its state h, for a vanilla network the pre-activations,
        as in the paper, and of a `Stack` the highest layer's.
    task : task
        From `lyapnet.training.tasks`, or any object with `n_inputs`, `n_outputs`, `loss` and
        ``sample(n_steps, batch_size, rng) -> inputs, targets, mask``.
    n_epochs : int
    n_steps : int
        Steps of each sequence, at least one more than the task's delay.
    batch_size : int
    loss : {"cross_entropy", "squared_error", "softmax"} or callable, optional
        "cross_entropy" is binary, of each output by itself with a logistic function; the outputs
        of "softmax" are classes. The task's own if left out; a mean over steps that count, batch
        and, softmax apart, outputs. Or a function ``loss(outputs, targets, weights)`` written
        with autograd.numpy, of arrays ``(T, batch, n_outputs)`` and weights ``(T, batch)`` or
        ``(T, 1)`` from the first step that counts, which returns one number.
    optimizer : Adam, optional
        Copied; its state is carried on.
    schedule : FlossingSchedule, AdaptiveFlossing or object, optional
        When to floss, and what. Any object will do whose ``episode(epoch, record)`` returns
        the number of flossing epochs before that training epoch, a function of its
        arguments alone, and whose `settings` are those of a `FlossingSchedule`.
    readout : (array (n_outputs, n), array (n_outputs,)), optional
        Weights and biases; standard normal weights and no biases if left out.
    x0 : array (n,), optional
        First value of the initial state; drawn standard normal if left out.
    clip_norm : float or ("global", float), optional
        Largest norm of the gradient in each parameter, or in all together. That of flossing
        is the schedule's.
    penalty : (str, float) or object, optional
        A control: ``("spectral_radius", c)``, ``("jacobian_norm", c)``, or an object from
        `lyapnet.penalty`.
    dropout : float, optional
        Probability with which each unit's recurrent connections are cut in an epoch: for all
        steps of its sequences, so that the network is one map. Those of the others are scaled;
        the trained network has none of it.
    learning_rate : callable, optional
        A function of the epoch, counted from zero: that of training, in place of the optimiser's.
    validate_every : int, optional
        Epochs between two looks at what the task holds out, ``task.held_out()``; recorded as the
        diagnostics "validation_loss" and "validation_accuracy", NaN in between.
    diagnostics : sequence of str, optional
        What to record in each epoch, see the notes for names and costs.
    t0 : float, optional
        Time at which each sequence begins, where the system depends on it.
    rng : None, int or Generator, optional
    progress : bool, optional
    callback : callable, optional
        Called with a `TrainingProgress` after each training epoch; the run ends if it returns
        True.
    checkpoint : path, optional
        Save the run there every ten seconds and when it ends, by Ctrl-C or an error too, and
        go on from it if it exists: the numbers are those of an undisturbed run, bit for bit.

    Returns
    -------
    TrainResult

    Raises
    ------
    DivergedError, DegenerateBasisError
        With the result until then in `partial`, whose network is the last one with a finite
        loss.

    Notes
    -----
    Names that `diagnostics` takes, with the time that each takes per epoch in the paper's network
    (80 units, batch 16, 300 steps; the epoch itself takes about 8 ms):

    ``"gradient_norm_h0"``
        Norm of a sequence's loss gradient in its first state, mean over the batch: free, and
        always recorded.
    ``"gradient_norm_h0_longest"``
        The same for the loss of the last step alone, the paper's eq. 18: about 3 ms.
    ``"transmission"``
        The norm of that in the first state over the root of the summed squares of those that
        enter at each step, about 1 where gradients go back unchanged: free, and always recorded.
    ``"singular_values"``
        Of the gradient in the recurrent weights W, descending ``(n,)``: about 1 ms.
    ``"effective_rank"``
        Of the gradient in W: about 1 ms.
    ``"exponents"``
        All of them along the batch's first sequence, descending ``(n,)``: about 15 ms.
    ``"log10_condition_number"``
        Predicted by these across the task's delay, eq. 10: about 15 ms.
    ``"gradient_overlap"``
        Mean modulus of the cosine of the angle between the gradient in the state and each of the
        leading covariant vectors ``(min(10, n),)``: about 11 ms.

    ``"gates"``
        Mean of each gate along the batch's first sequence ``(gates,)``, in the order of the
        cell's `gate_names`: about 3 ms.
    ``"gate_saturation"``
        Fraction of each gate that is nearly shut or open ``(gates,)``: about 3 ms.
    ``"input_gain"``
        Root mean square of the derivative of the next visible state in the input: about 1 ms.

    The two of W need a cell with a parameter of that name, the two of gates an LSTM or GRU. None
    changes the run.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023.

    Examples
    --------
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(16, bias=0.1, rng=0)
    >>> r = ln.train(cell, ln.tasks.TemporalXOR(2), 300, n_steps=30, batch_size=16,
    ...              optimizer=ln.Adam(0.01), rng=1)
    >>> bool(r.accuracy[-10:].mean() > 0.9)
    True
    """
    system = _trainable(cell, task)
    settings = Settings(
        task,
        validate.integer("n_epochs", n_epochs, low=0),
        _long_enough(n_steps, task),
        validate.integer("batch_size", batch_size, low=1),
        check_loss(task.loss if loss is None else loss),
        checked_clip(clip_norm),
        as_penalty(penalty, system),
        check_diagnostics(diagnostics),
        schedule,
        validate.function("learning_rate", learning_rate),
        _checked_dropout(dropout, system),
        _checked_validation(validate_every, task),
        start_time(system, t0),
    )
    system = system.with_loops(settings.batch_size, settings.n_epochs * settings.n_steps)
    callback = validate.function("callback", callback)
    # What is not asked for is not there: a checkpoint of an older version goes on.
    asked = {k: x for k, x in settings._asdict().items() if k not in _LATER or x}
    call = dict(
        asked, function="train", cell=cell, optimizer=optimizer, readout=readout,
        x0=x0, rng=rng,
    )  # fmt: skip
    flosser = None if schedule is None else _flosser(system, schedule)
    late = getattr(schedule, "at", ())
    if late and n_epochs and min(late) >= n_epochs:
        warnings.warn(
            f"`schedule` flosses again before epoch {min(late)}, which a run of {n_epochs} epochs "
            "does not reach",
            stacklevel=2,
        )
    rng = validate.generator(rng)
    seen = system.visible
    drawn = draw_readout(readout, task.n_outputs, seen.stop - seen.start, rng)
    start = start_state(system, x0, rng)
    if start.ndim != 1:
        raise ValueError(f"`x0` must have shape ({system.dim},), got {start.shape}")
    network = Network(system, drawn, start)
    trainer = Trainer(network, settings, as_adam(optimizer), flosser, rng)
    saved = Checkpoint(checkpoint, call)
    found = saved.load()
    if found is not None:
        trainer.restore(found)

    bars = progress_bar(n_epochs, show=progress, unit="epoch", initial=trainer.epoch)
    with saved, bars as bar:
        while trainer.epoch < n_epochs and not trainer.stopped:
            try:
                trained = trainer.advance()
            except LyapnetError as error:
                error.add_note(f"This happened in epoch {trainer.epoch + 1} of training.")
                trainer.network = trainer.good
                error.partial = _result(trainer)
                raise
            if progress:
                _show(bar, trainer, trained)
            if trained and callback is not None:
                trainer.stopped = asks_to_stop(callback(trainer.progress()))
            saved.keep(lambda: trainer.state)
    return _result(trainer)


def _show(bar: Any, trainer: Trainer, trained: bool) -> None:
    if trained:
        loss, accuracy = (trainer.history[x][trainer.epoch - 1] for x in ("loss", "accuracy"))
        name = accuracy_name(_accuracy_kind(trainer.settings))
        bar.set_postfix({"loss": f"{loss:.3g}", name: f"{accuracy:.3f}"}, refresh=False)
        bar.update()
    else:
        left, first = trainer.pending, trainer.exponents[-1][0]
        bar.set_postfix(flossing=f"{left} left", exponent=f"{first:.3f}", refresh=False)
        bar.update(0)


def _result(trainer: Trainer) -> TrainResult[Any]:
    done = {name: x[: trainer.epoch].copy() for name, x in trainer.history.items()}
    watched = {name: x[: trainer.epoch].copy() for name, x in trainer.watched.items()}
    flosser = trainer.flosser
    k = 0 if flosser is None else flosser.window.k
    return TrainResult(
        *trainer.network,
        done["loss"],
        done["accuracy"],
        np.array(trainer.exponents).reshape(len(trainer.exponents), k),
        done["flossing_epochs"],
        {name: done[name] for name in ("gradient_norm_h0", "transmission")} | watched,
        trainer.optimizer,
        None if flosser is None else flosser.optimizer,
        _accuracy_kind(trainer.settings),
        getattr(trainer.settings.task, "chance", None),
    )


def _accuracy_kind(settings: Settings) -> str:
    """Say what the accuracy of a run is."""
    own = getattr(type(settings.task), "accuracy", None)
    if own not in (None, Task.accuracy):
        return "own"
    loss = settings.loss if own is None else settings.task.loss
    return "fraction" if loss in ("cross_entropy", "softmax") else "R2"


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


def _long_enough(n_steps: Any, task: Any) -> int:
    """Return the steps of a sequence, of which one must come after the task's delay."""
    n_steps, delay = validate.integer("n_steps", n_steps, low=1), getattr(task, "delay", 0)
    length = getattr(task, "length", delay + 1)
    if n_steps < length:
        raise ValueError(
            f"`n_steps` must be at least {length}, got {n_steps}: the task has a delay of "
            f"{delay}, and no output before has a target"
        )
    return n_steps


def _trainable(cell: Any, task: Any) -> System:
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


def _flosser(system: System, schedule: Any) -> Flosser:
    settings = check_schedule(schedule)
    optimizer = as_adam(settings.pop("optimizer", None))
    interval = Interval.of(settings.pop("qr_interval", "auto"))
    clip_norm = checked_clip(settings.pop("clip_norm", None))
    return Flosser(Window.of(system, **settings), optimizer, interval, clip_norm)
