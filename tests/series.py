"""Series whose time averages are known exactly, to calibrate errors with."""

import numpy as np
from scipy.signal import lfilter

REPLICATIONS = 2000
# Nominal 95 % intervals shall hold the truth 92 to 98 times in 100. The binomial standard error of
# 2000 replications is 0.5 %, so a true coverage of 93.3 % or more fails once in 200 at most.
LEAST, MOST = 0.92, 0.98


def ar1(rng, rho, n, members=REPLICATIONS):
    """Stationary AR(1) with unit innovations: the mean is 0, exactly."""
    start = rng.standard_normal(members) / np.sqrt(1 - rho**2)
    noise = rng.standard_normal((n, members))
    return lfilter([1.0], [1.0, -rho], noise, axis=0, zi=(rho * start)[None])[0]


def moving_average(rng, weights, n):
    noise = rng.standard_normal((n + len(weights) - 1, REPLICATIONS))
    return sum(w * noise[i : i + n] for i, w in enumerate(weights))


def skew_tent(rng, a, n):
    """Growth of the skew tent map less its exponent: independent, two-valued."""
    growth = -np.log(np.where(rng.random((n, REPLICATIONS)) < a, a, 1 - a))
    return growth + a * np.log(a) + (1 - a) * np.log(1 - a)


def logistic(rng, n):
    """Growth of the logistic map at r = 4 less ln 2: zero asymptotic variance."""
    x = np.sin(np.pi * rng.random(REPLICATIONS) / 2) ** 2
    growth = np.empty((n, REPLICATIONS))
    for i in range(n):
        growth[i] = np.log(np.abs(4 - 8 * x)) - np.log(2)
        x = 4 * x * (1 - x)
    return growth
