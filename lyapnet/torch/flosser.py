"""Flossing by a schedule inside of somebody's training loop, or of PyTorch Lightning's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from .. import validate
from ..flossing.loss import per_exponent
from ..optimize import Adam, as_adam
from ..training.progress import TrainingProgress
from ..training.schedule import pace_of, window_of
from .exponents import expect_many, finite_time_exponents
from .layers import unwrapped
from .loss import loss_of
from .system import System


class Flosser:
    """Floss a module when a schedule says so: one line in a training loop.

    Parameters
    ----------
    module : Module or System
        As for `finite_time_exponents`; its parameters are changed in place.
    schedule : FlossingSchedule, AdaptiveFlossing or object
        When to floss, and what; its `optimizer` tells the settings of the one used here, which
        is apart from the loop's own.
    inputs : callable
        Returns an input sequence ``(T, m)`` or ``(T, B, m)`` for one flossing epoch, of as many
        steps at least as the schedule's window takes; None for a `System` without inputs.
    h0 : tensor, callable or None, optional
        First state, or what returns it.
    only : sequence of str, optional
        Names of the parameters to change, such as ``("weight_hh_l0",)``; all if left out.
    rng : None, int, numpy or torch Generator, optional
        For the random orthonormal basis of each flossing epoch; 0 if left out. PyTorch's own random
        stream is not touched.

    Attributes
    ----------
    exponents : list of array (k,)
        Of each flossing epoch so far before its update, the mean over the batch.
    optimizer : torch.optim.AdamW

    Examples
    --------
    >>> import torch
    >>> import lyapnet as ln
    >>> import lyapnet.torch as lt
    >>> rnn = torch.nn.RNN(1, 16)
    >>> schedule = ln.FlossingSchedule(before=20, at=50, epochs=10, k=8, n_steps=30)
    >>> flosser = lt.Flosser(rnn, schedule, lambda: torch.randn(30, 1))
    >>> [flosser(epoch) for epoch in range(3)]  # before training, and not again until epoch 50
    [20, 0, 0]
    """

    def __init__(
        self,
        module: Any,
        schedule: Any,
        inputs: Callable[[], Any] | None,
        *,
        h0: Any = None,
        only: Sequence[str] | None = None,
        rng: Any = None,
    ) -> None:
        module = unwrapped(module)
        settings = window_of(schedule).settings
        adam, self._clip = as_adam(settings["optimizer"]), settings["clip_norm"]
        if type(adam) is not Adam:
            raise TypeError(f"`schedule` must floss by lyapnet.Adam, which torch has, got {adam!r}")
        if inputs is not None and not callable(inputs):
            raise TypeError(f"`inputs` must be a function of nothing, or None, got {inputs!r}")
        target = (settings[name] for name in ("target", "weights", "reduction", "k"))
        self._target = per_exponent(*target)
        window = ("k", "n_steps", "transient", "basis_transient", "qr_interval")
        self._window = {name: settings[name] for name in window}
        self.module, self.schedule = module, schedule
        self._inputs, self._h0 = inputs, h0
        torchs = isinstance(rng, torch.Generator)
        self._rng: Any = rng if torchs else validate.generator(0 if rng is None else rng)
        self._parameters = _chosen(module, settings.get("only") if only is None else only)
        self.optimizer = torch.optim.AdamW(
            self._parameters, adam.learning_rate, (adam.b1, adam.b2), adam.eps, adam.weight_decay
        )
        expect_many(module)
        self.exponents: list[Any] = []
        self._epochs: list[int] = []
        self._norms: list[float] = []

    def __call__(self, epoch: int, *, gradient_norm_h0: Any = None) -> int:
        """Floss as often as the schedule says before training epoch `epoch`.

        Parameters
        ----------
        epoch : int
            Number of training epochs done: count them one by one.
        gradient_norm_h0 : float, optional
            Norm of the loss gradient in the first state in the training epoch just done, which
            `AdaptiveFlossing` goes by.

        Returns
        -------
        int
            Number of flossing epochs done.
        """
        if epoch and len(self._norms) < len(self._epochs):
            self._norms.append(np.nan if gradient_norm_h0 is None else float(gradient_norm_h0))
        if self._needs_norms and self._norms and np.isnan(self._norms[-1]):
            raise ValueError(
                "`gradient_norm_h0` is needed in each call after the first: the schedule goes by it"
            )
        record = self._record()
        count = int(self.schedule.episode(epoch, record))
        group = self.optimizer.param_groups[0]
        rate = group["lr"]
        group["lr"] = rate * pace_of(self.schedule, epoch, record)
        for _ in range(count):
            self.step()
        group["lr"] = rate
        self._epochs.append(count)
        return count

    @property
    def _needs_norms(self) -> bool:
        return hasattr(self.schedule, "low")

    def _record(self) -> TrainingProgress:
        """Return what the schedule may look at; losses are the loop's own business."""
        done, unknown = np.array(self._epochs, dtype=int), np.full(len(self._epochs), np.nan)
        last = self.exponents[-1] if self.exponents else None
        norms = np.array(self._norms[: len(done)])
        return TrainingProgress(
            len(done), self.module, unknown, last, unknown, norms, done, diagnostics={}
        )

    @torch.inference_mode(False)
    @torch.enable_grad()
    def step(self) -> float:
        """Take one step down the flossing loss; return the loss before it."""
        inputs = None if self._inputs is None else self._inputs()
        h0 = self._h0() if callable(self._h0) else self._h0
        if h0 is not None:
            h0 = tuple(x.detach() for x in h0) if isinstance(h0, tuple) else h0.detach()
        lam = finite_time_exponents(self.module, inputs, h0, rng=self._rng, **self._window)
        loss = loss_of(lam, *self._target)
        found = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        kept = [p.grad for p in self._parameters]
        for p, grad in zip(self._parameters, found, strict=True):
            p.grad = torch.zeros_like(p) if grad is None else grad.clone()  # clipped in place
        self._clip_gradients()
        self.optimizer.step()
        for p, grad in zip(self._parameters, kept, strict=True):
            p.grad = grad
        self.exponents.append(lam.detach().reshape(-1, lam.shape[-1]).mean(dim=0).cpu().numpy())
        return loss.item()

    def _clip_gradients(self) -> None:
        if isinstance(self._clip, tuple):
            torch.nn.utils.clip_grad_norm_(self._parameters, self._clip[1])
        elif self._clip is not None:
            for p in self._parameters:
                torch.nn.utils.clip_grad_norm_([p], self._clip)

    def state_dict(self) -> dict[str, Any]:
        """Return what the next epoch depends on, apart from the module and its inputs."""
        torchs = isinstance(self._rng, torch.Generator)
        return {
            "rng": self._rng.get_state() if torchs else self._rng.bit_generator.state,
            "optimizer": self.optimizer.state_dict(),
            "epochs": list(self._epochs),
            "norms": list(self._norms),
            "exponents": [x.tolist() for x in self.exponents],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        if isinstance(self._rng, torch.Generator):
            self._rng.set_state(state["rng"])
        else:
            self._rng.bit_generator.state = state["rng"]
        self.optimizer.load_state_dict(state["optimizer"])
        self._epochs, self._norms = list(state["epochs"]), list(state["norms"])
        self.exponents = [np.array(x) for x in state["exponents"]]

    def callback(self, gradient_norm_h0: Callable[[Any], Any] | None = None) -> Any:
        """Return a callback for the Trainer of PyTorch Lightning, which flosses by this schedule.

        An epoch of the schedule is a step of Lightning's optimiser, its `global_step`.

        Parameters
        ----------
        gradient_norm_h0 : callable, optional
            Of the LightningModule, after each backward pass: what `AdaptiveFlossing` goes by.

        Raises
        ------
        ImportError
            Without Lightning: ``pip install lightning``.
        """
        from .lightning import make_callback

        return make_callback(self, gradient_norm_h0)


def _chosen(module: Any, only: Sequence[str] | None) -> list[Any]:
    """Return the parameters to change."""
    owner = module.module if isinstance(module, System) else module
    if not isinstance(owner, torch.nn.Module):
        raise TypeError(f"`module` must be a Module, or a System made of one, got {module!r}")
    named = {name: p for name, p in owner.named_parameters() if p.requires_grad}
    names = list(named) if only is None else list(only)
    if isinstance(only, str) or not names or not set(names) <= set(named):
        raise ValueError(f"`only` must be a sequence of names among {sorted(named)}, got {only!r}")
    return [named[name] for name in names]
