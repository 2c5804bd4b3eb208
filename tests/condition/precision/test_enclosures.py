"""Nothing that is claimed is false: random products against their exact value."""

from dataclasses import replace

import numpy as np
import pytest
from condition_truth import Case, cases, check, jacobians, log10_singular_values
from hypothesis import HealthCheck, given, settings

from lyapnet.condition.jacobians import condition_from_jacobians
from lyapnet.errors import PrecisionError

WAYS = [
    {"backend": "flint", "certify": True},
    {"backend": "flint"},
    {"backend": "mpmath"},
]


def measure(case, **way):
    try:
        return condition_from_jacobians(
            case.jacobians, basis=case.basis, times=case.steps, precision=case.precision, **way
        )
    except PrecisionError as error:
        return error.partial


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cases(t_max=60))
def test_random_products(case):
    results = [measure(case, **way) for way in WAYS]
    truth = log10_singular_values(case.jacobians, results[0].settings["basis"], case.steps)
    for result in results:
        check(case, result, truth)


@pytest.mark.parametrize("field", ["log10_measured", "log10_lower", "log10_singular_upper"])
def test_the_check_can_fail(field):
    """A wrong claim, were there one, would be noticed."""
    rng = np.random.default_rng(0)
    case = Case("gaussian", jacobians("gaussian", 4, 20, 1, rng), np.eye(4), [20], 256)
    result = measure(case, **WAYS[0])
    truth = log10_singular_values(case.jacobians, result.settings["basis"], case.steps)
    assert check(case, result, truth)
    shift = -1e-9 if field.endswith("upper") else 1e-9
    wrong = replace(result, **{field: getattr(result, field) + shift})
    with pytest.raises(AssertionError):
        check(case, wrong, truth)
