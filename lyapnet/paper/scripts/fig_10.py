"""Fig. 10: singular values of dL/dW at flossing episodes."""

import numpy as np

from ..compare import most
from ..harness import Finding, spread
from ..learning import FINE, learn
from ..style import COLOURS, NAMES, bands, legend_below, panels
from . import fig_8

TITLE = "Singular values of the gradient in the recurrent weights"
CLAIMS = """
The subordinate singular values of dL/dW peak at flossing episodes while the leading one hardly
changes: flossing raises the effective rank of the update. Without flossing the subordinate ones
fall to tiny values, while the leading one is of comparable size.
"""
SETTINGS = f"""
The runs of figure 8. {fig_8.SETTINGS.strip()} Singular values 1, 10 and N/2; which subordinate
ones the paper shows is not known.
"""

NAMES_OF_VALUES = {0: "first", 1: "tenth", 2: "middle"}
LABELS = (r"$\sigma_1$", r"$\sigma_{10}$", r"$\sigma_{N/2}$")
run = learn
points = fig_8.points


def plot(records):
    figure, axes = panels(3, 2, sharey=True)
    flossed = fig_8.episodes(records.where(condition="episodes"))
    early = 2 * max(flossed, default=500)
    for condition in fig_8.CONDITIONS:
        some = records.where(condition=condition)
        if not some:
            continue
        look = dict(color=COLOURS[condition], label=NAMES[condition])
        sigma = some.values("singular_values")
        x = FINE * (np.arange(sigma.shape[1]) + 0.5)
        for i in range(3):
            for row, shown in enumerate((x < early, x > 0)):
                bands(axes[row, i], x[shown], sigma[:, shown, i], each=row == 0, **look)
    for i, ax in enumerate(axes[0]):
        ax.set_title(f"{LABELS[i]}, early", fontsize=8)
        axes[1, i].set_title(f"{LABELS[i]}, whole run", fontsize=8)
        for epoch in flossed:
            ax.axvline(epoch, color="0.6", lw=0.6, ls=":", zorder=0, label="flossed again")
    for ax in np.ravel(axes):
        ax.set(yscale="log", xlabel="training epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel("singular value of dL/dW")
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    found = []
    flossed, plain = (records.where(condition=c) for c in ("episodes", "none"))
    if flossed and fig_8.episodes(flossed):
        jumps = [fig_8.peaks(flossed, flossed.values("singular_values")[:, :, i]) for i in range(3)]
        for i in (1, 2):
            claim = (
                f"the {NAMES_OF_VALUES[i]} singular value peaks at flossing, more than the first"
            )
            text = (
                f"by a factor of {spread(jumps[i], '.2g')}, the first by "
                f"{spread(jumps[0], '.2g')}, from the ten epochs before to the ten after"
            )
            found.append(most(claim, jumps[i] > np.maximum(1.5, jumps[0]), text))
    if flossed and plain:
        ends = [
            np.exp(np.log(some.values("singular_values")[:, -10:]).mean(axis=(0, 1)))
            for some in (plain, flossed)
        ]
        ratio = ends[1] / ends[0]
        found.append(
            Finding(
                "at the end the subordinate values are smaller without flossing, the leading one "
                "comparable",
                ", ".join(
                    f"{label} {x:.1g} times as large with"
                    for label, x in zip(("1st", "10th", "middle"), ratio, strict=True)
                ),
                bool(ratio[1] > 10 and ratio[2] > 10 and ratio[0] < 10),
            )
        )
    return found
