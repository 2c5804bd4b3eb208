"""How far a run is: bars for the eye, and what a callback is told after each epoch."""

from __future__ import annotations

from typing import Any

import numpy as np


def progress_bar(total: int, *, show: bool, unit: str, **options: Any) -> Any:
    """Return a bar of tqdm, for a terminal or for Jupyter; one that does nothing unless shown.

    tqdm is loaded here, not with lyapnet: its notebook form looks for Jupyter's widgets.
    """
    if not show:
        from tqdm.std import tqdm
    else:
        from tqdm.auto import tqdm
    return tqdm(total=total, disable=not show, unit=unit, leave=False, **options)


def asks_to_stop(returned: Any) -> bool:
    """Say whether a callback has returned True: nothing else that it may return counts."""
    return isinstance(returned, bool | np.bool_) and bool(returned)
