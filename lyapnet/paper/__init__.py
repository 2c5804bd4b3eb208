"""Every figure of the paper, and some beyond it: one short script of lyapnet's calls each.

R. Engelken, Gradient Flossing: Improving Gradient Descent through Dynamic Control of
Jacobians, NeurIPS 2023, arXiv:2312.17306. A script says what its figure `CLAIMS`, which
`SETTINGS` it has and which of these the paper leaves open; it lists the `points` of a scale,
does one of them in `run`, draws what they have given in `plot`, and puts the claims in numbers in
`findings`; `DIFFERING` remarks on those that the data do not bear out. `reproduce` does the rest.
"""

from .harness import FIGURES, Finding, Outcome, Records, load_figure, reproduce

__all__ = ["FIGURES", "Finding", "Outcome", "Records", "load_figure", "reproduce"]
