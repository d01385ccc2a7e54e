"""Who stands behind a change of a registry: the name given, the environment's, else the login name."""

from __future__ import annotations

import getpass
import os

from kulchitsky.case.errors import RefusedRegistry

ENVIRONMENT = "KULCHITSKY_USER"


def registry_person(who: str | None = None) -> str:
    """Return the name to record; refused where there is none to be found."""
    if who and who.strip():
        return who.strip()
    named = os.environ.get(ENVIRONMENT, "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise RefusedRegistry(
            "this account has no name", source="registry", remedy=f"say who with --who or {ENVIRONMENT}"
        ) from None
