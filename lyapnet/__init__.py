"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

from . import catalog
from .cells import GRU, LSTM, Activation, Cell, Stack, VanillaRNN
from .cells.mean_field import critical_gain, mean_field_exponent
from .condition.comparison import (
    ConditionByDimension,
    ConditionComparison,
    ConditionReduction,
    NetworkComparison,
    compare_condition,
    compare_networks,
    condition_by_dimension,
    condition_reduction,
    prediction_band,
)
from .condition.measure import ConditionNumber, condition_from_jacobians, condition_number
from .errors import DegenerateBasisError, DivergedError, LyapnetError, PrecisionError
from .flossing.floss import floss
from .flossing.loss import flossing_loss
from .flossing.progress import Progress
from .flossing.result import FlossResult
from .optimize import Adam, AdamState
from .results.storage import load
from .runs.sweep import load_sweep, sweep
from .runs.sweep_result import SweepResult
from .spectrum.covariant import CovariantVectors, covariant_vectors
from .spectrum.echo_state import EchoState, echo_state
from .spectrum.finite_time import finite_time_exponents
from .spectrum.invariants import Invariants, check_invariants
from .spectrum.measure import lyapunov_spectrum, spectrum_from_jacobians
from .spectrum.result import Spectrum, diagnose
from .spectrum.uncertainty.diagnosis import Diagnosis
from .systems import DelayFlow, Flow, Map, NoisyFlow, Stroboscopic, System, compiled, stroboscopic
from .systems.closed_loop import ClosedLoop
from .training import tasks
from .training.progress import TrainingProgress
from .training.result import TrainResult
from .training.schedule import AdaptiveFlossing, FlossingSchedule
from .training.train import train
from .weights import from_flax, from_keras, from_torch, to_flax, to_keras, to_torch

__version__ = "0.1.0.dev0"

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Adam",
    "AdamState",
    "AdaptiveFlossing",
    "Cell",
    "ClosedLoop",
    "ConditionByDimension",
    "ConditionComparison",
    "ConditionNumber",
    "ConditionReduction",
    "CovariantVectors",
    "DegenerateBasisError",
    "DelayFlow",
    "Diagnosis",
    "DivergedError",
    "EchoState",
    "FlossResult",
    "FlossingSchedule",
    "Flow",
    "Invariants",
    "LyapnetError",
    "Map",
    "NetworkComparison",
    "NoisyFlow",
    "PrecisionError",
    "Progress",
    "Spectrum",
    "Stack",
    "Stroboscopic",
    "SweepResult",
    "System",
    "TrainResult",
    "TrainingProgress",
    "VanillaRNN",
    "catalog",
    "check_invariants",
    "compare_condition",
    "compare_networks",
    "compiled",
    "condition_by_dimension",
    "condition_from_jacobians",
    "condition_number",
    "condition_reduction",
    "covariant_vectors",
    "critical_gain",
    "diagnose",
    "echo_state",
    "finite_time_exponents",
    "floss",
    "flossing_loss",
    "from_flax",
    "from_keras",
    "from_torch",
    "load",
    "load_sweep",
    "lyapunov_spectrum",
    "mean_field_exponent",
    "prediction_band",
    "spectrum_from_jacobians",
    "stroboscopic",
    "sweep",
    "tasks",
    "to_flax",
    "to_keras",
    "to_torch",
    "train",
]


def __dir__() -> list[str]:
    """List the public names alone: the modules behind them are not for users."""
    return [*__all__, "__version__"]
