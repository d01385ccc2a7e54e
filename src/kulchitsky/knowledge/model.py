"""Parameters of the differential, read from ``profiles/model.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kulchitsky.knowledge.profiles import read_toml


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """How strongly each kind of evidence counts, and how uncertain it is; see the data file for each one's reason."""

    redundant_stains: float
    other_stains: float
    context: float
    prior: float
    sharpness: float
    redundant_groups: frozenset[str]
    stain_floor: float
    context_floor: float
    focal_percent: float
    focal_of_positive: float
    focal_of_negative: float
    uniform_share: float
    ki67_uniform_share: float
    density_log_sd: float
    age_weight: float
    ki67_weight: float
    mitoses_weight: float
    duration_weight: float
    size_weight: float
    default_age: tuple[float, float]
    default_ki67: tuple[float, float, float]
    default_mitoses: tuple[float, float]
    default_duration_months: tuple[float, float]
    default_size_cm: tuple[float, float]
    default_dot: tuple[float, float]
    usual_correlation: float
    default_correlation: float
    expectation_cases: float
    prior_log_sd: float
    elsewhere: float
    region_elsewhere: float
    none_of_these: float


@cache
def load_model() -> ModelParameters:
    """The shipped parameters; the same object on every call."""
    t = read_toml("profiles/model.toml")
    tempering, density, prior = t["tempering"], t["density"], t["prior"]
    return ModelParameters(
        redundant_stains=tempering["redundant_stains"],
        other_stains=tempering["other_stains"],
        context=tempering["context"],
        prior=tempering["prior"],
        sharpness=tempering["sharpness"],
        redundant_groups=frozenset(tempering["redundant_groups"]),
        stain_floor=t["floor"]["stain"],
        context_floor=t["floor"]["context"],
        focal_percent=t["extent"]["focal_percent"],
        focal_of_positive=t["extent"]["focal_of_positive"],
        focal_of_negative=t["extent"]["focal_of_negative"],
        uniform_share=density["uniform_share"],
        ki67_uniform_share=density["ki67_uniform_share"],
        density_log_sd=density["log_sd"],
        age_weight=density["age_weight"],
        ki67_weight=density["ki67_weight"],
        mitoses_weight=density["mitoses_weight"],
        duration_weight=density["duration_weight"],
        size_weight=density["size_weight"],
        default_age=tuple(density["default_age"]),
        default_ki67=tuple(density["default_ki67"]),
        default_mitoses=tuple(density["default_mitoses"]),
        default_duration_months=tuple(density["default_duration_months"]),
        default_size_cm=tuple(density["default_size_cm"]),
        default_dot=tuple(density["default_dot"]),
        usual_correlation=t["pooling"]["usual_correlation"],
        default_correlation=t["pooling"]["default_correlation"],
        expectation_cases=t["pooling"]["expectation_cases"],
        prior_log_sd=prior["log_sd"],
        elsewhere=prior["elsewhere"],
        region_elsewhere=prior["region_elsewhere"],
        none_of_these=prior["none_of_these"],
    )
