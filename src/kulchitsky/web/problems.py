"""What an error looks like to a script."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Place(BaseModel):
    """Where in a request something is wrong."""

    place: str
    problem: str


class Problem(BaseModel):
    """One sentence for a person; for a request of the wrong shape also every place."""

    error: str
    detail: tuple[Place, ...] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Not signed in"},
    403: {"model": Problem, "description": "No CSRF token of this session, or closed to this reader for now"},
    404: {"model": Problem, "description": "There is no such page or record"},
    422: {"model": Problem, "description": "Not accepted: the sentence says why and what would help"},
}
