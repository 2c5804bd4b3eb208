"""Training a network on a task, with flossing where a schedule says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import validate
from ..flossing.epoch import Flosser
from ..numerics.arrays import ArrayLike, PathLike, Seed, patient
from ..optimize import Adam, as_adam
from ..runs.epochs import run_epochs
from ..systems import AnySystem
from ..tangent.start import start_state
from .network import Network, draw_readout
from .penalty import Penalty
from .progress import TrainingProgress
from .result import TrainResult
from .schedule import Schedule, window_of
from .settings import Settings, trainable
from .tasks.task import TaskLike
from .trainer import Trainer


@patient
def train(
    cell: AnySystem,
    task: TaskLike,
    n_epochs: int,
    *,
    n_steps: int,
    batch_size: int,
    loss: str | Callable[..., Any] | None = None,
    optimizer: Adam | None = None,
    schedule: Schedule | None = None,
    readout: tuple[ArrayLike, ArrayLike] | float | None = None,
    x0: ArrayLike | None = None,
    clip_norm: float | tuple[str, float] | None = None,
    penalty: tuple[str, float] | Penalty | None = None,
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
    optimizer : Adam or SOAP, optional
        Copied; its state is carried on.
    schedule : FlossingSchedule, AdaptiveFlossing or object, optional
        When to floss, and what. Any object will do whose ``episode(epoch, record)`` returns
        the number of flossing epochs before that training epoch, a function of its
        arguments alone, and whose `settings` are a dictionary of what a `FlossingSchedule` takes
        for its windows: ``{"k": 8, "n_steps": 20}``, and what else there is. Where it has
        ``pace(epoch, record)``, that multiplies the learning rate of these epochs.
    readout : (array (n_outputs, n), array (n_outputs,)) or float, optional
        Weights and biases; or the standard deviation of normal weights, without biases,
        1 if left out. ``n**-0.5`` gives outputs of the size of the states; with larger ones large
        networks begin by silencing their states.
    x0 : array (n,), optional
        First value of the initial state. If left out, it is drawn standard normal for a cell, and
        a system of the catalog has its own; a `Map` or `Flow` of one's own needs one.
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
        A function of the epoch, counted from zero: that of training, in place of the optimiser's;
        it may be 0, as where a warm-up begins.
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
    system = trainable(cell, task)
    settings = Settings(
        task, n_epochs, n_steps, batch_size, loss, clip_norm, penalty, diagnostics,
        schedule, learning_rate, dropout, validate_every, t0,
    ).checked(system)  # fmt: skip
    system = system.with_loops(settings.batch_size, settings.n_epochs * settings.n_steps)
    callback = validate.function("callback", callback)
    flosser = None if schedule is None else Flosser(window_of(schedule), system)
    _warn_if_too_late(schedule, settings.n_epochs)
    rng, given = validate.generator(rng), rng
    seen = system.visible
    drawn = draw_readout(readout, task.n_outputs, seen.stop - seen.start, rng)
    start = start_state(system, x0, rng)
    if start.ndim != 1:
        raise ValueError(f"`x0` must have shape ({system.dim},), got {start.shape}")
    network = Network(system, drawn, start)
    trainer = Trainer(network, settings, as_adam(optimizer), flosser, rng)
    call = dict(
        settings.told_apart, function="train", cell=cell, optimizer=optimizer, readout=readout,
        x0=x0, rng=given,
    )  # fmt: skip
    result: TrainResult[AnySystem] = run_epochs(
        trainer, call, checkpoint=checkpoint, callback=callback, progress=progress
    )
    return result


def _warn_if_too_late(schedule: Any, n_epochs: int) -> None:
    """Warn where a schedule flosses again only after the end of the run."""
    late = getattr(schedule, "at", ())
    if late and n_epochs and min(late) >= n_epochs:
        warnings.warn(
            f"`schedule` flosses again before epoch {min(late)}, which a run of {n_epochs} epochs "
            "does not reach",
            stacklevel=4,
        )
