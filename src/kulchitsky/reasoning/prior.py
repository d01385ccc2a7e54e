"""Prior over profiles: how often each entity raises the question, and how often its tissue comes from this place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case import vocabulary as v
from kulchitsky.knowledge.model import ModelParameters
from kulchitsky.knowledge.profiles import NONE_OF_THESE, Profile
from kulchitsky.reasoning.pool import RateTable

Floats = NDArray[np.float64]


def log_prior(table: RateTable, settings: tuple[str, ...]) -> Floats:
    """Natural log prior of every profile, shape (P,), summing to one; tempered as the model says.

    Several settings (a node and the skin) must all be explained: the geometric mean of their shares. Without a
    setting the places say nothing.
    """
    model = table.model
    weight = np.array([p.base * p.share * _none(p, model) for p in table.profiles])
    none = np.array([p.entity == NONE_OF_THESE for p in table.profiles])
    place = np.ones(len(weight))
    if settings:
        shares = np.array([[_place_share(p, s, model) for s in settings] for p in table.profiles])
        place = np.exp(np.log(shares).mean(axis=1))
    entity = np.zeros(len(table.entities))
    np.add.at(entity, table.entity_of, weight * place)
    # tempering flattens entities, not the components inside one
    tempered = np.where(entity > 0, entity, 1e-300) ** model.prior
    inside = weight * place / np.where(entity > 0, entity, 1.0)[table.entity_of]
    total = inside * tempered[table.entity_of]
    assert none.any()
    return np.asarray(np.log(np.clip(total / total.sum(), 1e-300, None)))


def _none(profile: Profile, model: ModelParameters) -> float:
    return model.none_of_these if profile.entity == NONE_OF_THESE else 1.0


def _place_share(profile: Profile, setting: str, model: ModelParameters) -> float:
    """Share of the profile's specimens that come from the setting."""
    elsewhere = model.elsewhere if profile.elsewhere is None else profile.elsewhere
    total = sum(profile.places.values()) + elsewhere * (len(v.Setting) - len(profile.places))
    return profile.places.get(setting, elsewhere) / total
