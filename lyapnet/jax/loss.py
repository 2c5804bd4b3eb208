"""The flossing loss as a function of JAX, over lyapnet's own two sweeps."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .. import validate
from ..errors import DivergedError
from ..flossing.loss import per_exponent
from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import Tree, leaves, rebuild
from ..systems import as_system
from ..tangent.gradient import exponents, gradient
from ..tangent.interval import Interval
from ..tangent.plan import Plan
from ..tangent.qr import orthonormalise
from .native import exponents as exponents_in_jax
from .system import System


def flossing_loss(
    system: Any,
    inputs: Any,
    h0: Any = None,
    *,
    k: int,
    params: Tree = None,
    target: Any = 0.0,
    weights: Any = None,
    reduction: str = "sum",
    n_steps: int | None = None,
    transient: int = 0,
    basis_transient: int = 0,
    qr_interval: Any = "auto",
    key: Any = None,
) -> Any:
    r"""Return the flossing loss of a system, differentiable in params, h0 and inputs.

    .. math:: L = \sum_{i \le k} w_i (\lambda_i - \lambda_i^\mathrm{target})^2

    Works under `jax.jit`, `jax.grad` and `jax.vmap`. A cell of lyapnet runs on lyapnet's own
    sweeps, on the CPU in ``float64``: value and gradient come in one call back from the compiled
    program. A `System` runs in JAX itself, in the precision that JAX has enabled.

    Parameters
    ----------
    system : System or cell
        A `lyapnet.jax.System`, or a cell of lyapnet, such as `lyapnet.from_flax` makes.
    inputs : array (T, m) or (T, B, m), or None
        One sequence, or one for each member of a batch.
    h0 : array (n,) or (B, n), optional
        First state, zeros if left out; a vanilla cell's is the pre-activation.
    k : int
        Number of exponents, the leading ones.
    params : tree, optional
        Parameters in place of the system's own, of the same form: what to differentiate in.
    target, weights : float or array (k,), optional
    reduction : {"sum", "mean"}, optional
        Over the k exponents; over a batch it is the mean.
    n_steps : int, optional
        Averaged steps; all that the inputs leave, if left out.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis, that are not averaged.
    qr_interval : int or "auto", optional
        Steps between factorisations. The automatic one of a cell is five steps, divided where the
        basis needs it; that of a `System` is one.
    key : JAX key, optional
        For the random orthonormal basis at the start; the same one in each call if left out.

    Returns
    -------
    array ()

    Raises
    ------
    ValueError
        If inputs, h0 or parameters are not finite. Of what is traced, as under `jax.jit` or what
        `jax.grad` differentiates in, no value is known: there a `System` returns NaN.
    DivergedError
        If the loss of a `System` is not finite, and not traced.
    RuntimeError
        For a cell where the process has a single CPU: there JAX's callbacks wait for themselves.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eq. 4.

    Examples
    --------
    >>> import jax
    >>> import lyapnet as ln
    >>> import lyapnet.jax as lj
    >>> cell = ln.VanillaRNN.random(32, rng=0)
    >>> inputs = jax.random.normal(jax.random.key(0), (40, 1))
    >>> @jax.jit
    ... def loss(params):
    ...     return lj.flossing_loss(cell, inputs, k=8, params=params)
    >>> value, slopes = jax.value_and_grad(loss)(cell.params)
    >>> slopes["W"].shape
    (32, 32)
    """
    found = as_system(system)
    k = validate.integer("k", k, low=1, high=found.dim)
    goal, each = per_exponent(target, weights, reduction, k)
    shape = None if inputs is None else np.shape(inputs)
    if shape is not None and (len(shape) not in (2, 3) or shape[-1] != found.n_inputs):
        raise ValueError(
            f"`inputs` must have shape (T, {found.n_inputs}) or (T, B, {found.n_inputs}), got "
            f"{shape}"
        )
    plan = _plan(shape, n_steps, transient, basis_transient, qr_interval)
    lead = () if shape is None else shape[1:-1]
    h0 = jnp.zeros(found.dim) if h0 is None else jnp.asarray(h0)
    x = jnp.broadcast_to(h0, (*lead, found.dim)) if lead else h0
    rows = jax.random.normal(
        jax.random.key(0) if key is None else key, (*x.shape[:-1], k, found.dim)
    )
    tree = found.params if params is None else params
    arrays = [jnp.asarray(p) for p in leaves(tree)]
    u = jnp.zeros((plan.total, *lead, 0)) if inputs is None else jnp.asarray(inputs)
    for name, given in (("inputs", u), ("h0", x), *(("params", p) for p in arrays)):
        if _known(given):
            validate.finite(name, np.asarray(given))
    if isinstance(found, System):
        return _native(found, rebuild(found.params, arrays), rows, x, u, plan, goal, each)
    _refuse_one_cpu()
    return _loss(_Run(found, plan, goal, each), rows, x, u, *arrays)


def _native(
    system: System, params: Tree, rows: Any, x: Any, u: Any, plan: Plan, goal: Array, each: Array
) -> Any:
    """Return the loss of a system written in JAX."""
    one = partial(exponents_in_jax, system.function, params, plan=plan)
    lam = (jax.vmap(one, in_axes=(0, 0, 1)) if x.ndim > 1 else one)(x, rows, u) / system.dt
    loss = jnp.mean(jnp.sum(each * (lam - goal) ** 2, axis=-1))
    if _known(loss) and not np.isfinite(loss):
        raise DivergedError(
            "the loss is not finite: the state diverges, or an exponent is -inf; use smaller "
            "weights or inputs, or a smaller k"
        )
    return loss


def _known(x: Any) -> bool:
    """Return whether there is a value to look at: under `jax.jit` and `jax.grad` there is none."""
    return not isinstance(x, jax.core.Tracer)


def _refuse_one_cpu() -> None:
    found = (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
    if len(found) < 2:
        raise RuntimeError(
            "a cell of lyapnet is called back from JAX, whose callbacks can wait for themselves "
            "for ever where there is a single CPU: give the process two, or write the step in JAX "
            "as a lyapnet.jax.System"
        )


def _plan(shape: Any, n_steps: Any, transient: Any, basis_transient: Any, qr_interval: Any) -> Plan:
    """Check the counts of steps, and complete them from the inputs."""
    transient = validate.integer("transient", transient, low=0)
    basis_transient = validate.integer("basis_transient", basis_transient, low=0)
    if n_steps is None:
        if shape is None:
            raise ValueError("`n_steps` is needed where no `inputs` fix the number of steps")
        n_steps = shape[0] - transient - basis_transient
    n_steps = validate.integer("n_steps", n_steps, low=1)
    interval = Interval.of(qr_interval)
    steps = 5 if interval.automatic else interval.steps
    plan = Plan(transient, basis_transient, n_steps, steps, forgiving=interval.automatic)
    if shape is not None and shape[0] < plan.total:
        raise ValueError(f"`inputs` has {shape[0]} steps, but the run takes {plan.total}")
    return plan


class _Run(NamedTuple):
    """What a loss is of, apart from arrays."""

    system: Any
    plan: Plan
    goal: Array
    each: Array

    def __call__(self, rows: Any, x: Any, u: Any, *params: Any, keep: bool) -> list[Array]:
        """Run on the host: the loss, and with `keep` its gradients in x, u and the parameters."""
        rows, x, u, *arrays = (np.array(y, dtype=float) for y in (rows, x, u, *params))
        system = self.system
        if arrays:
            system = system.with_params(rebuild(system.params, list(arrays)))
        orthonormalise(rows)
        inputs = u[: self.plan.total] if system.n_inputs else None
        lam, record = exponents(system, x, rows, inputs, self.plan, keep=keep)
        count = max(1, int(np.prod(lam.shape[:-1])))
        loss = np.array(np.sum(self.each * (lam - self.goal) ** 2) / count)
        if not keep:
            return [loss]
        slope = 2 * self.each * (lam - self.goal) / count
        x_bar, _, u_bar, params_bar = gradient(record, slope)
        bars = [loss, x_bar, np.zeros_like(u), *(np.zeros_like(p) for p in arrays)]
        if u_bar is not None:
            bars[2][: len(u_bar)] = u_bar.reshape(len(u_bar), *u.shape[1:])
        for bar, found in zip(bars[3:], leaves(params_bar), strict=False):
            bar[...] = unbroadcast(found, bar.shape) if np.ndim(found) else found
        return bars


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(run: _Run, rows: Any, x: Any, u: Any, *params: Any) -> Any:
    return _called(run, False, rows, x, u, *params)[0]


def _forward(run: _Run, rows: Any, x: Any, u: Any, *params: Any) -> Any:
    loss, *bars = _called(run, True, rows, x, u, *params)
    return loss, (rows, bars)


def _backward(run: _Run, kept: Any, bar: Any) -> Any:
    rows, bars = kept
    return jnp.zeros_like(rows), *(bar * x for x in bars)


_loss.defvjp(_forward, _backward)


def _called(run: _Run, keep: bool, *arrays: Any) -> Any:
    """Call back from the compiled program."""
    dtypes = [x.dtype for x in arrays]
    kind = jnp.result_type(*dtypes)
    shapes = [jax.ShapeDtypeStruct((), kind)]
    if keep:
        shapes += [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arrays[1:]]

    def host(*args: Any) -> Any:
        found = run(*args, keep=keep)
        return [np.asarray(x, s.dtype) for x, s in zip(found, shapes, strict=True)]

    return jax.pure_callback(host, shapes, *arrays, vmap_method="sequential")
