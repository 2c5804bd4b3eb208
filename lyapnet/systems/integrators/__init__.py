"""One numerical step of a flow: each method in a file of its own.

A method knows nothing of inputs, time or parameters. It is given the field ``f(x, c)``, with c the
fraction of the step at which it is evaluated, its Jacobian ``j(x, c)``, states ``(..., n)`` and
the step h, a number or an array ``(..., 1)``; it returns the next state, or the derivative of that
in the state: exactly that of the numerical step. Explicit Runge-Kutta methods are data, their
tableaus, for one stepper.
"""

from .control import divided
from .leapfrog import check_separable
from .method import CONTROLLED, METHODS, Controlled, Method, method_of, tolerances
from .tableaus import TABLEAUS, Tableau

__all__ = [
    "CONTROLLED",
    "METHODS",
    "TABLEAUS",
    "Controlled",
    "Method",
    "Tableau",
    "check_separable",
    "divided",
    "method_of",
    "tolerances",
]
