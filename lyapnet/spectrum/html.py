"""Spectra as Jupyter shows them: what to make of the run, and exponents with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.html import table

#: So many exponents, or members of an ensemble, are shown.
_SHOWN = 8


def spectrum_html(s: Any) -> str:
    """Return the tables of a spectrum."""
    verdict = s.diagnose().verdict
    steps, dt = s.settings["n_steps"], s.settings["dt"]
    run = f"{steps} steps" + (f" of {dt:g}" if dt != 1 else "")
    lead, k = s.exponents.shape[:-1], s.exponents.shape[-1]
    caption = f"Spectrum: {k} exponent{'s' * (k > 1)}, {run}"
    if lead:
        caption += f", ensemble {' x '.join(map(str, lead))}"
    rows = _members(s) if lead else _exponents(s)
    head = ("member", "λ1", "95 % interval", "dimension") if lead else ("i", "λ", "95 % interval")
    return table(caption, [("verdict", verdict)]) + table("", rows, head)


def _exponents(s: Any) -> list[tuple[str, ...]]:
    low, high = s.confidence_interval()
    k = len(s.exponents)
    rows: list[tuple[str, ...]] = [
        (str(i + 1), f"{s.exponents[i]:.5g}", f"{low[i]:.5g} to {high[i]:.5g}") for i in _some(k)
    ]
    return _cut(rows, k)


def _members(s: Any) -> list[tuple[str, ...]]:
    k = s.exponents.shape[-1]
    lam, low, high = (x.reshape(-1, k)[:, 0] for x in (s.exponents, *s.confidence_interval()))
    dimension = np.ravel(s.kaplan_yorke_dimension)
    places = list(np.ndindex(s.exponents.shape[:-1]))
    rows: list[tuple[str, ...]] = [
        (
            ", ".join(map(str, places[i])), f"{lam[i]:.5g}", f"{low[i]:.5g} to {high[i]:.5g}",
            f"{dimension[i]:.4g}",
        )
        for i in _some(len(lam))
    ]  # fmt: skip
    return _cut(rows, len(lam))


def _some(count: int) -> list[int]:
    """Return the indices that are shown: of many the first ones and the last."""
    return list(range(count)) if count <= _SHOWN else [*range(_SHOWN - 1), count - 1]


def _cut(rows: list[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    """Mark where rows are left out."""
    return rows if count <= _SHOWN else [*rows[:-1], ("...",) * len(rows[0]), rows[-1]]
