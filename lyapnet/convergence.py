"""Whether a run has converged: error bars, running estimates, drift and agreement."""

from .longrun import Estimate, mean_and_stderr

__all__ = ["Estimate", "mean_and_stderr"]
