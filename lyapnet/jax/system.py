"""Any function of JAX as a system with exponents."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import Tree, leaves, rebuild, value
from ..systems.foreign import RANDOM, ForeignSystem
from ..systems.user_function import refuse_input_first
from .orbit import Functions, JaxOrbit

#: What JAX says of a function that asks for a value where there is none yet.
_WANTS_A_VALUE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


class System(ForeignSystem):
    r"""A step written in JAX: whatever lyapnet does with a cell, it does with this.

    .. math:: h_{s+1} = f(h_s, u_{s+1}; \theta)

    Tangent vectors go through it in forward mode, cotangents in reverse mode, k at a time, all
    compiled; no Jacobian is formed. States, parameters and results are NumPy arrays of
    ``float64``, and the step is evaluated in that precision, whether or not JAX has it enabled.

    Parameters
    ----------
    step : callable
        ``step(h, u)``, without inputs ``step(h)``, with parameters ``step(h, u, params)``: of one
        state ``(n,)`` and one input ``(m,)``; anything that `jax.jit` takes.
    dim : int
        Dimension n of the state.
    n_inputs : int, optional
        Dimension m of the input u.
    params : dict, list or tuple of arrays, nested or not, optional
        What `floss` changes, and what exponents are differentiable in. Arrays of JAX
        never change: other ones are given by `with_params`.
    dt : float, optional
        Time that a step takes.
    dtype : optional
        To evaluate the step in, ``float64`` if left out.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> import lyapnet.jax as lj
    >>> W = 0.5 * np.eye(3)
    >>> system = lj.System(lambda h, p: jnp.tanh(p["W"] @ h), 3, params={"W": W})
    >>> system.jacobian(np.zeros(3))
    array([[0.5, 0. , 0. ],
           [0. , 0.5, 0. ],
           [0. , 0. , 0.5]])
    >>> ln.lyapunov_spectrum(system, 200, k=2, x0=np.ones(3), rng=0).exponents.shape
    (2,)
    """

    _functions: Functions
    framework = "JAX"

    def __init__(
        self,
        step: Callable[..., Any],
        dim: int,
        *,
        n_inputs: int = 0,
        params: Tree = None,
        dt: float = 1.0,
        dtype: Any = np.float64,
    ) -> None:
        if not callable(step):
            raise TypeError(f"`step` must be a function, got {step!r}")
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.dt = validate.real("dt", dt, positive=True)
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "f":
            raise TypeError(f"`dtype` must be a real type such as numpy.float64, got {dtype!r}")
        driven = self.n_inputs > 0
        alike = self.n_inputs == self.dim
        refuse_input_first("step", step, "h", driven, "give lambda h, u: step(u, h)", alike)
        self.params = plain(params)
        with_params = params is not None

        def called(step: Any) -> Callable[..., Any]:
            return lambda p, x, u: step(
                x, *((u,) if driven else ()), *((p,) if with_params else ())
            )

        #: The step as a function (params, x, u), whatever of these the user's takes.
        self.function = called(step)
        self._functions = Functions(self.function, self._dtype)
        self._check(called(step.__wrapped__ if isinstance(step, jax.stages.Wrapped) else step))

    def _check(self, call: Callable[..., Any]) -> None:
        """Trace the step, without running it, and look at what it returns."""
        with jax.enable_x64(True):
            shapes = [
                jax.ShapeDtypeStruct(np.shape(x), self._dtype)
                for x in (*leaves(self.params), np.empty(self.dim), np.empty(self.n_inputs))
            ]
            tree = rebuild(self.params, shapes[:-2])
            try:
                found = jax.eval_shape(call, tree, *shapes[-2:])
            except _WANTS_A_VALUE as error:
                raise TypeError(
                    "`step` asks for the value of something that depends on the state, by an `if`, "
                    "`float` or a function of NumPy, where JAX knows none: write it with "
                    "jax.numpy, jnp.where and jax.lax"
                ) from error
            except Exception as error:  # of the user's function
                raise TypeError(
                    f"`step` cannot be traced for a state of shape ({self.dim},): {error}"
                ) from error
            self._check_forward(call, tree, *shapes[-2:])
            # Two programs, unless the function is the same one: what was drawn is part of them.
            again = (jax.jit(lambda *args: call(*args)).lower(tree, *shapes[-2:]) for _ in range(2))
            first, second = (program.as_text() for program in again)
        if first != second:
            raise ValueError(RANDOM)
        if getattr(found, "shape", None) != (self.dim,):
            got = getattr(found, "shape", type(found).__name__)
            raise ValueError(
                f"`step` must return the next state, an array of shape ({self.dim},), got {got}"
            )
        if jnp.issubdtype(found.dtype, jnp.complexfloating):
            raise TypeError("`step` returns complex numbers: write real and imaginary part apart")

        if found.dtype != self._dtype:
            raise TypeError(
                f"`step` returns {found.dtype} for a state of {self._dtype}: leave out what casts "
                f"it, or give dtype={found.dtype} to compute in that"
            )

    @staticmethod
    def _check_forward(call: Callable[..., Any], tree: Tree, x: Any, u: Any) -> None:
        """Refuse a step that has a derivative in reverse alone."""

        def push(p: Tree, x: Any, u: Any) -> Any:
            return jax.jvp(lambda x: call(p, x, u), (x,), (x,))[1]

        try:
            jax.jit(push).lower(tree, x, u)
        except TypeError as error:
            raise TypeError(
                f"`step` has no derivative that carries tangent vectors forward: {error}; give "
                "jax.custom_jvp what has a jax.custom_vjp"
            ) from error

    def with_params(self, params: Tree) -> Self:
        """Return the same system with other parameters, a tree of the same form."""
        other = copy.copy(self)
        other.params = rebuild(self.params, leaves(params))
        return other

    def _plain(self) -> Tree:
        return rebuild(self.params, [value(p) for p in leaves(self.params)])

    def _run(self, x: Array, inputs: Array | None, n_steps: int) -> JaxOrbit:
        return JaxOrbit(
            self._functions, self._plain(), x, inputs, n_steps, self.n_inputs, self._dtype
        )


def plain(params: Tree) -> Tree:
    """Return a tree of parameters as arrays of float64."""
    return rebuild(params, [validate.array("params", np.asarray(p)) for p in leaves(params)])
