"""Flossing as a callback of PyTorch Lightning, which is imported here alone."""

from __future__ import annotations

from typing import Any


def make_callback(flosser: Any, gradient_norm_h0: Any) -> Any:
    """Return a callback that calls a `Flosser` before each of the Trainer's optimiser steps."""
    try:
        from lightning.pytorch import Callback
    except ImportError:
        try:
            from pytorch_lightning import Callback
        except ImportError:
            raise ImportError(
                "the callback needs PyTorch Lightning: `pip install lightning`"
            ) from None

    class FlossingCallback(Callback):
        """Floss when the schedule says so."""

        def __init__(self) -> None:
            self._seen = -1
            self._norm: Any = None

        def on_train_batch_start(self, trainer: Any, pl_module: Any, *_: Any) -> None:
            """Floss once for each step of the optimiser, however many batches it takes."""
            if trainer.global_step != self._seen:
                self._seen = trainer.global_step
                flosser(self._seen, gradient_norm_h0=self._norm)

        def on_after_backward(self, trainer: Any, pl_module: Any) -> None:
            """Note the norm that the schedule goes by."""
            if gradient_norm_h0 is not None:
                self._norm = float(gradient_norm_h0(pl_module))

        def state_dict(self) -> dict[str, Any]:
            """Return what goes into Lightning's checkpoint."""
            return {"flosser": flosser.state_dict(), "seen": self._seen, "norm": self._norm}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            """Go on from Lightning's checkpoint."""
            flosser.load_state_dict(state["flosser"])
            self._seen, self._norm = state["seen"], state["norm"]

    return FlossingCallback()
