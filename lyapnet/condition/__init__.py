"""Condition numbers of the long-term Jacobian, measured and predicted."""
