"""Gradients that are not longer than allowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Params


def checked_clip(clip_norm: Any) -> Any:
    """Return a `clip_norm` that is None, a number, or ("global", number)."""
    if clip_norm is None:
        return None
    if isinstance(clip_norm, tuple) or clip_norm == "global":
        if len(clip_norm) != 2 or clip_norm[0] != "global":
            raise ValueError(
                '`clip_norm` must be a number or ("global", number), such as ("global", 1.0); got '
                f"{clip_norm!r}"
            )
        return ("global", validate.real("clip_norm", clip_norm[1], positive=True))
    return validate.real("clip_norm", clip_norm, positive=True)


def clipped(grads: Params, clip_norm: Any) -> Params:
    """Return gradients of at most the norm that `clip_norm` allows, each or all together."""
    if clip_norm is None:
        return grads
    together = isinstance(clip_norm, tuple)
    most = clip_norm[1] if together else clip_norm
    norms = {name: math.sqrt(np.vdot(g, g)) for name, g in grads.items()}
    if together:
        norms = dict.fromkeys(norms, math.hypot(*norms.values()))
    return {
        name: g * (most / norms[name]) if norms[name] > most else g for name, g in grads.items()
    }
