"""How far the Lyapunov estimate of condition numbers, equation 10, agrees with measurement."""

from .band import prediction_band
from .dimension import ConditionByDimension, condition_by_dimension
from .growth import ConditionComparison, compare_condition
from .networks import NetworkComparison, compare_networks
from .reduction import ConditionReduction, condition_reduction

__all__ = [
    "ConditionByDimension",
    "ConditionComparison",
    "ConditionReduction",
    "NetworkComparison",
    "compare_condition",
    "compare_networks",
    "condition_by_dimension",
    "condition_reduction",
    "prediction_band",
]
