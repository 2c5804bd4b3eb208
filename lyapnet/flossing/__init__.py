"""Gradient flossing: exponents as an objective."""
