"""Finite-time exponents as a differentiable function: an autograd primitive over the two sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp_argnums, primitive
from autograd.tracer import isbox

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed, broadcast_shapes, patient, unbroadcast
from ..numerics.autodiff import is_traced, leaves, rebuild, value
from ..systems import System, SystemLike, as_system
from ..tangent.gradient import Record, exponents, gradient
from ..tangent.plan import Plan, window_plan
from ..tangent.start import (
    Start,
    as_state,
    check_basis,
    check_inputs,
    noise_seed,
    orthonormal_rows,
    start_time,
)


@patient
def finite_time_exponents(
    cell: SystemLike,
    x0: ArrayLike,
    basis: ArrayLike,
    *,
    inputs: ArrayLike | None = None,
    n_steps: int | None = None,
    transient: int = 0,
    basis_transient: int = 0,
    qr_interval: int | str = 1,
    t0: float = 0.0,
    rng: Seed = None,
) -> Array:
    r"""Return the exponents of one window, differentiable by autograd.

    .. math:: \lambda_i = \frac{1}{t} \sum_s \log R^s_{ii}, \qquad D_s Q_s = Q_{s+1} R^s

    Parameters
    ----------
    cell : System
        A cell, map, flow or any system; a cell made by ``with_params`` from traced
        parameters makes the exponents differentiable in them.
    x0 : array (..., n)
        State at the start, before any transient.
    basis : array (..., n, k)
        k independent tangent vectors at the start; orthonormalised.
    inputs : array (transient + basis_transient + n_steps, ..., m), optional
        One input per step; zeros if left out.
    n_steps : int, optional
        Number of averaged steps; without it, all that the inputs leave.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis, that are not averaged.
    qr_interval : int or "auto", optional
        Steps between factorisations: of no influence on the exponents as long as the basis
        stays well conditioned.
    t0 : float, optional
        Time at the start, before any transient, where the system depends on it.
    rng : None, int or Generator, optional
        Draws the noise of a noisy system.

    Returns
    -------
    array (..., k)
        Exponents per unit time in QR order, unsorted; ``-inf`` where a Jacobian is singular.

    Raises
    ------
    DegenerateBasisError
        If the basis degenerates within an interval; in the gradient, if an exponent is
        ``-inf``.
    DivergedError
        If the state is not finite.

    Notes
    -----
    Differentiable in the cell's parameters, in `x0`, in `inputs` and in `basis`, once (there
    are no second derivatives). A gradient costs about one and a half further evaluations.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eqs. 5 to 8.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from autograd import grad
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN(np.diag([0.5, 0.25]), None, None, activation="linear")
    >>> def first_exponent(params):
    ...     lam = ln.finite_time_exponents(
    ...         cell.with_params(params), np.zeros(2), np.eye(2), n_steps=10)
    ...     return lam[0]
    >>> round(float(first_exponent(cell.params)), 6)  # log 0.5
    -0.693147
    >>> np.round(grad(first_exponent)(cell.params)["W"], 6)  # d log(w) / dw = 1 / w
    array([[2., 0.],
           [0., 0.]])
    """
    system = as_system(cell, "cell")
    x = as_state(system, x0)
    Q = _argument("basis", basis, 2)
    u = None if inputs is None else _argument("inputs", inputs, 2)
    given = None if u is None else np.shape(value(u))[0]
    plan = window_plan(given, n_steps, transient, basis_transient, qr_interval)
    basis_shape = np.shape(value(Q))
    check_basis(basis_shape, system.dim)
    check_inputs(system, None if u is None else value(u), plan.total)
    noisy = rng is not None or system.drive.noisy  # where nothing is drawn, none is made
    seed = noise_seed(system, u, validate.generator(rng)) if noisy else None
    at = {"t0": start_time(system, t0), "seed": seed}
    # autograd takes a container that it traces as a whole in a third of the time of its arrays.
    params = [system.params] if isbox(system.params) else leaves(system.params)
    kept: list[Any] | None = [] if is_traced(x, Q, u, *params) else None
    return _exponents(x, Q, u, *params, system=system, plan=plan, at=at, kept=kept)


#: How often, it is supposed, exponents of a window are asked for.
_AGAIN = 100


def _argument(name: str, x: Any, least: int) -> Any:
    return x if is_traced(x) else validate.array(name, x, least=least)


def _evaluate(
    x: Any,
    basis: Any,
    u: Any,
    *params: Any,
    system: System,
    plan: Plan,
    at: dict[str, Any],
    kept: list[Any] | None,
) -> Array:
    """Run forward; where a gradient may follow, leave in `kept` what it needs."""
    run = _run(x, basis, u, params, system, plan, at, keep=kept is not None)
    if kept is not None:
        kept[:] = [run]
    return run[0]


_exponents = primitive(_evaluate)


def _run(
    x: Array,
    basis: Array,
    u: Array | None,
    params: Any,
    system: System,
    plan: Plan,
    at: dict[str, Any],
    keep: bool,
) -> tuple[Array, Record, tuple[Array, Array]]:
    """Run the forward sweep on the whole ensemble."""
    if params:
        system = system.with_params(rebuild(value(system.params), leaves(params)))
    lead = broadcast_shapes(system.ensemble(x, None if u is None else u[0]), basis.shape[:-2])
    if basis.shape[:-2] != lead:
        basis = np.broadcast_to(basis, (*lead, *basis.shape[-2:]))
    rows, R = orthonormal_rows(basis)
    start = Start.spread(system, x, rows, u, plan.total, **at)
    system = system.with_loops(rows.shape[-2], _AGAIN * plan.total)
    lam, record = exponents(system, start.x, rows, start.inputs, plan, keep=keep)
    return lam, record, (rows, R)


def _vjp_maker(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
    """Pull back from what the run has kept; all arguments come in one sweep."""
    x, basis, u, *params = args
    system, plan, at = kwargs["system"], kwargs["plan"], kwargs["at"]
    if is_traced(*(value for value in (x, basis, u) if value is not None), *params):
        raise NotImplementedError("finite_time_exponents has no second derivatives")
    kept = kwargs["kept"]

    def vjp(bar: Array) -> tuple[Any, ...]:
        # A sweep uses its tape up: a second one, as for a Jacobian, needs a run of its own.
        run = kept.pop() if kept else _run(x, basis, u, params, system, plan, at, keep=True)
        _, record, (rows, R) = run
        x_bar, rows_bar, u_bar, params_bar = gradient(record, bar, inputs=2 in argnums)
        of_params = _params_cotangents(params_bar, params) if max(argnums) > 2 else []

        def cotangent(i: int) -> Any:
            if i == 0:
                return unbroadcast(x_bar, np.shape(x))
            if i == 1:
                return _basis_cotangent(rows, R, rows_bar, np.shape(basis))
            if i == 2:
                return None if u is None else _inputs_cotangent(system, u_bar, u)
            return of_params[i - 3]

        return tuple(map(cotangent, argnums))

    return vjp


def _params_cotangents(bar: Any, params: list[Any]) -> Any:
    """Return the cotangents of the parameters in the form in which these were given."""
    given = leaves(params)
    bars = leaves(bar) or [0.0] * len(given)
    return rebuild(params, [_of_shape(x, np.shape(y)) for x, y in zip(bars, given, strict=True)])


def _of_shape(bar: Any, shape: tuple[int, ...]) -> Array:
    """Return the cotangent of a parameter, which may be one number for all of it."""
    if np.shape(bar) == shape:
        return np.asarray(bar)
    if not np.ndim(bar):
        return np.full(shape, bar)
    return np.zeros(shape) + unbroadcast(np.asarray(bar), shape)


def _inputs_cotangent(system: System, rows_bar: Array | None, u: Array) -> Array:
    """Bring the cotangent of what steps were given to the shape of the inputs."""
    if rows_bar is None:
        return np.zeros_like(u)
    bar = system.drive.samples_bar(rows_bar, u.shape)
    bar = unbroadcast(bar, (len(bar), *(1,) * (bar.ndim - u.ndim), *u.shape[1:]))
    return bar.reshape(u.shape)


def _basis_cotangent(rows: Array, R: Array, rows_bar: Array, shape: tuple[int, ...]) -> Array:
    """Pull back through the orthonormalisation of the first basis; see `pull_back_qr`."""
    overlap = np.matmul(rows_bar, rows.swapaxes(-1, -2))
    rows_bar = rows_bar - np.matmul(np.tril(overlap), rows)
    return unbroadcast(np.linalg.solve(R, rows_bar).swapaxes(-1, -2), shape)


defvjp_argnums(_exponents, _vjp_maker)
