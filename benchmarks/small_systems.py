r"""How fast is one small system, where there is little to compute? On one core.

    python benchmarks/small_systems.py [--quick] [--json FILE]

Henon's map, the flows of Lorenz (1963) and Roessler, and Lorenz-96 with 40 variables: all exponents
of one trajectory. lyapnet is given a function as a user writes it, without a Jacobian. Flows take
steps of 0.01 by RK4, and all factorise in each but for "lyapnet, auto", which chooses its interval,
and jitcode, which takes steps of its own (of Dormand and Prince, at its default tolerances) and
factorises every 0.1. What is compiled, by LLVM, numba, JAX or as C, is compiled before the timing.
"bare loop" is one in numba that does nothing but Henon's map, the limit to approach.

Then the first call of lyapnet in a process of its own, imports apart: with nothing compiled yet,
and with what an earlier process has kept.

Every answer must have the first exponent within 15 % or 0.1, and the sum within 5 % or 0.1, of
lyapnet's at interval 1: over so short runs no more is known.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from importlib import metadata

from timing import one_core, peer, race, summary, table, write

one_core()

import numpy as np

import lyapnet as ln

DT = 0.01


def henon(x):
    return np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def lorenz(x):
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def roessler(x):
    return np.array([-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)])


def lorenz96(x):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0


#: Function, dimension, first state, steps, and whether it is a flow.
SYSTEMS = {
    "Henon": (henon, np.array([0.1, 0.1]), 100_000, False),
    "Lorenz": (lorenz, np.array([1.0, 1.0, 20.0]), 50_000, True),
    "Roessler": (roessler, np.array([1.0, 1.0, 0.0]), 50_000, True),
    "Lorenz-96": (lorenz96, 8.0 + 0.1 * np.sin(np.arange(40.0)), 5_000, True),
}


def by_lyapnet(function, x, n_steps, warm, flow, interval):
    n = len(x)
    system = ln.Flow(function, n, dt=DT) if flow else ln.Map(function, n)
    return lambda: (
        ln.lyapunov_spectrum(
            system, n_steps, x0=x, transient=0, basis_transient=warm, qr_interval=interval, rng=0
        ).exponents
    )


def by_lyapax(lyapax, name, x, n_steps, warm, flow):
    import jax
    import jax.numpy as jnp

    fields = {
        "Henon": lambda x: jnp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]),
        "Lorenz": lambda x: jnp.array(
            [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
        ),
        "Roessler": lambda x: jnp.array(
            [-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)]
        ),
        "Lorenz-96": lambda x: (jnp.roll(x, -1) - jnp.roll(x, 2)) * jnp.roll(x, 1) - x + 8.0,
    }  # fmt: skip
    if flow:
        field = fields[name]
        problem = lyapax.ode_problem(lambda x, t=0.0: field(x), state0=jnp.array(x), dt=DT)

        @jax.jit
        def found():
            return lyapax.lyapunov_spectrum(
                problem, n_steps=n_steps, t_transient=warm * DT
            ).exponents
    else:

        @jax.jit
        def found():
            return lyapax.lyapunov_spectrum(
                fields[name], jnp.array(x), 1.0, n_steps, t_transient=float(warm)
            ).exponents

    return lambda: np.array(found())


def by_pynamicalsys(pynamicalsys, name, x, n_steps, warm):
    models = {
        "Henon": ("henon map", [1.4, 0.3]),
        "Lorenz": ("lorenz system", [10.0, 28.0, 8 / 3]),
        "Roessler": ("rossler system", [0.2, 0.2, 5.7]),
    }
    model, parameters = models[name]
    if name == "Henon":
        system = pynamicalsys.DiscreteDynamicalSystem(model=model)
        return lambda: np.array(
            system.lyapunov(x, n_steps, parameters=parameters, method="QR", transient_time=warm)
        )
    system = pynamicalsys.ContinuousDynamicalSystem(model=model)
    system.integrator("rk4", time_step=DT)
    times = dict(total_time=(warm + n_steps) * DT, transient_time=warm * DT)
    return lambda: np.array(system.lyapunov(x, parameters=parameters, **times))


def by_jitcode(jitcode, function, x, n_steps, warm):
    n = len(x)
    y = np.array([jitcode.y(i) for i in range(n)])
    system = jitcode.jitcode_lyap(list(function(y)), n_lyap=n)
    # Here a failure is one, where `set_integrator` would go on with interpreted functions; and in
    # an empty folder, for setuptools reads the settings of the project in which it finds itself.
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        system.compile_C()
    # As its documentation advises: SciPy's newer integrators cost much where there is little to do.
    system.set_integrator("dopri5" if n < 10 else "RK45")
    first = round(warm * DT / 0.1)
    times = 0.1 * np.arange(1, round((warm + n_steps) * DT / 0.1) + 1)

    def run():
        system.set_initial_value(x, 0.0)
        return np.mean([system.integrate(t)[1] for t in times][first:], axis=0)

    return run


def by_numba(numba, n_steps, warm):
    @numba.njit
    def loop(x, y, n_steps, warm):
        a0, b0, a1, b1 = 1.0, 0.0, 0.0, 1.0
        first = second = 0.0
        for s in range(warm + n_steps):
            slope = -2.8 * x
            x, y = 1.0 - 1.4 * x * x + y, 0.3 * x
            a0, a1 = slope * a0 + a1, 0.3 * a0
            b0, b1 = slope * b0 + b1, 0.3 * b0
            length = np.sqrt(a0 * a0 + a1 * a1)
            a0, a1 = a0 / length, a1 / length
            along = a0 * b0 + a1 * b1
            b0, b1 = b0 - along * a0, b1 - along * a1
            size = np.sqrt(b0 * b0 + b1 * b1)
            b0, b1 = b0 / size, b1 / size
            if s >= warm:
                first += np.log(length)
                second += np.log(size)
        return first / n_steps, second / n_steps

    return lambda: np.array(loop(0.1, 0.1, n_steps, warm))


def contenders(name, n_steps, warm):
    function, x, _, flow = SYSTEMS[name]
    found = {
        f"lyapnet, {interval}": by_lyapnet(function, x, n_steps, warm, flow, interval)
        for interval in (1, "auto")
    }
    if PEERS["lyapax"]:
        found["lyapax"] = by_lyapax(PEERS["lyapax"], name, x, n_steps, warm, flow)
    if PEERS["pynamicalsys"] and name != "Lorenz-96":
        found["pynamicalsys"] = by_pynamicalsys(PEERS["pynamicalsys"], name, x, n_steps, warm)
    if PEERS["jitcode"] and flow:
        found["jitcode"] = by_jitcode(PEERS["jitcode"], function, x, n_steps, warm)
    if PEERS["numba"] and name == "Henon":
        found["bare loop"] = by_numba(PEERS["numba"], n_steps, warm)
    return found


FIRST = """
import time, numpy as np, numba, scipy.linalg, autograd.numpy, sys
sys.path.insert(0, {folder!r})
import lyapnet as ln, llvmlite.binding
from small_systems import SYSTEMS, by_lyapnet
function, x, _, flow = SYSTEMS[{name!r}]
start = time.process_time()
by_lyapnet(function, x, 2000, 100, flow, "auto")()
print(time.process_time() - start)
"""


def first_call(name):
    """Return processor seconds of a first call, and of one in another process after it."""
    folder = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as kept:
        environment = {**os.environ, "LYAPNET_CACHE_DIR": kept, "NUMBA_CACHE_DIR": kept}
        code = FIRST.format(folder=folder, name=name)
        runs = [
            subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                check=True,
            ).stdout.split()[-1]
            for _ in range(2)
        ]  # fmt: skip
    return [float(run) for run in runs]


PEERS = {name: peer(name) for name in ("lyapax", "pynamicalsys", "jitcode", "numba")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", metavar="FILE", help="write the report there")
    options = parser.parse_args()
    rows, report, wrong = [], {}, []
    for name, (*_, n_steps, _) in SYSTEMS.items():
        warm = n_steps // 10
        tools = contenders(name, n_steps, warm)
        answers = {tool: np.sort(run())[::-1] for tool, run in tools.items()}
        right = answers["lyapnet, 1"]
        for tool, lam in answers.items():
            first = abs(lam[0] - right[0]) > max(0.1, 0.15 * abs(right[0]))
            if first or abs(lam.sum() - right.sum()) > max(0.1, 0.05 * abs(right.sum())):
                wrong.append(f"{name}, {tool}: {lam[0]:.3f} for {right[0]:.3f}")
        seconds = summary(race(tools, 3 if options.quick else 9))
        least = {tool: 1e9 * t["median"] / (warm + n_steps) for tool, t in seconds.items()}
        report[name] = {"ns per step": least, "seconds": seconds}
        for tool, each in least.items():
            times = [f"{each / least[ours]:.2f}" for ours in ("lyapnet, 1", "lyapnet, auto")]
            rows.append([name, tool, f"{each:.0f}", *times])
    table(["", "", "ns per step", "over lyapnet, 1", "over lyapnet, auto"], rows)
    first = {name: first_call(name) for name in ("Lorenz", "Lorenz-96")}
    print()
    heads = ["first call, s of processor", "nothing compiled", "in a second process"]
    table(heads, [[name, *(f"{t:.2f}" for t in times)] for name, times in first.items()])
    versions = {name: metadata.version(name) for name, module in PEERS.items() if module}
    write(options.json, {"small systems": report, "first call": first, "versions": versions})
    print("\n".join(["", *wrong]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
