r"""How fast are many small systems at once? On one core.

    python benchmarks/ensemble_speed.py [--quick] [--json FILE]

1. Henon map, 2000 trajectories, both exponents: nanoseconds per trajectory and step, against
   pynamicalsys (numba, compiled before the timing) and a loop compiled by numba that does
   nothing else, the limit to approach. All orthonormalise in each step but "lyapnet, auto".
   Claim: at most 60 ns, and at least 8 times less than pynamicalsys.
2. Bifurcation diagram of the logistic map, 2000 parameters and 2000 steps: seconds, with the
   transients that are the default. Claim: about one second.
3. Lorenz's flow without a Jacobian, against the same with one. Claim: at most 3 times the time.

Exponents are compared over a few steps, to 1e-10, before anything is timed.
"""

import argparse
import sys

from timing import Ratio, one_core, peer, race, summary, table, write

one_core()

import autograd.numpy as anp
import numpy as np

import lyapnet as ln

MEMBERS = 2000

#: The basis on which pynamicalsys starts.
BASIS = np.linalg.qr(np.random.RandomState(1312).rand(2, 2))[0]

#: Steps over which exponents are compared; chaos sets trajectories apart that rounding has.
COMPARED = 12


def henon_by_lyapnet(x, n_steps, interval):
    """Return a function without arguments that gives the exponents (members, 2), unsorted."""

    def run():
        s = ln.lyapunov_spectrum(
            ln.catalog.henon(), n_steps, x0=x, basis=BASIS, transient=0, basis_transient=0,
            qr_interval=interval, record=False,
        )  # fmt: skip
        return s.exponents

    return run


def henon_by_pynamicalsys(x, n_steps):
    """Return the same by pynamicalsys, one trajectory after the other, from the states before."""
    system = PYNAMICALSYS.DiscreteDynamicalSystem(model="henon map")
    args = dict(parameters=[1.4, 0.3], method="QR")
    return lambda: np.array([system.lyapunov(state, n_steps, **args) for state in x])


def henon_by_numba(x, n_steps):
    """Return the same by a loop compiled by numba."""

    @NUMBA.njit
    def loop(states, n_steps):
        found = np.empty_like(states)
        for i in range(len(states)):
            x, y = states[i]
            (a0, b0), (a1, b1) = BASIS
            first = second = 0.0
            for _ in range(n_steps):
                slope = -2.8 * x
                x, y = 1.0 - 1.4 * x * x + y, 0.3 * x
                a0, a1 = slope * a0 + a1, 0.3 * a0
                b0, b1 = slope * b0 + b1, 0.3 * b0
                length = np.sqrt(a0 * a0 + a1 * a1)
                a0, a1 = a0 / length, a1 / length
                first += np.log(length)
                along = a0 * b0 + a1 * b1
                b0, b1 = b0 - along * a0, b1 - along * a1
                length = np.sqrt(b0 * b0 + b1 * b1)
                b0, b1 = b0 / length, b1 / length
                second += np.log(length)
            found[i] = first / n_steps, second / n_steps
        return found

    return lambda: loop(x, n_steps)


def henon(x, n_steps):
    """Return all contenders on Henon's map.

    pynamicalsys takes the Jacobian of the state that a step leads to: it starts a step earlier.
    """
    following = ln.catalog.henon().step(x)
    found = {
        "lyapnet, 1": henon_by_lyapnet(following, n_steps, 1),
        "lyapnet, auto": henon_by_lyapnet(following, n_steps, "auto"),
    }
    if PYNAMICALSYS:
        found["pynamicalsys"] = henon_by_pynamicalsys(x, n_steps)
    if NUMBA:
        found["numba loop"] = henon_by_numba(following, n_steps)
    return found


def diagram(n_steps):
    """Return contenders for the bifurcation diagram of the logistic map."""
    r = np.linspace(2.5, 4.0, MEMBERS + 1)[1:]
    warm = max(100, n_steps // 10)
    system = ln.catalog.logistic(r=r)
    found = {"lyapnet": lambda: ln.lyapunov_spectrum(system, n_steps, rng=0).exponents[:, 0]}
    if NUMBA:

        @NUMBA.njit
        def loop(r, n_steps, warm):
            out = np.empty_like(r)
            for i in range(len(r)):
                x, total = 0.3, 0.0
                for s in range(2 * warm + n_steps):
                    if s >= 2 * warm:
                        total += np.log(abs(r[i] * (1.0 - 2.0 * x)))
                    x = r[i] * (x * (1.0 - x))
                out[i] = total / n_steps
            return out

        found["numba loop"] = lambda: loop(r, n_steps, warm)
    return found


def _field(x):
    return anp.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def _jacobian(x):
    return anp.array([[-10, 10, 0], [28 - x[2], -1, -x[0]], [x[1], x[0], -8 / 3]])


def _fields(x):
    x, y, z = x[..., 0], x[..., 1], x[..., 2]
    return anp.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=-1)


def _jacobians(x):
    x, y, z = x[..., 0], x[..., 1], x[..., 2]
    out = np.zeros((*x.shape, 3, 3))
    out[..., 0, 0], out[..., 0, 1] = -10, 10
    out[..., 1, 0], out[..., 1, 1], out[..., 1, 2] = 28 - z, -1, -x
    out[..., 2, 0], out[..., 2, 1], out[..., 2, 2] = y, x, -8 / 3
    return out


def lorenz(members, n_steps, vectorized):
    """Return the flow without and with its Jacobian, as a user writes it."""
    field, jacobian = (_fields, _jacobians) if vectorized else (_field, _jacobian)
    x = np.array([-5.8, -5.8, 24.0]) + 0.1 * np.random.default_rng(0).standard_normal((members, 3))
    x = x if members > 1 else x[0]
    found = {}
    for name, given in (("without", None), ("with", jacobian)):
        flow = ln.Flow(field, 3, dt=0.01, jacobian=given, vectorized=vectorized)

        def run(flow=flow):
            s = ln.lyapunov_spectrum(
                flow, n_steps, x0=x, transient=0, basis_transient=0, qr_interval=1, rng=0
            )
            return s.exponents

        found[name] = run
    return found


def compare(runs):
    """Refuse contenders whose exponents differ by more than 1e-10."""
    found = {name: np.sort(run()) for name, run in runs.items()}
    first = next(iter(found.values()))
    for name, lam in found.items():
        error = float(np.abs(lam - first).max())
        if not error < 1e-10:
            raise SystemExit(f"{name} disagrees by {error:.1e}: nothing to compare")


NUMBA = peer("numba")
PYNAMICALSYS = peer("pynamicalsys")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer rounds")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    rounds, n_steps = (3, 500) if args.quick else (7, 2000)
    report = {}

    x = 0.1 + 0.02 * np.random.default_rng(0).standard_normal((MEMBERS, 2))
    compare(henon(x[:50], COMPARED))
    seconds = race(henon(x, n_steps), rounds)
    unit = 1e9 / (MEMBERS * n_steps)
    print(f"\nHenon map, {MEMBERS} trajectories, {n_steps} steps, both exponents\n")
    found = {name: {key: np.multiply(v, unit).tolist() for key, v in t.items()}
             for name, t in summary(seconds).items()}  # fmt: skip
    rows = []
    for name, t in seconds.items():
        equal, auto = (Ratio.of(t, seconds[x]) for x in ("lyapnet, 1", "lyapnet, auto"))
        rows.append((name, *(f"{found[name][x]:.1f}" for x in ("median", "least")), equal, auto))
    table(("", "ns per step", "least", "times lyapnet, 1", "times lyapnet, auto"), rows)
    report["henon, ns per trajectory and step"] = found

    compare({name: lambda run=run: run()[::10] for name, run in diagram(5).items()})
    seconds = race(diagram(n_steps), rounds)
    print(f"\nLogistic map, {MEMBERS} parameters, {n_steps} steps and transients\n")
    found = report["logistic, s"] = summary(seconds)
    table(("", "s", "least"), [
        (name, f"{t['median']:.3f}", f"{t['least']:.3f}") for name, t in found.items()
    ])  # fmt: skip

    rows, report["lorenz"] = [], []
    print("\nLorenz's flow (fourth-order Runge-Kutta), three exponents\n")
    for members, vectorized in ((1, False), (1, True), (200, False), (200, True)):
        compare(lorenz(members, COMPARED, vectorized))
        steps = n_steps if members == 1 else n_steps // (20 if vectorized else 100)
        seconds = race(lorenz(members, steps, vectorized), rounds)
        ratio, found = Ratio.of(seconds["without"], seconds["with"]), summary(seconds)
        micro = [f"{1e6 * found[x]['median'] / steps:.1f}" for x in ("without", "with")]
        rows.append((members, "states (..., n)" if vectorized else "one state", *micro, ratio))
        case = {"members": members, "vectorized": vectorized, "n_steps": steps}
        report["lorenz"].append({**case, "seconds": found, **vars(ratio)})
    head = "trajectories", "function takes", "without: us per step", "with", "ratio"
    table(head, rows)
    write(args.json, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
