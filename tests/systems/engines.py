"""The engines that there are."""

from lyapnet.systems.engine import missing

ENGINES = ["numpy"] if missing() else ["numpy", "compiled"]
