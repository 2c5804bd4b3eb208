"""How many steps a run takes, and how they are divided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import validate

#: Each warm-up takes a tenth of the run, but at least so many steps.
_WARM_UP = 100

#: With a tolerance no more than this, whatever the largest number of steps.
_LONGEST_WITH_TOL = 2000


#: Times a last stretch that one has to be from which it is taken.
_MUCH = 2

#: Phase, first step and the step after the last.
Stretch = tuple[str, int, int]


@dataclass(frozen=True)
class Plan:
    """How many steps a run takes, and how.

    Attributes
    ----------
    transient, basis_transient, n_steps : int
        Steps of the state alone, of state and basis, and of the average.
    interval : int
        Steps between factorisations.
    forgiving : bool
        Whether the interval was chosen automatically. Blocks in which the basis comes near to
        losing rank are divided; one in which it has lost it is refused where the interval
        was asked for.
    """

    transient: int
    basis_transient: int
    n_steps: int
    interval: int = 1
    forgiving: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Plan:
        """Return the plan of a run that is done, from its settings."""
        names = ("transient", "basis_transient", "n_steps", "qr_interval")
        return cls(*(settings[name] for name in names))

    @property
    def total(self) -> int:
        """Number of all steps."""
        return self.warm_up + self.n_steps

    @property
    def warm_up(self) -> int:
        """Number of steps before the average."""
        return self.transient + self.basis_transient

    def stretches(self, length: int, last: int = 0) -> Iterator[Stretch]:
        """Yield stretches of whole blocks, of at most about `length` steps.

        So many steps at least are a stretch by themselves at the end, if it is not much shorter.
        """
        length = max(1, length // self.interval) * self.interval
        phases = ("transient", "basis_transient", "n_steps")
        for phase, start, stop in divided({name: getattr(self, name) for name in phases}, length):
            if last and stop == self.total and stop - start >= _MUCH * last:
                middle = start + (stop - start - last) // self.interval * self.interval
                yield phase, start, middle
                start = middle
            yield phase, start, stop


def divided(phases: Mapping[str, int], length: int, start: int = 0) -> Iterator[Stretch]:
    """Yield stretches of at most `length` steps that fill the phases of a run, one by one."""
    for phase, steps in phases.items():
        end = start + steps
        while start < end:
            stop = min(start + length, end)
            yield phase, start, stop
            start = stop


def plan_of(
    given: int | None, n_steps: Any, transient: Any, basis_transient: Any, tol: Any = None
) -> Plan:
    """Complete the counts of steps of a run, whose inputs may be `given` steps long."""
    if n_steps is not None:
        n_steps = validate.integer("n_steps", n_steps, low=1)
        warm = max(_WARM_UP, n_steps // 10)
    elif given is not None:
        warm = given // 10
    else:
        more = ", the most to take," if tol is not None else ""
        raise ValueError(f"`n_steps`{more} is needed where no `inputs` fix the number of steps")
    if tol is not None:
        warm = min(warm, _LONGEST_WITH_TOL)  # n_steps is only the most that may be needed
    chosen = n_steps is not None and (transient is None or basis_transient is None)
    plan = window_plan(
        given,
        n_steps,
        warm if transient is None else transient,
        warm if basis_transient is None else basis_transient,
    )
    if chosen and given is not None and given < plan.total:
        asked = {"transient": transient, "basis_transient": basis_transient}
        raise ValueError(_too_few_inputs(given, plan, asked))
    return plan


def _too_few_inputs(length: int, plan: Plan, asked: dict[str, Any]) -> str:
    """Say that inputs are too few for warm-ups that were not asked for, and what to give."""
    warm = {name: getattr(plan, name) for name in asked}
    more = " and ".join(f"{name}={count}" for name, count in warm.items() if count)
    own = [name for name, count in asked.items() if count is None]
    left = length - plan.n_steps - sum(warm[name] for name in asked if name not in own)
    ways = []
    if left > 1:
        ways.append(f"give {', '.join(f'{name}={left // len(own)}' for name in own)}")
    if length > plan.warm_up:
        ways.append(f"n_steps={length - plan.warm_up}")
    ways.append("leave out n_steps, and it is what shorter warm-ups leave of the inputs")
    steps = validate.counted(length, "step", "steps")
    return (
        f"`inputs` has {steps}, but n_steps={plan.n_steps} comes on top of {more}, {plan.total} "
        f"together: {'; or '.join(ways)}; or give a longer sequence"
    )


def window_plan(
    given: int | None, n_steps: Any, transient: Any, basis_transient: Any, qr_interval: Any = 1
) -> Plan:
    """Check the counts of steps of a window, and complete them from the length of the inputs."""
    transient = validate.integer("transient", transient, low=0)
    basis_transient = validate.integer("basis_transient", basis_transient, low=0)
    interval = interval_of(qr_interval)
    if n_steps is None:
        if given is None:
            raise ValueError("`n_steps` is needed where no `inputs` fix the number of steps")
        n_steps = given - transient - basis_transient
        if n_steps < 1:
            raise ValueError(
                f"`inputs` has {validate.counted(given, 'step', 'steps')}, not more than "
                f"transient={transient} and basis_transient={basis_transient} take: give a longer "
                "sequence"
            )
    n_steps = validate.integer("n_steps", n_steps, low=1)
    return Plan(transient, basis_transient, n_steps, interval or 1, forgiving=interval is None)


def interval_of(qr_interval: Any) -> int | None:
    """Return the QR interval, None for the automatic one."""
    if isinstance(qr_interval, str) and qr_interval == "auto":
        return None
    if not isinstance(qr_interval, str) and hasattr(qr_interval, "__index__"):
        return validate.integer("qr_interval", qr_interval, low=1)
    kind = ValueError if isinstance(qr_interval, str) else TypeError
    raise kind(f'`qr_interval` must be an integer, at least 1, or "auto", got {qr_interval!r}')
