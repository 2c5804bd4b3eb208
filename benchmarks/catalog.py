"""All systems of the catalog: published and measured exponents, error bars and time.

Run it to measure what is not yet in docs/data/catalog.json, and to write the table of
docs/validation/catalog.md:

    OMP_NUM_THREADS=1 python benchmarks/catalog.py [NAME ...]

Names measure these again, and "all" all of them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import lyapnet as ln
from lyapnet.systems.integrators import CONTROLLED

ROOT = Path(__file__).parents[1]
DATA = ROOT / "docs" / "data" / "catalog.json"
PAGE = ROOT / "docs" / "validation" / "catalog.md"
BEGIN, END = "<!-- table -->", "<!-- end -->"

MEMBERS = 8

#: Exponents in the table.
SHOWN = 4

#: Averaged steps of a member where they are not what `steps_of` says.
STEPS = {
    "burgers": 20_000,
    "chen": 500_000,
    "robertson": 400,
    "oregonator": 4000,
    "lorenz96": 6000,
    "rate_network": 2000,
    "jansen_rit": 20_000,
    "hodgkin_huxley": 20_000,
    "double_pendulum": 20_000,
    "mackey_glass": 40_000,
    "ikeda_delay": 8000,
    "linear_delay": 4000,
}

#: Options with which a system is measured.
OPTIONS = {"robertson": {"dt": 1e9}, "mackey_glass": {"n": 60, "delay": 31.8}}


def steps_of(system: Any) -> int:
    """Return the steps of a member: of a flow those of 1000 units of time, 100 000 at most."""
    if isinstance(system, ln.NoisyFlow):
        return 20_000
    return min(100_000, round(1000 / system.dt)) if isinstance(system, ln.Flow) else 100_000


def measure(name: str) -> dict[str, object]:
    system = getattr(ln.catalog, name)(**OPTIONS.get(name, {}))
    reference = system.reference
    single = getattr(system, "method", "") in CONTROLLED or name in ("linear_flow", "pendulum")
    known = 0 if reference is None else len(reference.exponents)
    k = min(system.dim, max(known, SHOWN))
    n_steps = STEPS.get(name, steps_of(system))
    rng = np.random.default_rng(0)
    start = system.default_state(rng)
    if not single:
        start = start + 1e-3 * rng.standard_normal((MEMBERS, system.dim))

    def run(n_steps: int) -> ln.Spectrum:
        return ln.lyapunov_spectrum(system, n_steps, k=k, x0=start, record=False, rng=1)

    run(200)  # compiles, if so few steps are worth it
    began = time.process_time()
    p = run(n_steps).pooled()
    seconds = time.process_time() - began
    low, high = p.confidence_interval()
    return {
        "title": system.name,
        "options": OPTIONS.get(name, {}),
        "dim": system.dim,
        "reference": None if reference is None else list(reference.exponents),
        "uncertainty": None if reference is None else list(reference.uncertainty),
        "exact": None if reference is None else reference.exact,
        "source": "" if reference is None else reference.source,
        "measured": p.exponents.tolist(),
        "half": ((high - low) / 2).tolist(),
        "members": 1 if single else MEMBERS,
        "n_steps": n_steps,
        "dt": system.dt,
        "seconds": seconds,
    }


def number(x: float, half: float | None = None) -> str:
    """Write a number with its half-width in units of the last digit."""
    if not np.isfinite(x):
        return "−∞"
    if half is None or not np.isfinite(half):
        return f"{x:.5g}"
    digits = int(np.clip(1 - np.floor(np.log10(max(half, 1e-9))), 0, 6))
    unit = 10.0**-digits
    return f"{x:.{digits}f}({max(1, int(np.ceil(half / unit)))})"


def table(data: dict[str, dict[str, object]]) -> str:
    lines = [
        "| system | dimension | reference | measured | seconds |",
        "| --- | ---: | --- | --- | ---: |",
    ]
    for name in sorted(data):
        d = data[name]
        known = "" if d["reference"] is None else ", ".join(map(number, d["reference"][:SHOWN]))
        if known:
            known += " (exact)" if d["exact"] else ""
        found = ", ".join(map(number, d["measured"][:SHOWN], d["half"][:SHOWN]))
        more = ", …" if len(d["measured"]) > SHOWN or d["dim"] > SHOWN else ""
        options = ", ".join(f"{key}={value:g}" for key, value in d["options"].items())
        title = f"`{name}{options and f'({options})'}`: {d['title']}"
        lines.append(f"| {title} | {d['dim']} | {known} | {found}{more} | {d['seconds']:.2g} |")
    return "\n".join(lines)


def main(names: list[str]) -> None:
    data = json.loads(DATA.read_text()) if DATA.exists() and names != ["all"] else {}
    everything = [name for name in ln.catalog.__all__ if name.islower()]
    for name in everything:
        if name in data and name not in names:
            continue
        data[name] = measure(name)
        print(name, data[name]["reference"], data[name]["measured"], data[name]["half"],
              f"{data[name]['seconds']:.1f} s", flush=True)  # fmt: skip
        DATA.write_text(json.dumps(data, indent=1) + "\n")
    if PAGE.exists():
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN)
        tail = rest.split(END)[1]
        text = f"{head}{BEGIN}\n\n{table(data)}\n\n{END}{tail}"
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
