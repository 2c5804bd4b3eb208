"""Exponents of systems in print: published, independent, measured, with error bars and verdicts.

Measured by `lyapunov_spectrum` on an ensemble, pooled. Independent is a compiled loop of its own,
with central differences for derivatives (`growth_loop`).

    python benchmarks/published_exponents.py           # resumes; writes its data, and the page
    python benchmarks/published_exponents.py --quick   # three systems, writes nothing
    python benchmarks/published_exponents.py --again   # measures what is there, too
    python benchmarks/published_exponents.py --page    # the page alone
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from coverage_growth import Loop
from published import EXACT, SYSTEMS, Published
from published_page import write

import lyapnet as ln

DATA = ROOT / "benchmarks" / "data" / "published_exponents.json"
MEMBERS = 64
TIME = 500.0  # of each member of a flow
STEPS = 5000  # of each member of a map, half of those of a flow at most


def of_catalog() -> list[tuple[str, object]]:
    """Return the systems of the catalog that carry exponents, by name."""
    made = (getattr(ln.catalog, name)() for name in ln.catalog.__all__ if name[0].islower())
    return [(f"catalog: {system.name}", system) for system in made if system.reference is not None]


def summary(spectrum: ln.Spectrum, system: object) -> dict:
    pooled = spectrum.pooled()
    low, high = pooled.confidence_interval()
    diagnosis = spectrum.diagnose()
    return {
        "measured": [float(f"{v:.7g}") for v in pooled.exponents],
        "half_width": [float(f"{v:.2g}") for v in (high - low) / 2],
        "verdict": diagnosis.verdict,
        "members": int(np.prod(spectrum.exponents.shape[:-1])),
        "steps": spectrum.settings["n_steps"],
        "dt": float(system.dt),
    }


def run(system: object, x0: np.ndarray, n_steps: int, k: int | None = None) -> ln.Spectrum:
    transient = min(n_steps // 4, 5000)
    return ln.lyapunov_spectrum(
        system, n_steps, k=k, x0=x0, transient=transient, basis_transient=transient // 2,
        record=False, rng=0,
    )  # fmt: skip


def starts(system: Published) -> np.ndarray:
    """Return an ensemble on the attractor; of a regular orbit, one start."""
    if system.kind == "regular":
        return np.array([system.start])
    return Loop(system, MEMBERS, 1).x


def measured(system: Published) -> dict:
    """Measure a system of `published` by lyapnet and by the loop."""
    field = system.vectorized()
    if system.dt:
        tested = ln.Flow(field, system.dim, dt=system.dt, vectorized=True)
        n_steps = int(min(TIME / system.dt, 2 * STEPS))
    else:
        tested = ln.Map(field, system.dim, vectorized=True)
        n_steps = STEPS
    found = summary(run(tested, starts(system), n_steps), tested)
    loop = Loop(system, 1 if system.kind == "regular" else MEMBERS, system.dim)
    growth = loop.run(max(1, n_steps // 10), 10)
    per_time = 10 * (system.dt or 1.0)
    independent = np.sort(growth.mean(axis=(0, 1)) / per_time)[::-1]
    return {
        "kind": system.kind,
        "published": list(system.exponents),
        "digits": None if system.source == EXACT else system.digits,
        "source": system.source if system.exponents else "",
        "independent": [float(f"{v:.6g}") for v in independent],
        **found,
    }


def measured_of_catalog(system: object) -> dict:
    """Measure a system of the catalog; its reference is what is published, or proved."""
    rng = np.random.default_rng(0)
    x0 = system._initial + 1e-3 * rng.standard_normal((8, system.dim))
    spectrum = run(system, x0, 5000, k=min(system.dim, len(system.reference.exponents), 10))
    return {
        "kind": "catalog",
        "published": list(system.reference.exponents),
        "digits": None if system.reference.exact else 4,
        "uncertainty": list(system.reference.uncertainty),
        "source": system.reference.source,
        "independent": [],
        **summary(spectrum, system),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three systems, no files")
    parser.add_argument("--page", action="store_true", help="write the page of what is there")
    parser.add_argument("--again", action="store_true", help="measure what is there, too")
    options = parser.parse_args()
    if options.page:
        write(ROOT)
        return
    done = {} if options.quick or not DATA.exists() else json.loads(DATA.read_text())
    quick = ("Hénon map", "standard map, K = 0.5", "Kaplan-Yorke map")
    jobs = [(s.name, s, measured) for s in SYSTEMS]
    jobs += [(name, system, measured_of_catalog) for name, system in of_catalog()]
    for name, system, measure in sorted(jobs, key=lambda job: job[0] in done):  # new ones first
        if (name in done and not options.again) or (options.quick and name not in quick):
            continue
        start = time.process_time()
        try:
            done[name] = measure(system)
        except (FloatingPointError, ln.LyapnetError) as error:  # tried again by the next call
            print(f"left out: {name}: {error}", flush=True)
            continue
        done[name]["seconds"] = round(time.process_time() - start, 1)
        print(name, json.dumps(done[name], ensure_ascii=False), flush=True)
        if not options.quick:
            done = {job[0]: done[job[0]] for job in jobs if job[0] in done}  # as they are listed
            DATA.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n")
    if not options.quick:
        write(ROOT)


if __name__ == "__main__":
    main()
