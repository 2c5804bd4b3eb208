"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

from . import catalog, tasks
from .cells import GRU, LSTM, Activation, Cell, Stack, VanillaRNN
from .condition import ConditionNumber, condition_from_jacobians, condition_number
from .covariant import CovariantVectors, covariant_vectors
from .diagnosis import Diagnosis
from .driven import ClosedLoop, EchoState, echo_state
from .errors import DegenerateBasisError, DivergedError, LyapnetError, PrecisionError
from .exponents import Spectrum, diagnose
from .finite_time import finite_time_exponents
from .floss import FlossResult, floss
from .invariants import Invariants, check_invariants
from .meanfield import critical_gain, mean_field_exponent
from .optimize import Adam, AdamState
from .progress import Progress, TrainingProgress
from .schedule import AdaptiveFlossing, FlossingSchedule
from .spectrum import lyapunov_spectrum, spectrum_from_jacobians
from .storage import load
from .sweep import SweepResult, load_sweep, sweep
from .systems import Flow, Map, System, compiled
from .train import TrainResult, train
from .validity import (
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
from .weights import from_flax, from_keras, from_torch, to_flax, to_keras, to_torch
from .window import flossing_loss

__version__ = "0.1.0.dev0"

__all__ = [
    "compiled",
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
    "PrecisionError",
    "Progress",
    "Spectrum",
    "Stack",
    "SweepResult",
    "System",
    "TrainResult",
    "TrainingProgress",
    "VanillaRNN",
    "catalog",
    "check_invariants",
    "compare_condition",
    "compare_networks",
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
