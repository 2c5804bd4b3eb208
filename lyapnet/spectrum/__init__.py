"""Lyapunov exponents, covariant vectors, and how far to trust them."""
