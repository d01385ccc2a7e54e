"""Densities of the quantities of a case (age, Ki-67, mitoses, duration, size, region) under a profile."""

from __future__ import annotations

import math

from kulchitsky.knowledge.model import ModelParameters
from kulchitsky.knowledge.profiles import Profile
from kulchitsky.reasoning.finding import Finding

# a region counts in part for a lesion described by the wider region it lies in
_WITHIN = {
    "eyelid": "face",
    "face": "head_neck",
    "scalp": "head_neck",
    "neck": "head_neck",
    "chest": "trunk",
    "abdomen": "trunk",
    "groin": "trunk",
    "axilla": "trunk",
    "pelvis": "abdomen",
    "perineum": "pelvis",
    "spine": "trunk",
}
_REGIONS = (*_WITHIN, "head_neck", "trunk", "upper_limb", "lower_limb")
_WIDER_SHARE = 0.5
_OLDEST, _LONGEST_MONTHS, _LARGEST_CM, _MOST_MITOSES = 100.0, 240.0, 30.0, 200.0


def log_density(finding: Finding, profile: Profile, model: ModelParameters) -> float:
    """Weighted log density of a quantity (natural logarithm); a broad default where the profile has none.

    Every density is mixed with a uniform share over the possible range: no value rules an entity out.
    """
    x = finding.value
    if finding.kind == "age":
        mean, sd = profile.age or model.default_age
        return model.age_weight * _mixed(_normal(x, mean, sd), 1 / _OLDEST, model)
    if finding.kind == "ki67":
        density, share = _logit_normal(x, profile.ki67 or model.default_ki67), model.ki67_uniform_share
        return model.ki67_weight * math.log((1 - share) * density + share / 100)
    if finding.kind == "mitoses":
        median, gsd = profile.mitoses or model.default_mitoses
        return model.mitoses_weight * _mixed(_log_normal(x + 0.5, median + 0.5, gsd), 1 / _MOST_MITOSES, model)
    if finding.kind == "duration":
        median, gsd = profile.duration_months or model.default_duration_months
        return model.duration_weight * _mixed(_log_normal(x, median, gsd), 1 / _LONGEST_MONTHS, model)
    if finding.kind == "size":
        median, gsd = profile.size_cm or model.default_size_cm
        return model.size_weight * _mixed(_log_normal(x, median, gsd), 1 / _LARGEST_CM, model)
    raise ValueError(f"a {finding.kind} finding has no density")


def _mixed(density: float, uniform: float, model: ModelParameters) -> float:
    return math.log((1 - model.uniform_share) * density + model.uniform_share * uniform)


def _normal(x: float, mean: float, sd: float) -> float:
    return math.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))


def _log_normal(x: float, median: float, geometric_sd: float) -> float:
    x = max(x, 0.05)
    return _normal(math.log(x), math.log(median), math.log(geometric_sd)) / x


def _logit(percent: float) -> float:
    share = min(max(percent / 100, 0.002), 0.995)
    return math.log(share / (1 - share))


def _logit_normal(percent: float, shape: tuple[float, float, float]) -> float:
    """Density per percentage point; the percentiles are the 5th and 95th (1.645 standard deviations either side)."""
    median, low, high = shape
    sd = max((_logit(high) - _logit(low)) / (2 * 1.645), 0.5)
    share = min(max(percent / 100, 0.005), 0.99)
    return _normal(_logit(100 * share), _logit(median), sd) / (100 * share * (1 - share))


def ki67_tail(percent: float, shape: tuple[float, float, float]) -> float:
    """Probability of a Ki-67 index at least as far from the profile's median, on the side where it lies."""
    median, low, high = shape
    sd = max((_logit(high) - _logit(low)) / (2 * 1.645), 0.5)
    z = abs(_logit(percent) - _logit(median)) / sd
    return 0.5 * math.erfc(z / math.sqrt(2))


def region_share(region: str, profile: Profile, model: ModelParameters) -> float:
    """Share of the profile's lesions in a body region; uniform where the profile names none.

    A region counts in part for the region that holds it (an eyelid lesion for a profile of the face).
    """
    if not profile.regions:
        return 1 / len(_REGIONS)

    def weight(name: str) -> float:
        own = profile.regions.get(name, model.region_elsewhere)
        wider = _WITHIN.get(name)
        return max(own, _WIDER_SHARE * profile.regions.get(wider, 0.0)) if wider else own

    return weight(region) / sum(weight(name) for name in _REGIONS)
