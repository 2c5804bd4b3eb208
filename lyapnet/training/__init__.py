"""Training of networks, with flossing before it and in between."""
