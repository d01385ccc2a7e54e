"""Who is at the browser: one-time login tokens, sessions in memory, the CSRF token of each."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass

COOKIE_NAME = "kulchitsky_session"
READER_NAME_LIMIT = 60


@dataclass(slots=True)
class Session:
    """One signed-in browser. ``reader`` is the name that its corrections are logged under."""

    id: str
    reader: str
    csrf_token: str
    expires: float


class Sessions:
    """Sessions and login tokens of one server; both end with the process.

    A one-time token opens one session and is then spent. ``access_token`` (shared by a group) may be used again.
    """

    def __init__(self, *, access_token: str | None, hours: float) -> None:
        self._access_token = access_token
        self._seconds = hours * 3600
        self._one_time: dict[str, str] = {}
        self._sessions: dict[str, Session] = {}

    def issue_one_time_token(self, reader: str) -> str:
        """A fresh token that signs ``reader`` in once."""
        token = secrets.token_urlsafe(24)
        self._one_time[token] = reader
        return token

    def open(self, token: str, reader: str = "") -> Session | None:
        """The new session that ``token`` grants, or ``None`` if it grants nothing.

        A one-time token carries its reader's name; ``reader`` counts for the shared access token only.
        """
        for known in tuple(self._one_time):
            if hmac.compare_digest(known.encode(), token.encode()):
                return self._start(self._one_time.pop(known))
        name = clean_reader_name(reader)
        if self._access_token and name and hmac.compare_digest(self._access_token.encode(), token.encode()):
            return self._start(name)
        return None

    def find(self, session_id: str | None) -> Session | None:
        """The live session of a cookie."""
        session = self._sessions.get(session_id or "")
        if session is not None and session.expires < time.monotonic():
            del self._sessions[session.id]
            return None
        return session

    def end(self, session: Session) -> None:
        """Sign out."""
        self._sessions.pop(session.id, None)

    def _start(self, reader: str) -> Session:
        session = Session(
            id=secrets.token_urlsafe(32),
            reader=reader,
            csrf_token=secrets.token_urlsafe(32),
            expires=time.monotonic() + self._seconds,
        )
        self._sessions[session.id] = session
        return session


def clean_reader_name(name: str) -> str:
    """A reader's name as the log keeps it: printable, single-spaced, at most 60 characters; empty if unusable."""
    return " ".join("".join(c for c in name if c.isprintable()).split())[:READER_NAME_LIMIT]
