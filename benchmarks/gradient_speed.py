r"""How fast are one flossing loss and its gradient? Against JAX and PyTorch, on one core.

    python benchmarks/gradient_speed.py [--quick] [--rounds N] [--json FILE]

The loss is the sum of the squares of the k exponents of a window; the gradient is that in all
parameters (W, V, b; also c of a GRU). All contenders get the same arrays in float64. Gradients
are compared before anything is timed, and must agree to 1e-8 of the largest component. JAX's
compilation is not counted. Several ways to write it in JAX are tried (see `jax_gradients.py`);
the tables show all of them. PyTorch runs eagerly, as it is used.

"lyapnet" calls the two sweeps as `floss` does, "lyapnet, autograd" goes through
`finite_time_exponents` and `autograd`, and "lyapnet, auto" takes the QR interval to which
`floss(qr_interval="auto")` comes from epoch to epoch (before the timing).
"""

import argparse
import sys
from dataclasses import dataclass

from timing import Ratio, one_core, peer, race, summary, table, write

one_core()

import autograd
import autograd.numpy as anp
import numpy as np

import lyapnet as ln
from lyapnet.tangent.gradient import (
    exponents,
    gradient,
)
from lyapnet.tangent.interval import Interval
from lyapnet.tangent.plan import Plan
from lyapnet.tangent.stretches import run_orbit

SIZES = {
    "VanillaRNN": ((32, 16, 100), (80, 75, 55), (256, 64, 60), (1024, 32, 20)),
    "LSTM": ((64, 32, 55),),
    "GRU": ((64, 32, 55),),
}


@dataclass(frozen=True)
class Case:
    """A network, where it starts, and the QR interval that suits it."""

    kind: str
    size: tuple[int, int, int]
    cell: object
    x0: np.ndarray
    basis: np.ndarray
    inputs: np.ndarray
    interval: int

    @classmethod
    def of(cls, kind, n, k, n_steps):
        """Draw a network with gain 1 and one standard normal input, and warm it up."""
        rng = np.random.default_rng(0)
        cell = getattr(ln, kind).random(n, bias=0.1, rng=rng).with_loops(k, 10**6)
        u = rng.standard_normal((n_steps, 1))
        x = run_orbit(cell, cell.default_state(rng), rng.standard_normal((100, 1)), 0, 100)
        basis = np.linalg.qr(rng.standard_normal((cell.dim, k)))[0]
        x0 = x.states[-1].copy()
        interval = Interval.of("auto")
        rows = np.ascontiguousarray(basis.T)
        for _ in range(20):
            plan = Plan(0, 0, n_steps, interval.steps, forgiving=True)
            interval.adapt(exponents(cell, x0, rows, u, plan, keep=False)[1].smallest_sine, n_steps)
        return cls(kind, (n, k, n_steps), cell, x0, basis, u, interval.steps)

    def lyapnet(self, interval):
        """Return loss and gradient by the two sweeps, as `floss` calls them."""
        rows = np.ascontiguousarray(self.basis.T)
        plan = Plan(0, 0, len(self.inputs), interval, forgiving=True)

        def run():
            lam, record = exponents(self.cell, self.x0, rows, self.inputs, plan, keep=True)
            return float(np.sum(lam**2)), gradient(record, 2 * lam, inputs=False)[3]

        return run

    def autograd(self):
        """Return loss and gradient by autograd, through the public function."""

        def loss(params):
            cell = self.cell.with_params(params)
            lam = ln.finite_time_exponents(cell, self.x0, self.basis, inputs=self.inputs)
            return anp.sum(lam**2)

        run = autograd.value_and_grad(loss)
        return lambda: run(self.cell.params)

    def jax(self, way):
        """Return loss and gradient in JAX, None if there is none."""
        import jax
        import jax_gradients

        run = jax_gradients.value_and_grad(self.kind, way)
        if run is None:
            return None
        arrays = {name: jax.numpy.asarray(x) for name, x in self.cell.params.items()}
        rest = [jax.numpy.asarray(x) for x in (self.x0, self.basis, self.inputs)]
        return lambda: jax.block_until_ready(run(arrays, *rest))


def contenders(case):
    """Return all that can be timed on a case, lyapnet first."""
    found = {
        "lyapnet": case.lyapnet(1),
        "lyapnet, autograd": case.autograd(),
        "lyapnet, auto": case.lyapnet(case.interval),
    }
    if JAX:
        import jax_gradients

        ways = {way: case.jax(way) for way in jax_gradients.WAYS}
        found.update({way: run for way, run in ways.items() if run is not None})
    if TORCH and case.kind == "VanillaRNN":
        import torch_gradients

        arrays = case.cell.params, case.x0, case.basis, case.inputs
        found["torch"] = torch_gradients.value_and_grad(*arrays)
    return found


def compare(runs):
    """Return each one's largest deviation from the first one's gradient; refuse one above 1e-8."""
    value, grad = next(iter(runs.values()))()
    errors = {}
    for name, run in runs.items():
        other, found = run()
        error = abs(float(other) - value) / abs(value)
        for key, x in grad.items():
            scale = max(1e-300, float(np.abs(x).max()))
            error = max(error, float(np.abs(np.asarray(found[key]) - x).max()) / scale)
        if not error < 1e-8:
            raise SystemExit(f"{name} disagrees by {error:.1e}: nothing to compare")
        errors[name] = error
    return errors


def mean(values):
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(values))))


JAX = peer("jax")
TORCH = peer("torch")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--rounds", type=int, help="default 41, 7 if quick")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    rounds = args.rounds or (7 if args.quick else 41)
    report = []
    for kind, sizes in SIZES.items():
        for size in sizes[:2] if args.quick else sizes:
            case = Case.of(kind, *size)
            runs = contenders(case)
            errors = compare(runs)
            seconds = race(runs, rounds)
            n, k, n_steps = size
            print(f"\n{kind}, N={n}, k={k}, {n_steps} steps; automatic interval {case.interval};")
            print(f"largest deviation of a gradient {max(errors.values()):.0e}\n")
            found = summary(seconds)
            table(
                ("", "ms", "least", "times lyapnet", "times lyapnet, auto"),
                [
                    (
                        name,
                        f"{1e3 * found[name]['median']:.2f}",
                        f"{1e3 * found[name]['least']:.2f}",
                        Ratio.of(t, seconds["lyapnet"]),
                        Ratio.of(t, seconds["lyapnet, auto"]),
                    )
                    for name, t in seconds.items()
                ],
            )
            ratios = {
                name: {
                    "lyapnet": vars(Ratio.of(t, seconds["lyapnet"])),
                    "lyapnet, auto": vars(Ratio.of(t, seconds["lyapnet, auto"])),
                }
                for name, t in seconds.items()
            }
            report.append(
                {
                    "cell": kind, "size": size, "interval": case.interval, "deviations": errors,
                    "seconds": found, "ratios": ratios,
                }
            )  # fmt: skip
    claims = conclude(report)
    write(args.json, {"gradients": report, "claims": claims})
    return 0


def conclude(report):
    """Print how many times as long as lyapnet each contender takes, over the vanilla networks."""
    vanilla = [case["ratios"] for case in report if case["cell"] == "VanillaRNN"]
    rows, claims = [], {}
    for name in vanilla[0]:
        equal = [case[name]["lyapnet"]["value"] for case in vanilla]
        auto = [case[name]["lyapnet, auto"]["value"] for case in vanilla]
        claims[name] = {"mean": mean(equal), "least": min(equal), "mean, auto": mean(auto)}
        rows.append((name, *(f"{x:.2f}" for x in claims[name].values())))
    print("\nVanilla networks: times lyapnet takes, geometric mean over the sizes\n")
    table(("", "interval 1", "least of the sizes", "automatic interval"), rows)
    return claims


if __name__ == "__main__":
    sys.exit(main())
