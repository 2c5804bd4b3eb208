"""Gradient flossing: gradient descent on the exponents of a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from .. import validate
from ..numerics.arrays import ArrayLike, PathLike, Seed, patient
from ..optimize import Adam
from ..runs.epochs import run_epochs
from ..systems import AnySystem
from ..systems.parameters import flossable
from .epoch import Flosser
from .gates import holding, warn_if_held
from .progress import Progress
from .result import FlossResult
from .run import FlossRun
from .source import Source
from .window import Window


@patient
def floss(
    cell: AnySystem,
    n_epochs: int,
    *,
    k: int,
    n_steps: int,
    inputs: ArrayLike | Callable[[np.random.Generator], ArrayLike] | None = None,
    target: ArrayLike = 0.0,
    weights: ArrayLike | None = None,
    reduction: str = "sum",
    batch_size: int = 1,
    x0: ArrayLike | None = None,
    relaxation: int = 0,
    transient: int = 0,
    basis_transient: int = 0,
    qr_interval: int | str = "auto",
    optimizer: Adam | None = None,
    clip_norm: float | tuple[str, float] | None = None,
    only: Iterable[str] | None = None,
    tol: float | None = None,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
    callback: Callable[[Progress], object] | None = None,
    checkpoint: PathLike | None = None,
) -> FlossResult[AnySystem]:
    r"""Push the k leading exponents of a window towards a target, by gradient descent.

    .. math:: L = \sum_{i \le k} w_i (\lambda_i - \lambda_i^\mathrm{target})^2

    Each epoch runs fresh inputs from a fresh state on a fresh random orthonormal basis,
    and takes one step of the optimiser in all parameters of the cell.

    Parameters
    ----------
    cell : System
        A cell, or any system with `params`; an ensemble of networks is flossed in one go.
    n_epochs : int
        Number of updates, at most.
    k : int
        Number of exponents, the leading ones.
    n_steps : int
        Averaged steps of the window; exponents are averages over them.
    inputs : array (T, m) or (T, batch_size, m), or callable, optional
        The same in each epoch, or ``inputs(rng)`` for fresh ones; T covers transients and
        `n_steps`. Standard normal if left out.
    target : float or array (k,), optional
        In the order of the exponents, the largest first.
    weights : float or array (k,), optional
        Weight of each exponent in the loss.
    reduction : {"sum", "mean"}, optional
        Over the k exponents.
    batch_size : int, optional
        Number of input sequences per epoch; the loss is their mean.
    x0 : array (n,) or (batch_size, n), optional
        State before the transient; drawn afresh for each member in each epoch if left out.
    relaxation : int, optional
        Steps without input that these states take before the window, through which no gradient
        goes: so each member starts from a state of the network's own.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis, that are not averaged.
    qr_interval : int or "auto", optional
        Steps between factorisations. The automatic one is the longest that keeps the basis
        well conditioned, learnt from epoch to epoch; exponents do not depend on it.
    optimizer : Adam or SOAP, optional
        Copied; its state is carried on.
    clip_norm : float or ("global", float), optional
        Largest norm of the gradient in each parameter, or in all together. The paper does
        not clip. But now and then two tangent vectors nearly align within a window, whose
        gradient is then a thousand times that of others, and Adam remembers it for a
        thousand epochs in which it hardly moves: 1.0 flosses several times as fast.
    only : sequence of str, optional
        Names of the parameters to change, such as ``("W",)``; all if left out.
    tol : float, optional
        Stop as soon as each exponent's means over the last five epochs and the five before
        are this close to its target.
    t0 : float, optional
        Time at the start of each window, where the system depends on it.
    rng : None, int or Generator, optional
    progress : bool, optional
    callback : callable, optional
        Called with a `Progress` after each epoch; the run ends if it returns True.
    checkpoint : path, optional
        Save the run there every ten seconds and when it ends, by Ctrl-C or an error too, and
        go on from it if it exists: the numbers are those of an undisturbed run, bit for bit.

    Returns
    -------
    FlossResult

    Raises
    ------
    DivergedError, DegenerateBasisError
        With the result of the epochs before in `partial`. Dead units, whose exponents are
        -inf, have no gradient: ask for fewer exponents.

    Notes
    -----
    A target that cannot be reached ends with a verdict that says so. A network whose
    activation saturates contracts on average once its states are large: positive
    exponents need chaos, to which the gradient of a short window hardly leads.

    LSTM and GRU can bring their exponents to zero by holding their state, and as they are drawn by
    default they do, which is warned of: ``random(bias="open")`` draws networks whose recurrent
    weights have to do it.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023.

    Examples
    --------
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(16, gain=0.5, rng=1)
    >>> r = ln.floss(cell, 200, k=1, n_steps=50, tol=0.05, optimizer=ln.Adam(0.01), rng=1)
    >>> r.met
    True
    """
    n_epochs = validate.integer("n_epochs", n_epochs, low=0)
    window = Window(
        k=k, n_steps=n_steps, target=target, weights=weights, reduction=reduction,
        transient=transient, basis_transient=basis_transient, qr_interval=qr_interval,
        optimizer=optimizer, clip_norm=clip_norm, only=only,
    )  # fmt: skip
    first = flossable(cell)
    members = validate.integer("batch_size", batch_size, low=1)
    flosser = Flosser(window, first)
    system = first.with_loops(window.k, n_epochs * window.plan.total)
    source = Source(system, inputs, x0, members, window.plan.total, t0, relaxation)
    tol = None if tol is None else validate.real("tol", tol, positive=True)
    callback = validate.function("callback", callback)
    call = dict(
        window.settings, function="floss", cell=cell, n_epochs=n_epochs, inputs=inputs, x0=x0,
        batch_size=members, tol=tol, rng=rng, **({"t0": t0} if t0 else {}),
        **({"relaxation": relaxation} if relaxation else {}),
    )  # fmt: skip
    run = FlossRun(system, source, flosser, n_epochs, tol, validate.generator(rng))
    result: FlossResult[AnySystem] = run_epochs(
        run, call, checkpoint=checkpoint, callback=callback, progress=progress
    )
    if run.seen is not None and run.epoch == n_epochs:
        warn_if_held(holding(system, *run.seen), holding(run.system, *run.seen))
    return result
