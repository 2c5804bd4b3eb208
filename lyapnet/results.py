"""The ground that all results stand on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np


class Result:
    """Base of the frozen dataclasses that lyapnet returns: a short ``repr``, here and in Jupyter.

    A subclass names the axes of its arrays in `_dims`, the trailing ones in order
    (the leading ones are the ensemble's), and says in `_summary` what a reader
    wants to see first.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {}

    def _summary(self) -> dict[str, Any]:
        """Return what the ``repr`` shows, name by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.repr}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_short(value)}" for name, value in self._summary().items())
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td>{_short(value)}</td></tr>"
            for name, value in self._summary().items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"


def _short(value: Any) -> str:
    """Write a value on one short line."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return f"{value:.6g}"
        if value.ndim == 1 and value.dtype.kind == "f":
            text = ", ".join(f"{v:.5g}" for v in value[:6])
            return f"[{text}{', ...' if value.size > 6 else ''}]"
        return f"<{' x '.join(map(str, value.shape))} array>"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)
