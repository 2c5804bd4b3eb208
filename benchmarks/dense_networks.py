r"""How fast is the spectrum of a network that a user has written as a function? On one core.

    python benchmarks/dense_networks.py [--quick] [--rounds N] [--json FILE]

The rate network :math:`\dot x = -x + W \tanh x` (gain 1.5, classical Runge-Kutta, step 0.1) as a
`Flow`, and :math:`h' = \tanh(W h + b)` as a `Map`, of 20 to 500 units. Against them a loop by hand
in numba, whose products are BLAS's and whose factorisation is LAPACK's, the same loop in NumPy, and
lyapax, wrapped in `jax.jit`. All start from the same state and basis, without transients, and
factorise at the same interval. Exponents are compared over the first 20 steps, to 1e-7 (the
last of many lose digits between factorisations, with all contenders), before
anything is timed. Compilation is not counted; "compiles" is that of lyapnet, wall clock, in a
process that has nothing on disk yet, and in one that has.

lyapnet's error bars and checks are in its time: about 0.1 s in longer runs, and a second run of up
to 300 steps, for what rounding does, which is half of the time where there are 40.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

from timing import Ratio, one_core, peer, race, summary, table, write

one_core()

import autograd.numpy as anp
import numpy as np
from numba import njit

import lyapnet as ln

#: n, k and the number of steps.
SIZES = (
    (20, 10, 10_000), (40, 10, 8000), (60, 10, 5000), (60, 60, 1000), (80, 10, 5000),
    (80, 80, 1000), (200, 10, 2000), (200, 200, 200), (500, 10, 500), (500, 500, 40),
)  # fmt: skip

#: Steps over which exponents are compared; those from one factorisation to the next: a step of the
#: map shrinks vectors more.
COMPARED, DT = 20, 0.1
INTERVAL = {"flow": 5, "map": 2}


def system_of(kind, W, b):
    """Return the network as a user writes it."""
    if kind == "flow":
        return ln.Flow(lambda x: -x + W @ anp.tanh(x), len(W), dt=DT)
    return ln.Map(lambda h: anp.tanh(W @ h + b), len(W))


def by_lyapnet(kind, W, b, x, basis, n_steps):
    """Return a function without arguments that returns exponents."""
    system = ln.compiled(system_of(kind, W, b))

    def run():
        return ln.lyapunov_spectrum(
            system, n_steps, x0=x, basis=basis, transient=0, basis_transient=0,
            qr_interval=INTERVAL[kind], record=False,
        ).exponents  # fmt: skip

    return run


def map_step(W, b, x, Q):
    """Return state and tangent vectors after a step of the map."""
    y = np.tanh(np.dot(W, x) + b)
    return y, (1.0 - y * y).reshape(-1, 1) * np.dot(W, Q)


def flow_step(W, b, x, Q):
    """Return state and tangent vectors after a step of the flow."""
    h = DT
    r = np.tanh(x)
    k1, K1 = -x + np.dot(W, r), -Q + np.dot(W, (1.0 - r * r).reshape(-1, 1) * Q)
    y, Y = x + 0.5 * h * k1, Q + 0.5 * h * K1
    r = np.tanh(y)
    k2, K2 = -y + np.dot(W, r), -Y + np.dot(W, (1.0 - r * r).reshape(-1, 1) * Y)
    y, Y = x + 0.5 * h * k2, Q + 0.5 * h * K2
    r = np.tanh(y)
    k3, K3 = -y + np.dot(W, r), -Y + np.dot(W, (1.0 - r * r).reshape(-1, 1) * Y)
    y, Y = x + h * k3, Q + h * K3
    r = np.tanh(y)
    k4, K4 = -y + np.dot(W, r), -Y + np.dot(W, (1.0 - r * r).reshape(-1, 1) * Y)
    x = x + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return x, Q + h / 6.0 * (K1 + 2.0 * K2 + 2.0 * K3 + K4)


def loop_of(step, interval):
    """Return Benettin's loop with a step."""

    def run(W, b, x, Q, n_steps):
        growth = np.zeros(Q.shape[1])
        for s in range(n_steps):
            x, Q = step(W, b, x, Q)
            if (s + 1) % interval == 0:
                Q, R = np.linalg.qr(Q)
                Q = np.ascontiguousarray(Q)
                growth += np.log(np.abs(np.diag(R)))
        return growth

    return run


STEPS = {"map": map_step, "flow": flow_step}
BY_NUMPY = {kind: loop_of(step, INTERVAL[kind]) for kind, step in STEPS.items()}
BY_NUMBA = {kind: njit(loop_of(njit(step), INTERVAL[kind])) for kind, step in STEPS.items()}


def by_hand(loop, kind, W, b, x, basis, n_steps):
    """Return a function without arguments that returns exponents."""
    total = n_steps * (DT if kind == "flow" else 1.0)
    return lambda: loop[kind](W, b, x, basis, n_steps) / total


def by_lyapax(kind, W, b, x, basis, n_steps):
    """Return the same by lyapax, started on a basis by means of its checkpoints."""
    import jax
    import jax.numpy as jnp

    V, c, dt = jnp.asarray(W), jnp.asarray(b), DT if kind == "flow" else 1.0

    def slope(x):
        return -x + V @ jnp.tanh(x)

    def flow(x):
        k1 = slope(x)
        k2 = slope(x + dt / 2 * k1)
        k3 = slope(x + dt / 2 * k2)
        return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + slope(x + dt * k3))

    step = flow if kind == "flow" else lambda h: jnp.tanh(V @ h + c)

    @jax.jit
    def call(x, basis):
        start = LYAPAX.LyapunovCheckpoint(
            state=x, Y=basis, cum_log_growth=jnp.zeros(basis.shape[1]), elapsed_time=0.0, dt=dt
        )
        return LYAPAX.lyapunov_spectrum(
            step, x, dt, n_steps, renorm_every=INTERVAL[kind], resume=start, check_finite=False
        ).exponents

    arrays = jnp.asarray(x), jnp.asarray(basis)
    return lambda: jax.block_until_ready(call(*arrays))


def network(n):
    """Return weights, biases and a state."""
    rng = np.random.default_rng(n)
    W = 1.5 * rng.standard_normal((n, n)) / np.sqrt(n)
    return W, 0.1 * rng.standard_normal(n), rng.standard_normal(n)


def contenders(kind, n, k, n_steps):
    """Return all that can be timed."""
    W, b, x = network(n)
    start = ln.lyapunov_spectrum(
        ln.compiled(system_of(kind, W, b)), 20, k=k, x0=x, transient=300, basis_transient=50,
        qr_interval=INTERVAL[kind], rng=1,
    )  # fmt: skip
    given = start.state, np.ascontiguousarray(start.basis), n_steps
    found = {
        "lyapnet": by_lyapnet(kind, W, b, *given),
        "numba": by_hand(BY_NUMBA, kind, W, b, *given),
        "NumPy": by_hand(BY_NUMPY, kind, W, b, *given),
    }
    if LYAPAX and JAX:
        found["lyapax"] = by_lyapax(kind, W, b, *given)
    return found


def compare(runs):
    """Return the largest difference of exponents; refuse one above 1e-7."""
    found = {name: np.sort(np.asarray(run())) for name, run in runs.items()}
    worst = max(float(np.abs(x - found["lyapnet"]).max()) for x in found.values())
    if not worst < 1e-7:
        raise SystemExit(f"exponents differ by {worst:.1e}")
    return worst


def measure(kind, n, k, n_steps, rounds):
    """Time one size."""
    worst = compare(contenders(kind, n, k, min(COMPARED, n_steps)))
    times = race(contenders(kind, n, k, n_steps), rounds)
    ratios = {name: Ratio.of(t, times["lyapnet"]) for name, t in times.items() if name != "lyapnet"}
    return {
        "kind": kind, "n": n, "k": k, "steps": n_steps, "difference": worst,
        "seconds": summary(times), "ratios": {name: vars(r) for name, r in ratios.items()},
    }  # fmt: skip


def compilation(kind, n, k):
    """Return the seconds of a first call in a new process, for two of these, one after the other.

    The loops of numba are on disk from the start: those of networks use them, too.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--first", kind, str(n), str(k)]
        environment = {**os.environ, "LYAPNET_CACHE_DIR": folder}
        return [
            float(subprocess.run(command, env=environment, check=True, capture_output=True,
                                 text=True).stdout.split()[-1])
            for _ in range(2)
        ]  # fmt: skip


def first_call(kind, n, k):
    """Print how long a first short run takes."""
    W, b, x = network(n)
    start = time.perf_counter()
    ln.lyapunov_spectrum(ln.compiled(system_of(kind, W, b)), 20, k=k, x0=x, rng=1, transient=5,
                         basis_transient=5, qr_interval=INTERVAL[kind])  # fmt: skip
    print(time.perf_counter() - start)


def shown(ratio):
    """Return a ratio with its quartiles as text."""
    return str(Ratio(**ratio))


def main():
    """Time all sizes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small networks only")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="file to write")
    parser.add_argument("--first", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        kind, n, k = options.first
        return first_call(kind, int(n), int(k))
    found = []
    for n, k, n_steps in SIZES[:6] if options.quick else SIZES:
        for kind in ("flow", "map"):
            found.append(measure(kind, n, k, n_steps, options.rounds))
            found[-1]["compiles"] = compilation(kind, n, k)
            print(kind, n, k, *(f"{of}: {shown(r)}" for of, r in found[-1]["ratios"].items()),
                  file=sys.stderr)  # fmt: skip
    peers = list(found[0]["ratios"])
    head = ["system", "n", "k", "lyapnet, us a step", *peers, "compiles, s", "from disk"]
    rows = [
        [r["kind"], r["n"], r["k"], f"{1e6 * r['seconds']['lyapnet']['median'] / r['steps']:.1f}",
         *(shown(r["ratios"][name]) for name in peers), *(f"{t:.2f}" for t in r["compiles"])]
        for r in found
    ]  # fmt: skip
    print("Time of others over that of lyapnet, and quartiles:")
    table(head, rows)
    write(options.json, {"dense networks": found, "interval": INTERVAL})
    return None


LYAPAX, JAX = peer("lyapax"), peer("jax")

if __name__ == "__main__":
    main()
