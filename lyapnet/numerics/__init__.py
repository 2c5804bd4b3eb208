"""What NumPy and autograd do not say by themselves."""
