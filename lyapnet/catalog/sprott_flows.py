"""The simplest chaotic flows, found by J. C. Sprott and others."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from .. import validate
from .maps import SPROTT
from .reference import CatalogFlow, Reference, catalogued, flow_of, published


@catalogued
def linz_sprott(*, a: Any = 0.6, dt: float = 0.05) -> CatalogFlow:
    r"""Return the simplest chaotic flow with an absolute value.

    .. math:: \dddot x + a \ddot x + \dot x + |x| = 1

    Parameters
    ----------
    a : float or array, optional
        The exponents add up to -a.
    dt : float, optional

    References
    ----------
    S. J. Linz and J. C. Sprott, Phys. Lett. A 259, 240 (1999).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.linz_sprott().reference.exponents
    (0.0362, 0.0, -0.6362)
    """
    known = published({"a": 0.6}, (0.0362, 0.0, -0.6362), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        return y, z, 1.0 - p["a"] * z - y - anp.abs(x)

    return flow_of("Linz-Sprott flow", field, (0.0, -0.7, 0.0), known, dt=dt, a=a)


#: J. C. Sprott, Phys. Rev. E 50, R647 (1994): fields, starts, largest exponents of table I.
_SPROTT: dict[str, tuple[Any, tuple[float, ...], float]] = {
    "B": (lambda x, y, z: (y * z, x - y, 1 - x * y), (0.05, 0.05, 0.05), 0.210),
    "C": (lambda x, y, z: (y * z, x - y, 1 - x**2), (-0.38, -0.47, 0.67), 0.163),
    "D": (lambda x, y, z: (-y, x + z, x * z + 3 * y**2), (-1.12, -0.54, 2.57), 0.103),
    "E": (lambda x, y, z: (y * z, x**2 - y, 1 - 4 * x), (1.47, 1.10, 0.27), 0.078),
    "F": (lambda x, y, z: (y + z, -x + 0.5 * y, x**2 - z), (0.28, -2.87, 0.83), 0.117),
    "G": (lambda x, y, z: (0.4 * x + z, x * z - y, -x + y), (-0.61, -0.32, 0.18), 0.034),
    "H": (lambda x, y, z: (-y + z**2, x + 0.5 * y, x - z), (-0.57, 1.05, -0.84), 0.117),
    "I": (lambda x, y, z: (-0.2 * y, x + z, x + y**2 - z), (-0.125, -0.469, -0.066), 0.012),
    "J": (lambda x, y, z: (2 * z, -2 * y + z, -x + y + y**2), (2.95, 1.07, 2.70), 0.076),
    "K": (lambda x, y, z: (x * y - z, x - y, x + 0.3 * z), (0.13, -0.47, -0.66), 0.038),
    "L": (lambda x, y, z: (y + 3.9 * z, 0.9 * x**2 - y, 1 - x), (-5.11, 23.54, -3.11), 0.061),
    "M": (lambda x, y, z: (-z, -(x**2) - y, 1.7 + 1.7 * x + y), (2.286, -3.534, 0.514), 0.044),
    "N": (lambda x, y, z: (-2 * y, x + z**2, 1 + y - 2 * z), (4.05, -0.39, -2.30), 0.076),
    "O": (lambda x, y, z: (y, x - z, x + x * z + 2.7 * y), (-0.031, -0.21, 0.412), 0.049),
    "P": (lambda x, y, z: (2.7 * y + z, -x + y**2, x + y), (-0.122, -0.161, 0.423), 0.087),
    "Q": (lambda x, y, z: (-z, x - y, 3.1 * x + y**2 + 0.5 * z), (-0.993, -1.564, 0.426), 0.109),
    "R": (lambda x, y, z: (0.9 - y, 0.4 + z, x * y - z), (-0.723, -0.691, -0.193), 0.062),
    "S": (lambda x, y, z: (-x - 4 * y, x + z**2, 1 + x), (-2.05, -0.694, -0.572), 0.188),
}


@catalogued
def sprott(case: str = "B", *, dt: float = 0.02) -> CatalogFlow:
    """Return one of Sprott's nineteen flows with five terms and two products, or six and one.

    Parameters
    ----------
    case : {"B", "C", ..., "S"}, optional
        Case A is `nose_hoover`.
    dt : float, optional

    References
    ----------
    J. C. Sprott, "Some simple chaotic flows", Phys. Rev. E 50, R647 (1994).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.sprott("S").reference.exponents  # the leading two
    (0.188, 0.0)
    """
    case = validate.option("case", case, _SPROTT)
    equations, start, leading = _SPROTT[case]
    known = Reference((leading, 0.0), "J. C. Sprott, Phys. Rev. E 50, R647 (1994)", False,
                      (0.001, 0.0))  # fmt: skip

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        return tuple(p["rate"] * part for part in equations(x, y, z))

    def reference(p: Any) -> Reference | None:
        return known if p["rate"] == 1 else None

    return flow_of(f"Sprott's flow {case}", field, start, reference, dt=dt, rate=1.0)
