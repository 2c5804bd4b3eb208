r"""How fast is one small flow, where everything but arithmetic counts? On one core.

    python benchmarks/small_flow.py [--quick] [--json FILE]

Lorenz 1963, all three exponents of one trajectory over 200 units of time. Steps of 0.01 by RK4
and a factorisation in each, but for "lyapnet, auto", which chooses its interval, and jitcode,
which takes steps of its own (RK45 at its default tolerances) and factorises every 0.1. All get
the Jacobian but jitcode and lyapax, which derive it themselves. What is compiled, by numba, by
JAX or as C, is compiled before the timing. There is no claim: lyapnet is made for networks and
ensembles, and here others win.

Every answer must have the largest exponent within 0.1 of 0.9056 and the sum within 0.1 of -41/3:
one trajectory of this length is not known any better.
"""

import argparse
import sys
from importlib import metadata

from timing import one_core, peer, race, summary, table, write

one_core()

import numpy as np

import lyapnet as ln

START = np.array([1.0, 1.0, 20.0])
DT = 0.01


def field(t, x):
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def jacobian(t, x):
    return np.array([[-10.0, 10.0, 0.0], [28 - x[2], -1.0, -x[0]], [x[1], x[0], -8 / 3]])


def by_lyapnet(n_steps, warm, interval):
    system = ln.catalog.lorenz63()

    def run():
        return ln.lyapunov_spectrum(
            system,
            n_steps,
            x0=START,
            transient=0,
            basis_transient=warm,
            qr_interval=interval,
            rng=0,
        ).exponents

    return run


def by_lyapax(lyapax, n_steps, warm):
    import jax
    import jax.numpy as jnp
    from lyapax import systems

    rhs = systems.lorenz()
    problem = lyapax.ode_problem(rhs, state0=jnp.array(START), dt=DT)

    @jax.jit
    def found():
        return lyapax.lyapunov_spectrum(problem, n_steps=n_steps, t_transient=warm * DT).exponents

    return lambda: np.array(found())


def by_pynamicalsys(pynamicalsys, n_steps, warm):
    system = pynamicalsys.ContinuousDynamicalSystem(model="lorenz system")
    system.integrator("rk4", time_step=DT)
    times = dict(total_time=(warm + n_steps) * DT, transient_time=warm * DT)
    return lambda: np.array(system.lyapunov(START, parameters=[10.0, 28.0, 8 / 3], **times))


def by_clvlib(n_steps, warm):
    from clvlib.numpy import lyap_exp_from_ic

    times = DT * np.arange(n_steps + 1)
    state = ln.catalog.lorenz63().orbit(START, None, warm).states[-1]
    return lambda: lyap_exp_from_ic(field, jacobian, state, times, stepper="rk4")[0]


def by_lyapynov(lyapynov, n_steps, warm):
    def run():
        system = lyapynov.ContinuousDS(
            START, 0.0, lambda x, t: field(t, x), lambda x, t: jacobian(t, x), DT
        )
        return lyapynov.LCE(system, 3, warm, n_steps, False)

    return run


def by_jitcode(jitcode, n_steps, warm):
    y = jitcode.y
    equations = [10 * (y(1) - y(0)), y(0) * (28 - y(2)) - y(1), y(0) * y(1) - 8 / 3 * y(2)]
    system = jitcode.jitcode_lyap(equations, n_lyap=3)
    system.set_integrator("RK45")
    times = 0.1 * np.arange(1, round((warm + n_steps) * DT / 0.1) + 1)
    first = round(warm * DT / 0.1)

    def run():
        system.set_initial_value(START, 0.0)
        return np.mean([system.integrate(t)[1] for t in times][first:], axis=0)

    return run


def contenders(n_steps, warm):
    found = {
        "lyapnet, 1": by_lyapnet(n_steps, warm, 1),
        "lyapnet, auto": by_lyapnet(n_steps, warm, "auto"),
    }
    makers = {"lyapax": by_lyapax, "pynamicalsys": by_pynamicalsys, "lyapynov": by_lyapynov,
              "jitcode": by_jitcode}  # fmt: skip
    for name, make in makers.items():
        module = peer(name)
        if module:
            found[name] = make(module, n_steps, warm)
    if peer("clvlib"):
        found["clvlib"] = by_clvlib(n_steps, warm)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", metavar="FILE", help="write the report there")
    options = parser.parse_args()
    tools = contenders(20_000, 2000)
    wrong = []
    for name, run in tools.items():
        lam = np.sort(run())[::-1]
        print(f"{name:15s}{lam.round(3)}")
        if abs(lam[0] - 0.9056) > 0.1 or abs(lam.sum() + 41 / 3) > 0.1:
            wrong.append(name)
    seconds = race(tools, 3 if options.quick else 11)
    least = summary(seconds)
    rows = [
        [name, f"{t['median']:.3f}", f"{t['median'] / least['lyapnet, auto']['median']:.3f}"]
        for name, t in least.items()
    ]
    table(["Lorenz, 20 000 steps", "s", "over lyapnet, auto"], rows)
    versions = {name: metadata.version(name) for name in tools if not name.startswith("lyapnet")}
    write(options.json, {"small flow": least, "versions": versions})
    if wrong:
        print(f"wrong: {', '.join(wrong)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
