"""Beyond the paper: whether flossing depends on the basis that it starts from."""

import numpy as np
from autograd import grad

from ... import Adam, VanillaRNN, finite_time_exponents, floss, flossing_loss
from ..compare import most
from ..harness import spread
from ..style import PALETTE, legend_below, panels

TITLE = "Flossing and the initial basis (beyond the paper)"
CLAIMS = """
The paper asks how sensitive flossing is to its orthonormal basis, which becomes unique only in the
long run. Here: exponents that were flossed on fresh random bases, or all on one basis, are as close
to zero when they are measured with other bases.
"""
SETTINGS = """
N = 32 tanh units, gain 1, k = 16, normal inputs, 300 epochs with Adam at 0.003, windows of 40
averaged steps after 10 of the state and 6 of the basis, not clipped. Measured over 100 windows,
each after 0 to 60 steps of the basis: from one basis, which was flossed or not, from random ones,
and from the one that the next six steps contract most.
"""

N, K, STEPS = 32, 16, 40
WARM = (0, 6, 20, 60)
FROM = ("own", "random", "contracting")
BASES = {"fresh": "fresh random bases", "one": "one basis"}
window = dict(n_steps=STEPS, transient=10, basis_transient=6)


def floss_on_bases(bases, network, *, epochs=300, windows=100, rng):
    start = np.random.default_rng(network)
    cell = VanillaRNN.random(N, rng=start)
    own = np.linalg.qr(start.standard_normal((N, K)))[0]
    before = cell
    if bases == "fresh":
        cell = floss(cell, epochs, k=K, optimizer=Adam(0.003), rng=start, **window).cell
    else:
        cell = floss_on_one(cell, own, epochs, start)
    found = {}
    for name, one in (("before", before), ("after", cell)):
        found[name] = {which: [] for which in FROM}
        for warm in WARM:
            u = rng.standard_normal((10 + warm + STEPS, windows, 1))
            x = rng.standard_normal((windows, N))
            for which in FROM:
                Q = starting_bases(which, one, own, x, u, rng)
                lam = finite_time_exponents(one, x, Q, inputs=u, transient=10, basis_transient=warm)
                found[name][which].append(np.sqrt((lam**2).mean()))
    return found


run = floss_on_bases


def floss_on_one(cell, basis, epochs, rng):
    """Floss, starting from the same basis in each epoch."""
    optimizer = Adam(0.003)

    def loss(params, x, u):
        lam = finite_time_exponents(
            cell.with_params(params), x, basis, inputs=u, transient=10, basis_transient=6
        )
        return flossing_loss(lam)

    for _ in range(epochs):
        x, u = rng.standard_normal(N), rng.standard_normal((STEPS + 16, 1))
        params = optimizer.update(cell.params, grad(loss)(cell.params, x, u))
        cell = cell.with_params(params)
    return cell


def starting_bases(which, cell, own, x, u, rng):
    """Return a basis for each window."""
    if which == "own":
        return np.broadcast_to(own, (len(x), N, K))
    if which == "random":
        return np.linalg.qr(rng.standard_normal((len(x), N, K)))[0]
    for step in range(10):
        x = cell.step(x, u[step])
    # The right singular vectors of what follows that belong to the smallest singular values.
    T = np.broadcast_to(np.eye(N), (len(x), N, N))
    for step in range(10, 16):
        T, x = cell.pushforward(x, T, u[step]), cell.step(x, u[step])
    return np.swapaxes(np.linalg.svd(T)[2][:, -K:], 1, 2)


def points(scale):
    size = dict(epochs=200, windows=50) if scale == "quick" else {}
    networks = range(2 if scale == "quick" else 10)
    return [dict(bases=b, network=i, **size) for b in ("fresh", "one") for i in networks]


def table(records, name, which):
    """Return the root mean square exponents ``(runs, len(WARM))``."""
    return np.array([r[name][which] for r in records])


def plot(records):
    figure, axes = panels(2, sharey=True)
    for ax, (bases, title) in zip(axes, BASES.items(), strict=True):
        some = records.where(bases=bases)
        for which, colour in zip(FROM, PALETTE, strict=False):
            for name, look in (("before", ":"), ("after", "o-")):
                low, middle, high = np.percentile(table(some, name, which), [25, 50, 75], axis=0)
                label = f"{which} basis" + (", before flossing" if name == "before" else "")
                size = dict(ms=6, mfc="white") if which == "own" else dict(ms=3)
                ax.plot(WARM, middle, look, color=colour, label=label, **size)
                ax.fill_between(WARM, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.set(xlabel="steps of the basis before the window", yscale="log")
        ax.set_title(f"flossed on {title}", fontsize=8)
    axes[0].set_ylabel(r"r.m.s. of $\lambda_i$ (nats per step)")
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    found = []
    for bases in ("fresh", "one"):
        some = records.where(bases=bases)
        own, other = (table(some, "after", which) for which in ("own", "random"))
        ratio = other[:, 1] / own[:, 1]
        found.append(
            most(
                f"flossed on {BASES[bases]}: with other random bases, after 6 steps as there, "
                "exponents are as close to zero as with its own, to within 10 %",
                abs(ratio - 1) < 0.1,
                f"ratio of the root mean squares {spread(ratio, '.3f')}; own "
                f"{spread(own[:, 1], '.3f')}",
            )
        )
        worst = table(some, "after", "contracting") / own
        found.append(
            most(
                f"flossed on {BASES[bases]}: from the most contracting basis too, after 60 steps: "
                "to within 10 %",
                abs(worst[:, -1] - 1) < 0.1,
                "ratio in the median "
                + ", ".join(f"{np.median(worst[:, j]):.2f} after {w}" for j, w in enumerate(WARM))
                + " steps",
            )
        )
    fresh, one = (table(records.where(bases=b), "after", "random")[:, 1] for b in ("fresh", "one"))
    count = min(len(fresh), len(one))
    found.append(
        most(
            "it does not matter which is flossed: on one basis or on fresh ones, random bases find "
            "the same root mean square, to within 50 %",
            abs(np.log(one[:count] / fresh[:count])) < np.log(1.5),
            f"fresh {spread(fresh, '.3f')}, one {spread(one, '.3f')}",
        )
    )
    return found
