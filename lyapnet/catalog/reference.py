"""What a catalog system carries beside its equations: name, known exponents and their source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

from .. import validate
from ..compiled.trace import Symbol, Symbols
from ..numerics.arrays import Array
from ..numerics.autodiff import is_traced, value
from ..systems import Flow, Map


@dataclass(frozen=True)
class Reference:
    """Known Lyapunov exponents.

    Attributes
    ----------
    exponents : tuple of float
        In nats per unit time, descending; the leading ones where not all are known.
    source : str
        Where they are proved or published.
    exact : bool
        Whether they follow from a proof, or else from a numerical estimate.
    uncertainty : tuple of float
        Of each exponent: half a unit of the last published digit or more, 0 if exact.
    note : str
        What to know when comparing.
    """

    exponents: tuple[float, ...]
    source: str
    exact: bool
    uncertainty: tuple[float, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.uncertainty:
            object.__setattr__(self, "uncertainty", (0.0,) * len(self.exponents))


def exact(exponents: Any, source: str, note: str = "") -> Reference:
    """Return the reference of a system whose exponents are proved, in any order."""
    ordered = sorted((float(x) for x in np.atleast_1d(exponents)), reverse=True)
    return Reference(tuple(ordered), source, True, note=note)


#: From plain parameters to what is known about them.
Known = Callable[[Any], Reference | None]


class CatalogMap(Map):
    """A map with a name, a state on or near its attractor, and a reference.

    Attributes
    ----------
    name : str
    reference : Reference or None
        For the parameters that the system has now; None where none is known, or where
        members of an ensemble differ in them.
    """

    name: str
    _known: Known | None = None
    #: Axes of the parameters that are not numbers.
    _axes: dict[str, int] = {}  # noqa: RUF012 - replaced, never changed

    def __repr__(self) -> str:
        return f"<{self.name}: {super().__repr__()}>"

    @property
    def reference(self) -> Reference | None:
        """Known exponents for the present parameters, None if there are none."""
        return _reference(self)


class CatalogFlow(Flow):
    """A flow with a name, a state on or near its attractor, and a reference.

    Attributes
    ----------
    name : str
    reference : Reference or None
        For the parameters that the system has now; None where none is known, or where
        members of an ensemble differ in them.
    """

    name: str
    _known: Known | None = None
    #: Axes of the parameters that are not numbers.
    _axes: dict[str, int] = {}  # noqa: RUF012 - replaced, never changed

    def __repr__(self) -> str:
        return f"<{self.name}: {super().__repr__()}>"

    @property
    def reference(self) -> Reference | None:
        """Known exponents for the present parameters, None if there are none."""
        return _reference(self)


def _reference(system: CatalogMap | CatalogFlow) -> Reference | None:
    if system._known is None or is_traced(system.params):
        return None
    params = system.params or {}
    if any(np.ndim(x) != system._axes.get(key, 0) for key, x in params.items()):
        return None
    return system._known(params)


def named(
    system: Any,
    name: str,
    initial: Any,
    known: Known | None = None,
    axes: dict[str, int] | None = None,
) -> Any:
    """Complete a system of the catalog."""
    system.name = name
    system._initial = np.array(initial, dtype=float)
    system._known = known
    system._axes = axes or {}
    return system


def tabulated(standard: dict[str, float], reference: Reference) -> Known:
    """Return a table of one entry: a reference for one set of parameters."""

    def known(p: dict[str, Array]) -> Reference | None:
        same = all(np.isclose(p[key], number, rtol=1e-12) for key, number in standard.items())
        return reference if same else None

    return known


def numbers(**given: Any) -> dict[str, Any]:
    """Check parameters that are numbers, or arrays of such over an ensemble."""
    return {name: x if is_traced(x) else validate.array(name, x) for name, x in given.items()}


def vector(*components: Any) -> Any:
    """Stack components ``(...)``, broadcast to each other, into states ``(..., n)``."""
    if any(isbox(x) or isinstance(x, Symbol | Symbols) for x in components):
        shape = np.broadcast_shapes(*(np.shape(value(x)) for x in components))
        return anp.stack([_spread(x, shape) for x in components], axis=-1)
    if not any(getattr(x, "ndim", 0) for x in components):
        return np.array(components, dtype=float)
    shape = np.broadcast_shapes(*(np.shape(x) for x in components))
    out = np.empty((*shape, len(components)))
    for i, x in enumerate(components):
        out[..., i] = x
    return out


def matrix(*rows: tuple[Any, ...]) -> Any:
    """Stack entries ``(...)``, broadcast to each other, into matrices ``(..., n, n)``."""
    n = len(rows)
    flat = vector(*(x for row in rows for x in row))
    return anp.reshape(flat, (*np.shape(value(flat))[:-1], n, n))


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    return x if np.shape(value(x)) == shape else x + np.zeros(shape)
