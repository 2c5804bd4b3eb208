r"""How fast is the spectrum of a network? Against lyapax and a scan in JAX, on one core.

    python benchmarks/spectrum_speed.py [--quick] [--rounds N] [--json FILE]

Autonomous tanh networks (gain 1.5, chaotic) from N = 32 to 1000, runs of 1000 steps up to
N = 200 and 300 above. All start from the same state and basis, without
transients. Exponents are compared over the first 40 steps, to 1e-8, before anything is timed:
over more, chaos makes trajectories differ that rounding has set apart. JAX's compilation is
not counted; lyapax is wrapped in `jax.jit` (unwrapped, it is traced at each call).

"lyapnet, 1" and "lyapnet, auto" are calls of `lyapunov_spectrum` with that `qr_interval`, error
bars and choice of the interval included. The others factorise in each step, but for the last,
lyapax at the interval that lyapnet chose.
"""

import argparse
import sys

from timing import Ratio, one_core, peer, race, summary, table, write

one_core()

import numpy as np

import lyapnet as ln

#: N, k and the number of steps.
SIZES = (
    (32, 16, 1000), (50, 50, 1000), (100, 20, 1000), (100, 100, 1000), (200, 200, 1000),
    (500, 125, 300), (1000, 250, 300),
)  # fmt: skip

#: Steps over which exponents are compared.
COMPARED = 40


def network(n, k):
    """Return a network, a state on its attractor, and a basis that has settled."""
    cell = ln.VanillaRNN.random(n, gain=1.5, n_inputs=0, rng=1)
    s = ln.lyapunov_spectrum(cell, 50, k=k, transient=500, basis_transient=200, rng=1)
    return cell, s.state, s.basis


def by_lyapnet(cell, x, basis, n_steps, interval):
    """Return a function without arguments: exponents, and the settings of the run."""

    def run():
        s = ln.lyapunov_spectrum(
            cell, n_steps, x0=x, basis=basis, transient=0, basis_transient=0,
            qr_interval=interval, record=False,
        )  # fmt: skip
        return s.exponents, s.settings

    return run


def by_lyapax(cell, x, basis, n_steps, interval):
    """Return the same by lyapax, started on a basis by means of its checkpoints."""
    import jax
    import jax.numpy as jnp

    W, b = jnp.asarray(cell.params["W"]), jnp.asarray(cell.params["b"])

    @jax.jit
    def call(x, basis):
        start = LYAPAX.LyapunovCheckpoint(
            state=x, Y=basis, cum_log_growth=jnp.zeros(basis.shape[1]), elapsed_time=0.0, dt=1.0
        )
        return LYAPAX.lyapunov_spectrum(
            lambda h: W @ jnp.tanh(h) + b, x, 1.0, n_steps,
            renorm_every=interval, resume=start, check_finite=False,
        ).exponents  # fmt: skip

    arrays = jnp.asarray(x), jnp.asarray(basis)
    return lambda: (jax.block_until_ready(call(*arrays)), None)


def by_scan(cell, x, basis, n_steps):
    """Return the same by a scan in JAX."""
    import jax
    import jax.numpy as jnp

    W, b = jnp.asarray(cell.params["W"]), jnp.asarray(cell.params["b"])

    @jax.jit
    def call(x, basis):
        def body(carry, _):
            h, Q, growth = carry
            r = jnp.tanh(h)
            Q, R = jnp.linalg.qr(W @ ((1 - r * r)[:, None] * Q))
            return (W @ r + b, Q, growth + jnp.log(jnp.abs(jnp.diagonal(R)))), None

        start = x, basis, jnp.zeros(basis.shape[1])
        return jax.lax.scan(body, start, None, length=n_steps)[0][2] / n_steps

    arrays = jnp.asarray(x), jnp.asarray(basis)
    return lambda: (jax.block_until_ready(call(*arrays)), None)


def contenders(start, n_steps, interval, auto):
    """Return all that can be timed."""
    found = {
        "lyapnet, 1": by_lyapnet(*start, n_steps, 1),
        "lyapnet, auto": by_lyapnet(*start, n_steps, auto),
    }
    if LYAPAX and JAX:
        found["lyapax"] = by_lyapax(*start, n_steps, 1)
    if JAX:
        found["scan in JAX"] = by_scan(*start, n_steps)
    if LYAPAX and JAX and n_steps % interval == 0:
        found["lyapax, auto's"] = by_lyapax(*start, n_steps, interval)
    return found


def compare(runs):
    """Return the largest difference of exponents; refuse one above 1e-8.

    At interval 1 all agree to 1e-12; a longer interval costs up to 1e-9 in the last exponents.
    """
    found = {name: np.sort(np.asarray(run()[0])) for name, run in runs.items()}
    first = found["lyapnet, 1"]
    errors = {name: float(np.abs(lam - first).max()) for name, lam in found.items()}
    worst = max(errors, key=errors.get)
    if not errors[worst] < 1e-8:
        raise SystemExit(f"{worst} disagrees by {errors[worst]:.1e}: nothing to compare")
    return errors


JAX = peer("jax")
LYAPAX = peer("lyapax") if JAX else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three sizes, fewer rounds")
    parser.add_argument("--rounds", type=int, help="default 7, 3 if quick")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    sizes, rounds = (SIZES[:3], 3) if args.quick else (SIZES, 7)
    rounds = args.rounds or rounds
    rows, report = [], []
    for n, k, n_steps in sizes:
        start = network(n, k)
        interval = by_lyapnet(*start, n_steps, "auto")()[1]["qr_interval"]
        errors = compare(contenders(start, COMPARED, interval, interval))
        seconds = race(contenders(start, n_steps, interval, "auto"), min(rounds, max(3, 2000 // n)))
        ratios = {
            name: {
                other: vars(Ratio.of(t, seconds[other]))
                for other in ("lyapnet, 1", "lyapnet, auto")
            }
            for name, t in seconds.items()
        }
        found = summary(seconds)
        for name, t in seconds.items():
            equal, auto = (Ratio.of(t, seconds[x]) for x in ("lyapnet, 1", "lyapnet, auto"))
            least = f"{found[name]['least']:.2f}"
            rows.append((n, k, n_steps, name, f"{found[name]['median']:.2f}", least, equal, auto))
        print(f"N={n}: interval {interval}, largest difference {max(errors.values()):.0e}")
        report.append(
            {
                "size": (n, k, n_steps), "interval": interval, "differences": errors,
                "seconds": found, "ratios": ratios,
            }
        )  # fmt: skip
    print()
    table(("N", "k", "steps", "", "s", "least", "times lyapnet, 1", "times lyapnet, auto"), rows)
    claims = {}
    print("\nGeometric means over the sizes:")
    for name in report[0]["ratios"]:
        if all(name in case["ratios"] for case in report):
            both = [
                float(
                    np.exp(np.mean([np.log(case["ratios"][name][x]["value"]) for case in report]))
                )
                for x in ("lyapnet, 1", "lyapnet, auto")
            ]
            claims[name] = dict(zip(("interval 1", "automatic"), both, strict=True))
            print(f"{name} takes {both[0]:.2f} times lyapnet at 1, {both[1]:.2f} times at auto.")
    write(args.json, {"spectra": report, "claims": claims})
    return 0


if __name__ == "__main__":
    sys.exit(main())
