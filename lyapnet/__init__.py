"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

__version__ = "0.1.0.dev0"
