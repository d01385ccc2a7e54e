"""What was asked for by an id or a place does not exist: an answer of its own, not a defect."""

from __future__ import annotations


class NotThere(LookupError):
    """There is no such slide, tile, case, reading or count."""
