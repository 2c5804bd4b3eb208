"""One numerical step of a flow: each method in a file of its own.

A method knows nothing of inputs, time or parameters. It is given the field ``f(x, c)``, with c the
fraction of the step at which it is evaluated, its Jacobian ``j(x, c)``, states ``(..., n)`` and
the step h, a number or an array ``(..., 1)``; it returns the next state, or the derivative of that
in the state: exactly that of the numerical step.
"""

from .explicit import ExplicitRungeKutta
from .leapfrog import Leapfrog
from .method import METHODS, Method, method_of
from .tableaus import TABLEAUS, Tableau

__all__ = [
    "METHODS",
    "TABLEAUS",
    "ExplicitRungeKutta",
    "Leapfrog",
    "Method",
    "Tableau",
    "method_of",
]
