"""How far to trust an average over a run."""
