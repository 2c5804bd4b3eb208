r"""What does a module of PyTorch cost as a system, and flossing inside of a loop of PyTorch?

    python benchmarks/torch_modules.py [--quick] [--json FILE]

Spectrum: a layer-norm cell as `lyapnet.torch.System`, N = 128, k = 32, 1000 steps, against the
loops that people write: a dense Jacobian by `torch.autograd.functional.jacobian` or by
`torch.func.jacrev`, and `torch.linalg.qr`, in every step. All start from the same state and basis,
in float64; exponents are compared to 1e-9.

Flossing: a step of `nn.RNN`, N = 80, k = 75, 55 steps: inputs, `flossing_loss`, `backward()` and
`torch.optim.Adam`; the same through `Flosser`; and an epoch of `lyapnet.floss` on the same network.
Exponents of the first are compared with those of the last to 1e-9.
"""

import argparse
import sys

from timing import Ratio, one_core, race, summary, table, write

one_core()

import numpy as np
import torch

import lyapnet as ln
import lyapnet.torch as lt
from lyapnet.torch import examples

torch.set_num_threads(1)

#: N, k and the number of steps of the spectrum; of flossing.
SPECTRUM, FLOSSING = (128, 32, 1000), (80, 75, 55)


def loop(step, x, Q, inputs, jacobian):
    """Return the exponents as people compute them."""
    total = torch.zeros(Q.shape[1], dtype=torch.float64)
    for u in inputs:
        Q, R = torch.linalg.qr(jacobian(lambda h, u=u: step(h, u), x) @ Q)
        total = total + R.diagonal().abs().log()
        with torch.no_grad():
            x = step(x, u)
    return np.sort((total / len(inputs)).detach().numpy())[::-1]


def spectra(n, k, n_steps):
    """Return functions without arguments that compute the same spectrum."""
    torch.manual_seed(0)
    cell = examples.LayerNormRNN(n, 1).double()
    system = cell.system()
    rng = np.random.default_rng(0)
    inputs, x = rng.standard_normal((n_steps, 1)), rng.standard_normal(n)
    basis = np.linalg.qr(rng.standard_normal((n, k)))[0]
    tensors = [torch.tensor(a) for a in (x, basis, inputs)]

    def ours(interval):
        return ln.lyapunov_spectrum(
            system, inputs=inputs, x0=x, basis=basis, transient=0, basis_transient=0,
            qr_interval=interval, record=False,
        ).exponents  # fmt: skip

    def func(f, x):
        return torch.func.jacrev(f)(x)

    return {
        "lyapunov_spectrum, automatic interval": lambda: ours("auto"),
        "lyapunov_spectrum, QR in every step": lambda: ours(1),
        "loop over autograd.functional.jacobian": lambda: loop(
            cell, *tensors, torch.autograd.functional.jacobian
        ),
        "loop over func.jacrev": lambda: loop(cell, *tensors, func),
    }


def flossing(n, k, n_steps, epochs):
    """Return functions without arguments that floss the same network for some epochs."""
    torch.manual_seed(0)
    rnn = torch.nn.RNN(1, n)
    cell = ln.from_torch(rnn.state_dict())
    start = {name: x.clone() for name, x in rnn.state_dict().items()}
    rng = np.random.default_rng(1)

    def draw():
        return torch.from_numpy(rng.standard_normal((n_steps, 1)))

    def in_a_loop(update=True):
        rnn.load_state_dict(start)
        adam = torch.optim.Adam(rnn.parameters(), 1e-3)
        for _ in range(epochs):
            loss = lt.flossing_loss(rnn, draw(), k=k, rng=rng)
            adam.zero_grad()
            loss.backward()
            if update:
                adam.step()

    def by_flosser():
        rnn.load_state_dict(start)
        schedule = ln.FlossingSchedule(before=epochs, k=k, n_steps=n_steps)
        lt.Flosser(rnn, schedule, draw, rng=rng)(0)

    def ours():
        ln.floss(cell, epochs, k=k, n_steps=n_steps, x0=np.zeros(n), rng=rng)

    u = rng.standard_normal((n_steps, 1))
    there = lt.finite_time_exponents(rnn.double(), torch.from_numpy(u), k=k, rng=5)
    rows = np.random.default_rng(5).standard_normal((k, n))
    here = ln.finite_time_exponents(cell, np.zeros(n), rows.T, inputs=u)
    error = float(np.abs(there.detach().numpy() - here).max())
    rnn.float()
    runs = {
        "ln.floss": ours, "flossing_loss in a loop": in_a_loop, "Flosser": by_flosser,
        "flossing_loss in a loop, without Adam": lambda: in_a_loop(update=False),
    }  # fmt: skip
    return runs, error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps and rounds")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    n, k, n_steps = SPECTRUM[:2] + ((100,) if options.quick else SPECTRUM[2:])
    runs = spectra(n, k, n_steps)
    found = {name: run() for name, run in runs.items()}
    first = next(iter(found.values()))
    error = max(float(np.abs(lam - first).max()) for lam in found.values())
    if not error < 1e-9:
        raise SystemExit(f"exponents disagree by {error:.1e}: nothing to compare")
    spectrum = race(runs, 2 if options.quick else 5)
    epochs = 10
    runs, error_of_flossing = flossing(*FLOSSING, epochs)
    if not error_of_flossing < 1e-9:
        raise SystemExit(f"exponents disagree by {error_of_flossing:.1e}: nothing to compare")
    steps = {name: t / epochs for name, t in race(runs, 3 if options.quick else 21).items()}

    best, own = spectrum["lyapunov_spectrum, automatic interval"], steps["ln.floss"]
    report = {
        "torch spectrum": {
            "size": [n, k, n_steps], "largest difference": error, "seconds": summary(spectrum),
            "ratios": {name: vars(Ratio.of(t, best)) for name, t in spectrum.items()},
        },
        "torch flossing": {
            "size": FLOSSING, "largest difference": error_of_flossing, "seconds": summary(steps),
            "ratios": {name: vars(Ratio.of(t, own)) for name, t in steps.items()},
        },
    }  # fmt: skip
    for found in report.values():
        table(
            ["", "ms", "ratio"],
            [[name, f"{1e3 * t['median']:.2f}", f"{found['ratios'][name]['value']:.2f}"]
             for name, t in found["seconds"].items()],
        )  # fmt: skip
    if options.quick:
        report["command"] = "python benchmarks/torch_modules.py --quick"
    write(options.json, report)
    slow = report["torch spectrum"]["ratios"]["loop over autograd.functional.jacobian"]["value"]
    extra = report["torch flossing"]["ratios"]["flossing_loss in a loop"]["value"]
    print(f"dense Jacobians: {slow:.1f} times (claim: 5); flossing {extra:.2f} times (claim: 1.8)")
    return 0 if slow >= 5 and extra <= 1.8 else 1


if __name__ == "__main__":
    sys.exit(main())
