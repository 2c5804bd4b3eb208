"""The one loop: a trajectory with its tangent basis, forward and in reverse."""
