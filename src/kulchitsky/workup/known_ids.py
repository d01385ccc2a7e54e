"""Names that a person may type for a marker or an entity."""

from __future__ import annotations

from kulchitsky.knowledge.aliases import resolve_entity, resolve_marker
from kulchitsky.knowledge.base import load_knowledge


def marker_names() -> dict[str, str]:
    """Marker id → display name."""
    return {key: marker.name for key, marker in load_knowledge().markers.items()}


def entity_names() -> dict[str, str]:
    """Entity id → display name."""
    return {key: entity.name for key, entity in load_knowledge().entities.items()}


def marker_id(text: str) -> str | None:
    """The id of a marker however it is written, or ``None``."""
    return resolve_marker(text)


def entity_id(text: str) -> str | None:
    """The id of an entity however it is written, or ``None``."""
    return resolve_entity(text)
