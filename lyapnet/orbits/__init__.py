"""Single orbits and their neighbours: regular or chaotic, fixed points, cycles, flow maps."""
