"""What holds for every test: one profile of hypothesis, and no global state changed."""

import os
import sys

import numpy as np
import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"  # as Matplotlib spells it itself: a test may choose it again

#: A user's script, for the type checkers alone.
collect_ignore = ["typed"]

# A shared machine has no deadlines; in CI the examples are the same on every run.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def global_state():
    """Return what lyapnet promises to leave alone, as far as it is loaded."""
    kind, key, *rest = np.random.get_state()  # noqa: NPY002 - the legacy generator is meant
    state = {"numpy.random": (kind, key.tobytes(), *rest), "numpy.geterr": np.geterr()}
    if "mpmath" in sys.modules:
        context = sys.modules["mpmath"].mp
        state["mpmath.mp"] = (context.prec, context.pretty)
    if "flint" in sys.modules:
        context = sys.modules["flint"].ctx
        state["flint.ctx"] = (context.prec, context.pretty)
    if "matplotlib" in sys.modules:
        state["matplotlib.rcParams"] = dict(sys.modules["matplotlib"].rcParams)
    return state


@pytest.fixture(autouse=True)
def no_global_state_changed():
    """Fail a test, whatever it tests, that leaves global state behind; close its figures."""
    before = global_state()
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    after = global_state()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"changed and not put back: {', '.join(changed)}"
