"""What long runs need: checkpoints, progress, sweeps."""
