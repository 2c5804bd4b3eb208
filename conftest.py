"""What is not collected: the modules of packages that are not installed."""

from importlib.util import find_spec

collect_ignore_glob = [f"lyapnet/{name}/*" for name in ("torch", "jax") if find_spec(name) is None]
