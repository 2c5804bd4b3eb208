"""Benettin's loop over an ensemble, compiled and independent of lyapnet's own.

The derivative of a step along a tangent vector is a central difference of the whole step, good
to nine digits or so: growth for statistics, not exponents for a table.
"""

import numpy as np
from numba import njit


def compiled_step(system):
    """Return ``step(x, out, work)``, a step of the map, or of classical Runge-Kutta."""
    n, dt = system.dim, system.dt
    part = njit(system.function, inline="never")
    targets = "".join(f"out[{i}], " for i in range(n))
    arguments = ", ".join(f"x[{i}]" for i in range(n))
    names: dict = {"f": part}
    exec(f"def call(x, out):\n    {targets} = f({arguments})", names)
    call = njit(names["call"])
    if not dt:

        @njit
        def step(x, out, work):
            call(x, out)

        return step

    @njit
    def step(x, out, work):
        k1, k2, k3, k4, y = work
        call(x, k1)
        for i in range(n):
            y[i] = x[i] + 0.5 * dt * k1[i]
        call(y, k2)
        for i in range(n):
            y[i] = x[i] + 0.5 * dt * k2[i]
        call(y, k3)
        for i in range(n):
            y[i] = x[i] + dt * k3[i]
        call(y, k4)
        for i in range(n):
            out[i] = x[i] + dt / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i])

    return step


@njit
def growth_of(step, wrapped, x, Q, n_blocks, per_block, every, growth):
    """Run members x (M, n) with tangent vectors Q (M, k, n); fill growth (n_blocks, M, k)."""
    members, n = x.shape
    k = Q.shape[1]
    work = np.empty((5, n))
    new, up, down = np.empty(n), np.empty(n), np.empty(n)
    h = 1e-6
    for m in range(members):
        for b in range(n_blocks):
            for j in range(k):
                growth[b, m, j] = 0.0
            for s in range(1, per_block + 1):
                step(x[m], new, work)
                for j in range(k):
                    for i in range(n):
                        up[i] = x[m, i] + h * Q[m, j, i]
                        down[i] = x[m, i] - h * Q[m, j, i]
                    step(up, up, work)
                    step(down, down, work)
                    for i in range(n):
                        d = up[i] - down[i]
                        if wrapped > 0.0:  # a map of the circle: across the seam
                            d -= wrapped * np.round(d / wrapped)
                        Q[m, j, i] = d / (2.0 * h)
                for i in range(n):
                    x[m, i] = new[i]
                if s % every and s < per_block:
                    continue
                for j in range(k):  # modified Gram-Schmidt
                    for m2 in range(j):
                        dot = 0.0
                        for i in range(n):
                            dot += Q[m, m2, i] * Q[m, j, i]
                        for i in range(n):
                            Q[m, j, i] -= dot * Q[m, m2, i]
                    norm = 0.0
                    for i in range(n):
                        norm += Q[m, j, i] ** 2
                    norm = np.sqrt(norm)
                    growth[b, m, j] += np.log(norm)
                    for i in range(n):
                        Q[m, j, i] /= norm
