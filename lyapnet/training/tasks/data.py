"""Tasks made of data: arrays of one's own, digits, text."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from ..losses import as_weights
from .task import Task


class Sequences(Task):
    """Mini-batches of one's own sequences.

    Parameters
    ----------
    inputs : array (T, S, m)
        S sequences of T steps, time first.
    targets : array (T, S, p)
    mask : array (T,) or (T, S), optional
        Which steps count, or how much each does; all if left out. ``numpy.arange(T) == T - 1`` for
        the last alone.
    loss : {"squared_error", "cross_entropy", "softmax"} or callable, optional
    validation : float, optional
        Fraction of the sequences that is left out of the batches.
    rng : None, int or Generator, optional
        For the split.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> x = np.random.default_rng(0).standard_normal((20, 100, 2))
    >>> task = ln.tasks.Sequences(x, np.cumsum(x, axis=0), validation=0.2, rng=0)
    >>> task.sample(20, 16, rng=0)[0].shape, task.held_out()[0].shape
    ((20, 16, 2), (20, 20, 2))
    """

    def __init__(
        self,
        inputs: Any,
        targets: Any,
        mask: Any = None,
        *,
        loss: Any = "squared_error",
        validation: float = 0.0,
        rng: Any = None,
    ) -> None:
        u = validate.array("inputs", inputs, least=3)
        y = validate.array("targets", targets, least=3)
        if u.ndim != 3 or y.ndim != 3 or u.shape[:2] != y.shape[:2]:
            raise ValueError(
                "`inputs` and `targets` must have shapes (T, S, m) and (T, S, p), got "
                f"{u.shape} and {y.shape}"
            )
        T, S = u.shape[:2]
        weights = np.ones((T, 1)) if mask is None else as_weights(mask, (T, S))
        self._mask = np.broadcast_to(weights, (T, S))
        self._inputs, self._targets = u, y
        self.n_inputs, self.n_outputs = u.shape[2], y.shape[2]
        self.loss = loss
        self.delay = T - 1
        validation = validate.real("validation", validation, low=0.0)
        out = round(validation * S)
        if out >= S:
            raise ValueError(f"`validation` must leave sequences to learn from, got {validation}")
        order = validate.generator(rng).permutation(S) if out else np.arange(S)
        self._held, self._used = order[:out], order[out:]

    def __repr__(self) -> str:
        T, S = self._inputs.shape[:2]
        return f"{type(self).__name__}(n_steps={T}, n_sequences={S})"

    def sample(self, n_steps: int, batch_size: int, rng: Any = None) -> tuple[Array, Array, Array]:
        """Draw sequences, each as often as it comes; `n_steps` must be that of the data."""
        n_steps, batch_size = self._checked(n_steps, batch_size)
        if n_steps != self.length:
            raise ValueError(f"`n_steps` must be {self.length}, that of the data; got {n_steps}")
        drawn = validate.generator(rng).integers(len(self._used), size=batch_size)
        return self._picked(self._used[drawn])

    def held_out(self) -> tuple[Array, Array, Array] | None:
        """Return inputs, targets and mask of the sequences left out; None if there are none."""
        return self._picked(self._held) if len(self._held) else None

    def _picked(self, which: Array) -> tuple[Array, Array, Array]:
        return self._inputs[:, which], self._targets[:, which], self._mask[:, which]


class SequentialDigits(Sequences):
    """Tell handwritten digits that are read pixel by pixel: 64 steps, 10 classes.

    The 1797 digits of 8 by 8 pixels that come with scikit-learn, a fifth of them held out.

    Parameters
    ----------
    permuted : bool, optional
        Read the pixels in a fixed random order, so that neighbours are far apart.
    rng : None, int or Generator, optional
        For that order and the split; 0 if left out, so that all have the same.

    Raises
    ------
    ImportError
        Without scikit-learn: ``pip install scikit-learn``.
    """

    def __init__(self, permuted: bool = False, *, rng: Any = 0) -> None:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise ImportError("the digits need scikit-learn: `pip install scikit-learn`") from None
        rng = validate.generator(rng)
        images, labels = load_digits(return_X_y=True)
        pixels = images.T / 16.0
        if permuted:
            pixels = pixels[rng.permutation(len(pixels))]
        T, S = pixels.shape
        targets = np.zeros((T, S, 10))
        targets[-1] = np.eye(10)[labels]
        super().__init__(
            pixels[..., None], targets, np.arange(T) == T - 1, loss="softmax", validation=0.2,
            rng=rng,
        )  # fmt: skip
        self.permuted = validate.flag("permuted", permuted)

    @property
    def chance(self) -> float:
        """A tenth."""
        return 0.1

    def __repr__(self) -> str:
        return f"SequentialDigits(permuted={self.permuted})"


class Characters(Task):
    """Predict the next character of a text.

    Parameters
    ----------
    text : str, optional
        The interpreter's own documentation of its builtins if left out.
    validation : float, optional
        Fraction at the end of the text that is held out.
    most : int, optional
        Number of different characters; all others are one more.

    Examples
    --------
    >>> import lyapnet as ln
    >>> task = ln.tasks.Characters("abracadabra" * 20)
    >>> task.n_inputs, task.characters
    (6, 'abcdr')
    >>> u, y, _ = task.sample(4, 1, rng=0)
    >>> task.read(u[:, 0]), task.read(y[:, 0])
    ('abra', 'brac')
    """

    loss = "softmax"

    def __init__(self, text: str | None = None, *, validation: float = 0.1, most: int = 60) -> None:
        text = _builtin_text() if text is None else str(text)
        if len(text) < 100:
            raise ValueError(f"`text` must have at least 100 characters, got {len(text)}")
        most = validate.integer("most", most, low=2)
        kinds, counts = np.unique(list(text), return_counts=True)
        #: The characters that have a line of their own, in their order.
        self.characters = "".join(sorted(kinds[np.argsort(-counts, kind="stable")][:most]))
        number = {c: i for i, c in enumerate(self.characters)}
        codes = np.array([number.get(c, len(number)) for c in text])
        validation = validate.real("validation", validation, low=0.0)
        if validation > 0.5:
            raise ValueError(f"`validation` must be at most a half, got {validation}")
        end = len(codes) - round(validation * len(codes))
        self._codes, self._held = codes[:end], codes[end:]
        self.n_inputs = self.n_outputs = len(number) + 1

    def __repr__(self) -> str:
        return f"Characters(length={len(self._codes)}, n_inputs={self.n_inputs})"

    def sample(self, n_steps: int, batch_size: int, rng: Any = None) -> tuple[Array, Array, Array]:
        """Draw pieces of the text."""
        n_steps, batch_size = self._checked(n_steps, batch_size)
        if n_steps >= len(self._codes):
            raise ValueError(f"`n_steps` must be less than the text's {len(self._codes)}")
        starts = validate.generator(rng).integers(0, len(self._codes) - n_steps, batch_size)
        return self._pieces(self._codes, starts, n_steps)

    def _pieces(self, codes: Array, starts: Array, n_steps: int) -> tuple[Array, Array, Array]:
        at = np.arange(n_steps + 1)[:, None] + starts
        one_hot = np.eye(self.n_inputs)[codes[at]]
        return one_hot[:-1], one_hot[1:], np.ones(n_steps, dtype=bool)

    def held_out(self, n_steps: int = 100) -> tuple[Array, Array, Array] | None:
        """Return pieces of the text that was held out, side by side; None if there is none."""
        count = (len(self._held) - 1) // n_steps
        if count < 1:
            return None
        return self._pieces(self._held, n_steps * np.arange(count), n_steps)

    def read(self, lines: Array) -> str:
        """Return the text of lines ``(T, n_inputs)``, the largest being on."""
        shown = [*self.characters, "\N{REPLACEMENT CHARACTER}"]
        return "".join(shown[i] for i in np.argmax(lines, axis=-1))


def _builtin_text() -> str:
    """Return the documentation that the interpreter carries of its builtins."""
    import builtins

    found = []
    for name in sorted(dir(builtins)):
        thing = getattr(builtins, name)
        own = sorted(vars(thing)) if isinstance(thing, type) else []
        things = [thing, *(getattr(thing, y, None) for y in own)]
        found += [getattr(x, "__doc__", None) for x in things]
    return "\n".join(dict.fromkeys(text for text in found if isinstance(text, str)))
