"""Fig. 15: a basis evolves, shears, and is reorthonormalised."""

import numpy as np

from ... import VanillaRNN, finite_time_exponents
from ..harness import Finding
from ..style import PALETTE, panels

TITLE = "A basis evolves, shears and is reorthonormalised"
CLAIMS = """
An orthonormal basis that the Jacobians carry along turns towards the direction that grows fastest,
so that it shears; factorised as QR it is orthonormal again, and R keeps how it has grown. This
gives the same exponents however rarely it is done, as long as the basis is well conditioned.
"""
SETTINGS = """
Ten networks of two tanh units, gain 2, normal inputs times 0.3, four stretches of three steps; the
picture shows two of one network. The paper's is a sketch; this one is computed.
"""

STRETCHES, INTERVAL = 4, 3
SHOWN = 45  # the network of the picture
STEPS = STRETCHES * INTERVAL


def evolve_basis(network, *, rng):
    start = np.random.default_rng(network)
    cell = VanillaRNN.random(2, gain=2.0, rng=start)
    u = 0.3 * start.standard_normal((STEPS, 1))
    x, Q = np.zeros(2), np.eye(2)
    bases, growth = [[Q]], []
    for s in range(STEPS):
        Q = cell.pushforward(x, Q, u[s])
        x = cell.step(x, u[s])
        bases[-1].append(Q)
        if (s + 1) % INTERVAL == 0:
            Q, R = np.linalg.qr(Q)
            Q, R = Q * np.sign(np.diag(R)), np.sign(np.diag(R))[:, None] * R
            growth.append(np.log(np.diag(R)))
            bases.append([Q])
    each = finite_time_exponents(cell, np.zeros(2), np.eye(2), inputs=u)
    return {
        "bases": bases,
        "growth": growth,
        "exponents": np.sum(growth, axis=0) / STEPS,
        "off": np.max(np.abs(np.sum(growth, axis=0) / STEPS - each)),
        "sheared": [cosine(b[-1]) for b in bases[:-1]],
        "mended": [cosine(b[0]) for b in bases],
    }


run = evolve_basis


def points(scale):
    return [dict(network=i) for i in (SHOWN, *range(9))]


def plot(records):
    r = records.where(network=SHOWN)[0]
    figure, axes = panels(INTERVAL + 2, 2, height=1.7, sharex=True, sharey=True)
    for row, (stretch, fresh) in enumerate(zip(r["bases"][:2], r["bases"][1:3], strict=True)):
        for i, (ax, Q) in enumerate(zip(axes[row], [*stretch, fresh[0]], strict=True)):
            Q = np.array(Q)
            ax.fill(*np.array([0 * Q[0], Q[:, 0], Q.sum(axis=1), Q[:, 1]]).T, color="0.9")
            for j, colour in enumerate(PALETTE[:2]):
                arrow = dict(arrowstyle="-|>", color=colour, lw=1.3, shrinkA=0, shrinkB=0)
                ax.annotate("", Q[:, j], (0, 0), arrowprops=arrow)
            t = INTERVAL * row + min(i, INTERVAL)
            ax.set_title(f"t = {t}, QR" if i > INTERVAL else f"t = {t}", fontsize=8)
            ax.set_title("", loc="left")
            ax.set(xlim=(-1.8, 1.4), ylim=(-0.7, 2.1), aspect="equal")
    figure.supxlabel("component 1 of the tangent vectors", fontsize=8)
    figure.supylabel("component 2", fontsize=8)
    return figure


def cosine(Q):
    """Return the cosine of the angle between the two vectors of a basis."""
    a, b = (Q / np.linalg.norm(Q, axis=0)).T
    return abs(a @ b)


def findings(records):
    before, after = records.values("sheared"), records.values("mended")
    off = records.values("off").max()
    return [
        Finding(
            f"a basis shears in {INTERVAL} steps, and is orthonormal after each factorisation",
            f"cosine of its angle {before.mean():.2f} on average before, at most "
            f"{after.max():.1e} after",
            bool(before.mean() > 0.3 and after.max() < 1e-12),
        ),
        Finding(
            f"factorising every {INTERVAL} steps gives the exponents of every step",
            f"largest difference {off:.1e} nats per step, in {len(records)} networks",
            bool(off < 1e-12),
        ),
    ]
