"""Other standard errors of a correlated mean, to compare lyapnet's with.

Each takes growth (n, m) and returns stderr (m,) and degrees of freedom (m,), as far as its
literature says; infinite where it prescribes the normal distribution.
"""

import numpy as np
from scipy.fft import dct

from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr


def cosines(x, count):
    return dct(x - x.mean(axis=0), type=2, axis=0, norm="ortho")[1 : count + 1] ** 2


def autocovariance(x):
    n = len(x)
    spectrum = np.abs(np.fft.rfft(x - x.mean(axis=0), 2 * n, axis=0)) ** 2
    return np.fft.irfft(spectrum, axis=0)[:n] / n


def first_correlation(x):
    d = x - x.mean(axis=0)
    return np.sum(d[1:] * d[:-1], axis=0) / np.sum(d**2, axis=0)


def normal(variance, n):
    return np.sqrt(np.maximum(variance, 0) / n), np.full(variance.shape, np.inf)


def lyapnet(x):
    return mean_and_stderr(x + 1.0, np.ones(len(x)))[1:]  # growth near zero gets wider intervals


def independent(x):
    """As if the blocks were independent."""
    return x.std(axis=0, ddof=1) / np.sqrt(len(x)), np.full(x.shape[1], len(x) - 1.0)


def batch_means(x, count):
    """Schmeiser (1982) advises 10 to 30 batches."""
    length = len(x) // count
    means = x[: length * count].reshape(count, length, -1).mean(axis=1)
    return means.std(axis=0, ddof=1) / np.sqrt(count), np.full(x.shape[1], count - 1.0)


def overlapping_batch_means(x):
    """Meketon and Schmeiser (1984), batches of √n, 1.5 times the degrees of plain ones."""
    n = len(x)
    b = int(np.sqrt(n))
    sums = np.cumsum(np.concatenate([np.zeros((1, x.shape[1])), x - x.mean(axis=0)]), axis=0)
    means = (sums[b:] - sums[:-b]) / b
    variance = n * b / ((n - b) * (n - b + 1)) * np.sum(means**2, axis=0)
    return np.sqrt(variance / n), np.full(x.shape[1], 1.5 * (n / b - 1))


def bartlett(x):
    """Newey and West (1994), with their automatic bandwidth."""
    n = len(x)
    gamma = autocovariance(x)
    lags = np.arange(int(4 * (n / 100) ** (2 / 9)) + 1)[:, None]
    s0 = gamma[0] + 2 * np.sum(gamma[1 : len(lags)], axis=0)
    s1 = 2 * np.sum(lags[1:] * gamma[1 : len(lags)], axis=0)
    width = 1.1447 * (np.square(s1 / s0) * n) ** (1 / 3)
    lag = np.arange(1, n)[:, None]
    weights = np.maximum(0.0, 1 - lag / (np.floor(width) + 1))
    return normal(gamma[0] + 2 * np.sum(weights * gamma[1:], axis=0), n)


def quadratic_spectral(x):
    """Andrews (1991), AR(1) plug-in."""
    n = len(x)
    gamma, rho = autocovariance(x), np.clip(first_correlation(x), -0.97, 0.97)
    width = np.maximum(1.3221 * (4 * rho**2 / (1 - rho) ** 4 * n) ** 0.2, 0.5)
    z = 6 * np.pi * np.arange(1, n)[:, None] / (5 * width)
    weights = 3 / z**2 * (np.sin(z) / z - np.cos(z))
    return normal(gamma[0] + 2 * np.sum(weights * gamma[1:], axis=0), n)


def flat_top(x):
    """Politis (2003): trapezoidal lag window, cut where the correlations are insignificant."""
    n = len(x)
    gamma = autocovariance(x)
    small = np.abs(gamma / gamma[0]) < 2 * np.sqrt(np.log10(n) / n)
    run = max(5, int(np.sqrt(np.log10(n))))
    quiet = np.all([small[i : n - run + i] for i in range(1, run + 1)], axis=0)
    cut = np.where(quiet.any(axis=0), quiet.argmax(axis=0), n // 4)
    lag = np.arange(1, n)[:, None] / np.maximum(2 * cut, 1)
    weights = np.clip(2 * (1 - lag), 0, 1)
    variance = gamma[0] + 2 * np.sum(weights * gamma[1:], axis=0)
    return normal(np.where(variance > 0, variance, gamma[0] / n), n)


def initial_monotone(x):
    """Geyer (1992): sums of neighbouring covariances, while positive and falling."""
    n = len(x)
    gamma = autocovariance(x)[: n // 2 * 2]
    pairs = gamma[::2] + gamma[1::2]
    kept = np.where(np.logical_and.accumulate(pairs > 0, axis=0), pairs, 0.0)
    return normal(2 * np.sum(np.minimum.accumulate(kept, axis=0), axis=0) - gamma[0], n)


def autoregression(x):
    """Spectral density at zero of the AR(p) that AIC selects (`coda`, spectrum0.ar)."""
    n = len(x)
    gamma = autocovariance(x)
    phi, innovation = np.zeros((0, x.shape[1])), gamma[0].copy()
    best, density = n * np.log(innovation), innovation.copy()
    for p in range(1, min(n - 1, int(10 * np.log10(n))) + 1):
        partial = (gamma[p] - np.sum(phi * gamma[p - 1 : 0 : -1], axis=0)) / innovation
        phi = np.concatenate([phi - partial * phi[::-1], partial[None]])
        innovation = innovation * (1 - partial**2)
        aic = n * np.log(innovation) + 2 * p
        better = aic < best
        best = np.where(better, aic, best)
        found = innovation * n / (n - p - 1) / (1 - phi.sum(axis=0)) ** 2
        density = np.where(better, found, density)
    return normal(density, n)


def log_regression(x):
    """Heidelberger and Welch (1981): a parabola through 25 log periodogram points."""
    n = len(x)
    power = cosines(x, min(50, (n - 1) // 2 * 2))
    logs = np.log((power[::2] + power[1::2]) / 2) + np.euler_gamma
    fit = np.linalg.pinv(np.vander(2 * np.arange(len(logs)) + 1.5, 3, increasing=True))[0]
    variance = np.pi**2 / 6 * np.sum(fit**2)
    return (
        np.sqrt(np.exp(fit @ logs - variance / 2) / n),
        np.full(x.shape[1], 2 / np.expm1(variance)),
    )


def cosine(x, count):
    """EWC with a fixed number of cosines."""
    count = min(count, len(x) - 1)
    power = cosines(x, count).mean(axis=0)
    return np.sqrt(power / len(x)), np.full(x.shape[1], float(count))


def prewhitened_cosine(x):
    """EWC of the residuals of an AR(1), recoloured; the error of ρ counts in the degrees."""
    n = len(x)
    rho = first_correlation(x)
    rho = np.clip(rho + (1 + 3 * rho) / n, -0.97, 0.99)
    d = x - x.mean(axis=0)
    residuals = d[1:] - rho * d[:-1]
    count = min(24, n - 2)
    density = cosines(residuals, count).mean(axis=0) / (1 - rho) ** 2
    return np.sqrt(density / n), 2 / (2 / count + 4 * (1 + rho) / ((1 - rho) * n))


RIVALS = {
    "lyapnet: EWC, flat bands and plug-in": lyapnet,
    "EWC, 8 cosines": lambda x: cosine(x, 8),
    "EWC, 24 cosines": lambda x: cosine(x, 24),
    "EWC, 0.4 n^(2/3) cosines": lambda x: cosine(x, max(1, int(0.4 * len(x) ** (2 / 3)))),
    "EWC, AR(1) prewhitened": prewhitened_cosine,
    "batch means, 10": lambda x: batch_means(x, 10),
    "batch means, 20": lambda x: batch_means(x, 20),
    "batch means, √n": lambda x: batch_means(x, int(np.sqrt(len(x)))),
    "overlapping batch means, √n": overlapping_batch_means,
    "Bartlett, Newey-West": bartlett,
    "quadratic spectral, Andrews": quadratic_spectral,
    "flat-top": flat_top,
    "initial monotone sequence": initial_monotone,
    "AR(p) by AIC": autoregression,
    "log periodogram regression": log_regression,
    "as if independent": independent,
}
