"""Any function or module of PyTorch as a system with exponents."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
import torch

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import value
from ..systems.foreign import ForeignSystem
from .function import StepFunction, cast
from .orbit import Functions, TorchOrbit


class System(ForeignSystem):
    r"""A step written in PyTorch: whatever lyapnet does with a cell, it does with this.

    .. math:: h_{s+1} = f(h_s, u_{s+1}; \theta)

    Tangent vectors go through it in forward mode, cotangents in reverse mode, k at a time;
    no Jacobian is formed. States, parameters and results are NumPy arrays of ``float64``, and
    the step is evaluated in that precision, whatever the module's.

    Parameters
    ----------
    step : callable or Module
        ``step(h, u)``, without inputs ``step(h)``, with a mapping of parameters
        ``step(h, u, params)``: tensors of one state ``(n,)`` and one input ``(m,)``; a step that
        takes nothing but batches gets a batch of one. The state comes first, unlike in PyTorch's
        own cells, for which there is `from_module`.
    dim : int
        Dimension n of the state. Parts of it, such as h and c of an LSTM or the real and
        imaginary part of a complex one, lie side by side.
    n_inputs : int, optional
        Dimension m of the input u.
    params : Module or mapping of str to tensor, optional
        The module whose parameters the step uses; not needed where `step` is a module or a
        method of one. Parameters that require no gradient are constants, and so are buffers.
        They are read when a run begins, as the module has them then, until others are given by
        `with_params`.
    dt : float, optional
        Time that a step takes.
    dtype : torch.dtype, optional
        To evaluate the step in, ``torch.float64`` if left out.

    Attributes
    ----------
    params : dict of str to array
        Under the module's names: what `floss` changes, and what exponents are differentiable in.
        A copy: `store` writes it into the module.

    Raises
    ------
    ValueError
        If the step does not return a state, or draws at random: dropout needs ``.eval()``.
    TypeError
        If the step fails on a state of zeros, or names its arguments in PyTorch's order, such as
        ``forward(input, hx)``.

    Notes
    -----
    The step is traced at its first use, for each shape of its arguments, and again where what it
    finds around itself has changed; a step with branches that depend on values is not, and takes
    several times as long. A module on another device is copied to the CPU, and evaluated there.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> import lyapnet as ln
    >>> import lyapnet.torch as lt
    >>> _ = torch.manual_seed(0)
    >>> linear = torch.nn.Linear(8, 8)
    >>> system = lt.System(lambda h: torch.tanh(linear(h)), 8, params=linear)
    >>> system
    lyapnet.torch.System(dim=8, n_inputs=0)
    >>> ln.lyapunov_spectrum(system, 200, k=2, x0=np.ones(8), rng=0).exponents.shape
    (2,)
    """

    _functions: Functions
    framework = "PyTorch"

    def __init__(
        self, step: Any, dim: int, *, n_inputs: int = 0, params: Any = None, dt: float = 1.0,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        if not callable(step):
            raise TypeError(f"`step` must be a function or module, got {step!r}")
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.dt = validate.real("dt", dt, positive=True)
        dtype = torch.float64 if dtype is None else dtype
        if dtype not in (torch.float64, torch.float32, torch.float16):
            raise TypeError(
                f"`dtype` must be a real type that NumPy has, such as torch.float64, got {dtype!r}"
            )
        self._step = StepFunction(step, self.dim, self.n_inputs, params, dtype)
        #: Parameters of its own, where it does not follow the module.
        self._own: Any = None
        self._functions = Functions(self._step)

    def with_params(self, params: Any) -> Self:
        """Return the same system with other parameters.

        Parameters
        ----------
        params : dict of str to array
            All names of `params`, traced by autograd or not.
        """
        known = self._step.names
        given = sorted(params.keys()) if hasattr(params, "keys") else params
        if given != known:
            raise ValueError(f"`params` must have exactly the keys {known}, got {given}")
        other = copy.copy(self)
        other._own = {name: params[name] for name in known}
        return other

    @property
    def params(self) -> Any:
        """Parameters by name: its own, or those that the module has by now."""
        return (self._step.current() or None) if self._own is None else self._own

    def as_it_is(self) -> Self:
        """Return the same system with parameters that stay; see `lyapnet.System.as_it_is`."""
        return self.current() if self._own is None else self

    @property
    def module(self) -> Any:
        """The module whose parameters the step uses, None if there is none."""
        return self._step.module

    def current(self) -> Self:
        """Return the same system with the parameters that the module has by now, and keeps."""
        return self.with_params(self._step.current()) if self._step.names else self

    def store(self) -> None:
        """Write the parameters into the module (or the tensors) that the system was made of.

        So a network that was flossed here goes on there: ``ln.floss(system, ...).cell.store()``.
        """
        self._step.store(self._plain())

    def tensors(self) -> dict[str, Any]:
        """Return the parameters as tensors that PyTorch differentiates in, as they are now."""
        found = self._step.all()
        return {
            name: cast(torch.as_tensor(found[name]), torch.float64) for name in self._step.names
        }

    def _plain(self) -> dict[str, Array]:
        return {name: np.asarray(value(x), dtype=float) for name, x in (self.params or {}).items()}

    def _run(self, x: Array, inputs: Array | None, n_steps: int) -> TorchOrbit:
        return TorchOrbit(self._functions, self._plain(), x, inputs, n_steps)
