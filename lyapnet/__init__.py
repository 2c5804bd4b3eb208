"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

import sys as _sys

from . import catalog
from .cells import GRU, LSTM, Activation, Cell, EchoStateNetwork, Stack, VanillaRNN
from .cells.mean_field import critical_gain, mean_field_exponent
from .cells.mean_field_driven import driven_gain
from .cells.mean_field_spectrum import mean_field_spectrum, quiescent_gain
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
from .condition.jacobians import condition_from_jacobians
from .condition.measure import condition_number
from .condition.result import ConditionNumber
from .errors import (
    DegenerateBasisError,
    DivergedError,
    FileError,
    LyapnetError,
    PrecisionError,
)
from .flossing.floss import floss
from .flossing.loss import flossing_loss
from .flossing.progress import Progress
from .flossing.result import FlossResult
from .numerics.signatures import show_types as _show_types
from .optimize import SOAP, Adam, AdamState, SOAPState
from .orbits.alignment import Alignment, alignment
from .orbits.fixed_points import FixedPoints, fixed_points
from .orbits.ftle import FTLEField, ftle_field
from .orbits.periodic_orbit import PeriodicOrbit, periodic_orbit
from .orbits.trajectory import trajectory
from .results.storage import load
from .runs.sweep import load_sweep, sweep
from .runs.sweep_result import SweepResult
from .spectrum.coupled import MasterStability, conditional_exponents, master_stability
from .spectrum.covariant import covariant_vectors
from .spectrum.covariant_result import CovariantVectors
from .spectrum.echo_state import EchoState, echo_state
from .spectrum.finite_time import finite_time_exponents
from .spectrum.invariants import Invariants, check_invariants
from .spectrum.measure import lyapunov_spectrum, spectrum_from_jacobians
from .spectrum.reservoir import ReservoirCriterion, reservoir_criterion
from .spectrum.result import Spectrum, diagnose
from .spectrum.step_check import StepCheck, check_step
from .spectrum.uncertainty.diagnosis import Diagnosis
from .systems import DelayFlow, Flow, Map, NoisyFlow, Stroboscopic, System, compiled, stroboscopic
from .systems.closed_loop import ClosedLoop
from .training import penalty, tasks
from .training.adaptive import AdaptiveFlossing
from .training.progress import TrainingProgress
from .training.result import TrainResult
from .training.ridge import ReadoutFit, fit_readout
from .training.saved import Saved, read_checkpoint
from .training.schedule import FlossingSchedule
from .training.train import train
from .weights import (
    from_flax,
    from_keras,
    from_reservoirpy,
    from_torch,
    to_flax,
    to_keras,
    to_torch,
)

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "SOAP",
    "Activation",
    "Adam",
    "AdamState",
    "AdaptiveFlossing",
    "Alignment",
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
    "EchoStateNetwork",
    "FTLEField",
    "FileError",
    "FixedPoints",
    "FlossResult",
    "FlossingSchedule",
    "Flow",
    "Invariants",
    "LyapnetError",
    "Map",
    "MasterStability",
    "NetworkComparison",
    "NoisyFlow",
    "PeriodicOrbit",
    "PrecisionError",
    "Progress",
    "ReadoutFit",
    "ReservoirCriterion",
    "SOAPState",
    "Saved",
    "Spectrum",
    "Stack",
    "StepCheck",
    "Stroboscopic",
    "SweepResult",
    "System",
    "TrainResult",
    "TrainingProgress",
    "VanillaRNN",
    "alignment",
    "catalog",
    "check_invariants",
    "check_step",
    "compare_condition",
    "compare_networks",
    "compiled",
    "condition_by_dimension",
    "condition_from_jacobians",
    "condition_number",
    "condition_reduction",
    "conditional_exponents",
    "covariant_vectors",
    "critical_gain",
    "diagnose",
    "driven_gain",
    "echo_state",
    "finite_time_exponents",
    "fit_readout",
    "fixed_points",
    "floss",
    "flossing_loss",
    "from_flax",
    "from_keras",
    "from_reservoirpy",
    "from_torch",
    "ftle_field",
    "load",
    "load_sweep",
    "lyapunov_spectrum",
    "master_stability",
    "mean_field_exponent",
    "mean_field_spectrum",
    "penalty",
    "periodic_orbit",
    "prediction_band",
    "quiescent_gain",
    "read_checkpoint",
    "reservoir_criterion",
    "spectrum_from_jacobians",
    "stroboscopic",
    "sweep",
    "tasks",
    "to_flax",
    "to_keras",
    "to_torch",
    "train",
    "trajectory",
]


def __dir__() -> list[str]:
    """List the public names alone: the modules behind them are not for users."""
    return [*__all__, "__version__"]


# ``from lyapnet.tasks import TemporalXOR`` works as for a module that stands here
_sys.modules[f"{__name__}.penalty"] = penalty
_sys.modules[f"{__name__}.tasks"] = tasks

_show_types([globals()[name] for name in __all__], __name__)
