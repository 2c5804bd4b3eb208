"""Whether flossing has met its target, and if not, why."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from .window import Window

#: Epochs that are judged, each half by itself: a mean does not fluctuate as single windows
#: do, and two do not agree while the exponents are only passing by.
_JUDGED = 10

#: How far from its target an exponent may stay for the verdict, where no `tol` is given.
_CLOSE = 0.05

#: A loss falls if at its pace it would vanish within three times the epochs done.
_FALLING = 0.92


def _distance(lam: Array, window: Window) -> Array:
    """Return how far each counted exponent is from its target: the worse of two means."""
    halves = lam[-_JUDGED:].reshape(2, _JUDGED // 2, *lam.shape[1:]).mean(axis=1)
    return np.abs(halves - window.goal).max(axis=0)[..., window.each > 0]


def _rise(window: Window) -> float:
    """Return by how much the targets rise at most from an exponent to a later one, both counted."""
    goal = window.goal[window.each > 0]
    return float((goal - np.minimum.accumulate(goal)).max())


def is_met(lam: Array, window: Window, tol: float) -> bool:
    """Say whether every counted exponent is within `tol` of its target."""
    return len(lam) >= _JUDGED and bool((_distance(lam, window) < tol).all())


def verdict_of(lam: Array, loss: Array, window: Window, tol: float | None) -> tuple[bool, str]:
    """Say in words whether the target was met, and if not, whether it still might be."""
    close = _CLOSE if tol is None else tol
    n = len(lam)
    if n < _JUDGED:
        done = "1 epoch is" if n == 1 else f"{n} epochs are"
        return False, f"not judged: {done} too few, the verdict takes {_JUDGED}"
    if is_met(lam, window, close):
        return True, f"target met after {n} epochs: every exponent is within {close:g} of it"
    distance = _distance(lam, window)
    worst = np.unravel_index(int(np.argmax(distance)), distance.shape)
    i = int(np.flatnonzero(window.each > 0)[worst[-1]])
    at, goal = float(lam[-_JUDGED:].mean(axis=0)[(*worst[:-1], i)]), float(window.goal[i])
    text = (
        f"target not met after {n} epochs: exponent {i + 1} of {lam.shape[-1]} is at {at:.3g}, its "
        f"target is {goal:.3g}"
    )
    if _rise(window) > 2 * close:
        return False, (
            f"{text}; targets that rise along the exponents cannot be met, for these fall from the "
            "first to the last: give the targets in descending order"
        )
    quarter = max(n // 4, 1)
    now, before = loss[-quarter:].mean(), loss[-2 * quarter : -quarter].mean()
    if n < 4 * _JUDGED or now < _FALLING * before:
        return False, f"{text}, and the loss is still falling; run more epochs"
    if goal > 0 and at < goal:
        return False, (
            f"{text}, and the loss has stopped falling; a positive exponent needs chaos, which a "
            "saturating network hardly reaches by this gradient: start from a larger gain, or "
            "choose a target of at most 0"
        )
    return False, (
        f"{text}, and the loss has stopped falling; a longer window fluctuates less, a smaller "
        "learning rate settles closer, and fewer exponents are easier to meet"
    )
