"""What the name of a file says about a slide: whether it is one, and which stain it shows."""

from __future__ import annotations

import re

from kulchitsky.knowledge.aliases import resolve_marker

PROLIFERATION_STAIN = "ki67"
"""The stain that is counted; every other is read."""

SLIDE_ENDINGS = frozenset(
    {".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".tif", ".tiff", ".dcm", ".png", ".jpg", ".jpeg"}
)


def stain_of_name(stem: str) -> str | None:
    """The marker a file name starts with: the longest leading run of its words that is a marker's name."""
    words = re.split(r"[\s_.-]+", stem.lower())
    for n in range(len(words), 0, -1):
        for joiner in ("_", " ", "-", ""):
            found = resolve_marker(joiner.join(words[:n]))
            if found is not None:
                return found
    return None
