"""Coverage of lyapnet's 95 % intervals, and of what else is in use.

python benchmarks/calibration.py            # all, some minutes: writes the table into docs/
python benchmarks/calibration.py --quick    # fewer replications, writes nothing
python benchmarks/calibration.py --part stopping  # one of the tables
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import t as student

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import series
from longrun_rivals import RIVALS
from series import ar1, moving_average, skew_tent

import lyapnet as ln
from lyapnet import catalog
from lyapnet.spectrum.uncertainty.batches import GrowthStatistics
from lyapnet.spectrum.uncertainty.drift import drift_pvalue
from lyapnet.spectrum.uncertainty.ensemble import pooled
from lyapnet.spectrum.uncertainty.estimate import LOOK_FACTOR, Estimate
from lyapnet.spectrum.uncertainty.stderr import linear_stderr, mean_and_stderr

MEAN = 1.0  # of series: growth near zero gets wider intervals, as no sign is settled by a few nats
COMMAND = "OMP_NUM_THREADS=1 python benchmarks/calibration.py"


def row(name, truth, estimate, *, length, exact="exact", **more):
    """Summarise intervals (replications,) for one truth."""
    low, high = estimate.confidence_interval()
    error = estimate.mean - truth
    finite = ~estimate.too_short
    scale = 1.96 * np.sqrt(np.mean(error**2))
    width = np.median(estimate.half_width()[finite]) / scale if finite.any() and scale else np.nan
    found = {
        "case": name,
        "truth": exact,
        "length": length,
        "replications": int(estimate.mean.size),
        "coverage": round(100 * float(np.mean((low <= truth) & (truth <= high))), 1),
        "width": None if np.isnan(width) else round(float(width), 2),
        "too_short": round(100 * float(np.mean(~finite)), 1),
        **more,
    }
    print({k: v for k, v in found.items() if k != "truth"}, flush=True)
    return found


def series_cases(rng, m):
    """Series with exact means: zero, before `MEAN` is added."""
    yield "independent, normal", rng.standard_normal((50, m))
    yield "skew tent map, a = 0.7 (independent)", skew_tent(rng, 0.7, 60)
    yield "exponential", rng.exponential(size=(60, m)) - 1
    yield "t with 3 degrees of freedom", rng.standard_t(3, (60, m))
    for rho in (-0.9, -0.5, 0.3, 0.5, 0.7, 0.9, 0.95):
        n = max(50, round(50 * (1 + rho) / (1 - rho)))
        yield f"AR(1) {rho:g}", ar1(rng, rho, n, m)
    yield "AR(1) 0.95", ar1(rng, 0.95, 7800, m)
    yield "moving average of 5", moving_average(rng, np.ones(5), 250)
    yield "MA(1) -0.8", moving_average(rng, [1, -0.8], 100)
    yield "MA(1) -0.8", moving_average(rng, [1, -0.8], 2000)
    slow = ar1(rng, 0.95, 1950, m) * np.sqrt(1 - 0.95**2)
    yield "AR(1) 0.95 in equal white noise", slow + rng.standard_normal(slow.shape)
    yield "AR(1) 0.95 in 9 times white noise", slow + 3 * rng.standard_normal(slow.shape)
    yield "AR(1) 0.9, worth 10 steps", ar1(rng, 0.9, 190, m)
    yield "AR(1) 0.95, worth 2 steps", ar1(rng, 0.95, 78, m)
    yield "AR(1) 0.999, worth 0.1 steps", ar1(rng, 0.999, 200, m)


def short_and_long(rng, m):
    rows = [
        row(name, MEAN, mean_and_stderr(x + MEAN, np.ones(len(x))), length=len(x))
        for name, x in series_cases(rng, m)
    ]
    for rho, n in ((0.5, 10**5), (0.95, 10**5), (0.95, 10**6)):
        statistics, members = GrowthStatistics(), m // 2
        state = rng.standard_normal(members) / np.sqrt(1 - rho**2)
        for _ in range(n // 10**4):
            chunk = rng.standard_normal((10**4, members))
            chunk[0] += rho * state
            for i in range(1, len(chunk)):
                chunk[i] += rho * chunk[i - 1]
            state = chunk[-1]
            statistics.update(chunk + MEAN, np.ones(len(chunk)))
        rows.append(row(f"AR(1) {rho:g}, streamed", MEAN, statistics.estimate(), length=n))
    return rows


def at_exponents(spectrum, i):
    return Estimate(spectrum.exponents[..., i], spectrum.stderr[..., i], spectrum.dof[..., i])


def exact_systems(rng, m):
    """Catalog systems with proved exponents, through `lyapunov_spectrum`."""
    cases = [
        ("cat map", catalog.cat(), 200),
        ("baker's map", catalog.baker(), 200),
        ("tent map", catalog.tent(), 200),
        ("skew tent map", catalog.skew_tent(), 60),
        ("skew tent map", catalog.skew_tent(), 1000),
        ("logistic map, r = 4", catalog.logistic(), 60),
        ("logistic map, r = 4", catalog.logistic(), 3000),
    ]
    rows = []
    for name, system, n in cases:
        x0 = 0.05 + 0.9 * rng.random((m, system.dim))
        spectrum = ln.lyapunov_spectrum(system, n, x0=x0, transient=200, qr_interval=1, rng=rng)
        for i, truth in enumerate(system.reference.exponents):
            label = f"{name}, λ{i + 1}" if system.dim > 1 else name
            rows.append(row(label, truth, at_exponents(spectrum, i), length=n))
    return rows


def reference_systems(rng, m):
    """Systems whose truth is a run far longer than the tested ones."""
    cell = ln.VanillaRNN.random(20, gain=3.0, rng=1)
    cases = [
        ("Hénon map", catalog.henon(), 0.2 * rng.random((m, 2)), (300, 3000), 20),
        (
            "Lorenz 1963",
            catalog.lorenz63(),
            rng.standard_normal((m // 4, 3)),
            (4000, 20_000, 100_000),
            2,
        ),
        ("chaotic network, N = 20", cell, rng.standard_normal((m // 4, 20)), (1000, 5000), 5),
    ]
    rows = []
    for name, system, x0, lengths, factor in cases:
        options = {"x0": x0, "transient": 2000, "basis_transient": 500, "rng": rng, "k": None}
        if name.startswith("chaotic"):
            options["k"] = 3
        long = ln.lyapunov_spectrum(system, factor * lengths[-1], record=False, **options)
        truth = long.exponents.mean(axis=0)
        if name.startswith("Lorenz"):
            truth[1] = 0.0
        for n in lengths:
            again = {**options, "x0": long.state, "transient": 100}
            spectrum = ln.lyapunov_spectrum(system, n, **again)
            for i, value in enumerate(truth):
                label = f"{name}, λ{i + 1}"
                rows.append(
                    row(label, value, at_exponents(spectrum, i), length=n, exact="long run")
                )
            if len(truth) == system.dim:
                rows += dimensions(name, spectrum, truth, n)
    return rows


def dimensions(name, spectrum, truth, n):
    """Delta-method errors of the dimension and the entropy."""
    from lyapnet.spectrum.dimension import entropy, kaplan_yorke_dimension

    durations = np.diff(spectrum.times, prepend=0.0)
    rows = []
    for what, function in (("dimension", kaplan_yorke_dimension), ("entropy", entropy)):
        value, gradient = function(spectrum.exponents)
        _, stderr, dof = linear_stderr(spectrum.log_growth, durations, gradient)
        estimate = Estimate(value, stderr, dof)
        rows.append(
            row(f"{name}, {what}", function(truth)[0], estimate, length=n, exact="long run")
        )
    return rows


def joined(estimates):
    return Estimate(*(np.concatenate(part) for part in zip(*estimates, strict=True)))


def ensembles(rng, m):
    """Pooled estimates, of replications in the place of exponents, in chunks that fit memory."""
    rows = []
    for members in (2, 3, 5, 20, 100, 1000):
        chunk = max(100, min(m, 100_000 // members))
        for kind in ("independent", "heterogeneous", "common input"):
            estimates = []
            for _ in range(max(1, min(m, 10 * chunk) // chunk)):
                x = ar1(rng, 0.5, 200, members * chunk).reshape(200, members, chunk)
                if kind == "heterogeneous":  # 3.5 times the error of a member
                    x += 0.5 * rng.standard_normal((members, chunk))
                elif kind == "common input":
                    x += ar1(rng, 0.5, 200, chunk)[:, None]
                estimates.append(pooled(x + MEAN, np.ones(200)))
            rows.append(row(f"{members} members, {kind}", MEAN, joined(estimates), length=200))
    return rows


def stopped(x, tol):
    """Return the estimates (m,) of runs that end as soon as they may, and their lengths."""
    looks = 12 * LOOK_FACTOR ** np.arange(40)
    final, length = np.full((3, x.shape[1]), np.nan), np.zeros(x.shape[1])
    for n in looks[looks <= len(x)].astype(int):
        estimate = mean_and_stderr(x[:n], np.ones(n))
        now = estimate.settled(tol) & (length == 0)
        final[:, now] = np.array(estimate)[:, now]
        length[now] = n
    return Estimate(*final[:, length > 0]), length


def stopping(rng, m):
    """Runs that end at the first look where the half-width is below the tolerance."""
    rows = []
    for rho in (0.0, 0.5, 0.8, 0.9, 0.95):
        unit = (1 + rho) / (1 - rho)
        runs = [MEAN + ar1(rng, rho, int(900 * unit), m // 4) for _ in range(8)]
        for worth in (20, 50, 100, 300):
            tol = 1.96 / (1 - rho) / np.sqrt(worth * unit)
            ends = [stopped(x, tol) for x in runs]
            lengths = np.concatenate([length for _, length in ends])
            estimate = joined([estimate for estimate, _ in ends])
            share = round(100 * float(np.mean(lengths > 0)), 1)
            length = int(np.median(lengths[lengths > 0]))
            name = f"AR(1) {rho:g}, tol worth {worth} steps"
            rows.append(row(name, MEAN, estimate, length=length, stopped=share))
    return rows


def drift(rng, m):
    """Rejections of the drift test where there is none."""
    found = []
    for name, x in series_cases(rng, m):
        p = drift_pvalue(x + MEAN, np.ones(len(x)))
        rejected = [round(100 * float(np.mean(p < a)), 1) for a in (0.05, 0.01)]
        found.append({"case": name, "length": len(x), "at_5": rejected[0], "at_1": rejected[1]})
    return found


def comparison(rng, m):
    """Coverage and relative width of the rivals."""
    cases = {
        "independent, 50": rng.standard_normal((50, m)),
        "skew tent, 60": skew_tent(rng, 0.7, 60),
        "AR 0.5, 150": ar1(rng, 0.5, 150, m),
        "AR 0.9, 950": ar1(rng, 0.9, 950, m),
        "AR 0.95, 1950": ar1(rng, 0.95, 1950, m),
        "AR -0.9, 50": ar1(rng, -0.9, 50, m),
        "MA(5), 250": moving_average(rng, np.ones(5), 250),
        "slow in noise, 1950": ar1(rng, 0.95, 1950, m) * np.sqrt(1 - 0.95**2)
        + rng.standard_normal((1950, m)),
        "logistic, 3000": series.logistic(rng, 3000),
        "AR 0.95, 400": ar1(rng, 0.95, 400, m),
    }
    table = []
    for name, rival in RIVALS.items():
        found = {"estimator": name}
        for case, x in cases.items():
            with np.errstate(all="ignore"):
                stderr, dof = rival(x)
                half = student.ppf(0.975, dof) * stderr
            error = x.mean(axis=0)
            width = np.median(half) / (1.96 * np.sqrt(np.mean(error**2)))
            found[case] = [
                round(100 * float(np.mean(np.abs(error) <= half)), 1),
                round(float(width), 2) if np.isfinite(width) else "inf",
            ]
        table.append(found)
        print(found, flush=True)
    return table


PARTS = (short_and_long, exact_systems, reference_systems, ensembles, stopping, drift, comparison)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 replications, no files")
    parser.add_argument("--part", choices=[part.__name__ for part in PARTS], help="this one alone")
    options = parser.parse_args()
    m = series.REPLICATIONS = 200 if options.quick else 2000
    data, start = ROOT / "docs" / "data" / "calibration.json", time.perf_counter()
    found = json.loads(data.read_text()) if data.exists() else {}
    for i, part in enumerate(PARTS):
        if options.part in (None, part.__name__):
            found[part.__name__] = part(np.random.default_rng([20, i]), m)
            found |= {"command": COMMAND, "look_factor": LOOK_FACTOR}
            if not options.quick:
                data.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"{time.perf_counter() - start:.0f} s")
    if not options.quick:
        from calibration_page import write

        write(found, ROOT / "docs")


if __name__ == "__main__":
    main()
