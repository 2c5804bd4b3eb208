r"""How fast, and how exact, are the exponents of delay equations? On one core.

    python benchmarks/delay_equations.py [--quick] [--json FILE]

The linear equation x' = -x(t - 1), whose exponents are the real parts of W_j(-1), of the branches
of Lambert's function, and the equation of Mackey and Glass at a delay of 31.8, four exponents of
one trajectory. lyapnet is given a function as a user writes it, takes 50 and 186 steps of RK4 in a
delay, and chooses where to factorise; lyapax, jitted, takes the same steps, and factorises in each,
which is its default, or as often as lyapnet; jitcdde takes steps of its own, of order 3, at its
default tolerances and at a hundredth of these, and factorises once in a delay. All are compiled
before the timing.

Answers for the linear equation, means of its two pairs, are held against the exact ones (lyapnet's
within 1e-5), those for the other against lyapnet's, within 2e-3 (the leading one has a standard
error of 3e-4).
"""

import argparse
import contextlib
import sys
import tempfile
import warnings
from importlib import metadata

from timing import one_core, peer, race, summary, table, write

one_core()

import numpy as np
from scipy.special import lambertw

import lyapnet as ln

K = 4

#: Of each equation: f(x, late), the delay, steps in it, the past, time units before and counted.
EQUATIONS = {
    "linear": (lambda x, late: -late, 1.0, 50, 1.0, 100, 1000),
    "Mackey-Glass": (
        lambda x, late: 0.2 * late / (1.0 + late**10) - 0.1 * x, 31.8, 186, 0.9, 1000, 100_000,
    ),
}  # fmt: skip


def by_lyapnet(name):
    field, delay, steps, past, before, counted = EQUATIONS[name]
    dt = delay / steps
    flow = ln.DelayFlow(lambda x, late: field(x[0], late[0]) + 0 * x, 1, delays=delay, dt=dt)
    x0 = flow.history([past])

    def run():
        n, warm = round(counted / dt), round(before / dt)
        return ln.lyapunov_spectrum(flow, n, k=K, transient=warm, x0=x0, rng=0)

    return run


def by_lyapax(lyapax, name, interval):
    import jax
    import jax.numpy as jnp

    field, delay, steps, past, before, counted = EQUATIONS[name]
    dt = delay / steps
    problem = lyapax.dde_problem(field, jnp.array([past]), delay, dt, integrator="rk4")
    n = round(counted / dt / interval) * interval

    @jax.jit
    def found():
        return lyapax.lyapunov_spectrum_dde(
            problem, n, k=K, renorm_every=interval, t_transient=float(before)
        ).exponents

    return lambda: np.array(found())


def by_jitcdde(jitcdde, name, tighter):
    field, delay, _, past, before, counted = EQUATIONS[name]
    now, late = jitcdde.y(0), jitcdde.y(0, jitcdde.t - delay)
    system = jitcdde.jitcdde_lyap([field(now, late)], n_lyap=K, verbose=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):  # not this project's settings
        system.compile_C()
    settings = {"rtol": 1e-5 * tighter, "atol": 1e-10 * tighter}

    def run():
        system.purge_past()
        system.constant_past([past])
        system.set_integration_parameters(**settings)
        system.adjust_diff()
        grown, lasted = np.zeros(K), 0.0
        start = system.t
        for stop in np.arange(delay, before + counted, delay):
            _, rates, duration = system.integrate(start + stop)
            if stop > before:
                grown, lasted = grown + rates * duration, lasted + duration
        return grown / lasted

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", metavar="FILE", help="write the report there")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of jitcdde, that there are many exponents
    jitcdde, lyapax = peer("jitcdde"), peer("lyapax")
    exact = np.repeat([lambertw(-1, branch).real for branch in (0, 1)], 2)
    rows, report, wrong = [], {}, []
    for name, (_, _, _, _, before, counted) in EQUATIONS.items():
        spectrum = by_lyapnet(name)
        tools = {"lyapnet": lambda run=spectrum: np.array(run().exponents)}
        if lyapax:
            interval = spectrum().settings["qr_interval"]
            tools["lyapax"] = by_lyapax(lyapax, name, 1)
            tools[f"lyapax, {interval}"] = by_lyapax(lyapax, name, interval)
        if jitcdde:
            tools["jitcdde"] = by_jitcdde(jitcdde, name, 1.0)
            tools["jitcdde, tighter"] = by_jitcdde(jitcdde, name, 1e-2)
        answers = {tool: run() for tool, run in tools.items()}
        truth = exact if name == "linear" else answers["lyapnet"]
        off = {tool: lam - truth for tool, lam in answers.items()}
        if name == "linear":  # a pair of roots turns, and its sum does not
            off = {tool: error.reshape(2, 2).mean(axis=1) for tool, error in off.items()}
        errors = {tool: float(np.abs(error).max()) for tool, error in off.items()}
        if name == "linear" and errors["lyapnet"] > 1e-5:
            wrong.append(f"linear, lyapnet: {answers['lyapnet']} for {exact}")
        if name != "linear" and max(errors.values()) > 2e-3:
            wrong.append(f"{name}: {answers}")
        seconds = summary(race(tools, 3 if options.quick else 5))
        each = {tool: 1e6 * t["median"] / (before + counted) for tool, t in seconds.items()}
        report[name] = {
            "us per time unit": each, "errors": errors, "seconds": seconds,
            "exponents": {tool: lam.tolist() for tool, lam in answers.items()},
        }  # fmt: skip
        for tool, time in each.items():
            error = f"{errors[tool]:.1e}" if name == "linear" else ""
            rows.append([name, tool, f"{time:.2f}", f"{time / each['lyapnet']:.1f}", error])
    table(["", "", "us per time unit", "over lyapnet", "error"], rows)
    found = {"jitcdde": jitcdde, "lyapax": lyapax}
    versions = {name: metadata.version(name) for name, module in found.items() if module}
    write(options.json, {"delay equations": report, "versions": versions})
    print("\n".join(["", *wrong]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
