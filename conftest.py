"""What is not collected: modules of packages that are not installed; what tests do without."""

import os
import sys
from importlib.util import find_spec

# As if these were not installed.
for name in os.environ.get("LYAPNET_TEST_WITHOUT", "").split():
    sys.modules[name] = None

collect_ignore_glob = [f"lyapnet/{name}/*" for name in ("torch", "jax") if find_spec(name) is None]
if find_spec("numba") is None:
    collect_ignore_glob += ["lyapnet/compiled/*", "lyapnet/*/*compiled*.py", "tests/called.py"]
