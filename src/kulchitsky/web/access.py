"""Dependencies of routes: the workbench, the signed-in session, and the CSRF check of every change."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from kulchitsky.web.security import same_origin
from kulchitsky.web.sessions import COOKIE_NAME, Session
from kulchitsky.web.workbench import Workbench

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
MOST_FIELDS = 5000
"""Fields of the largest form: a case with hundreds of stains."""


def workbench(request: Request) -> Workbench:
    """The state of this server."""
    bench = request.app.state.workbench
    assert isinstance(bench, Workbench)
    return bench


Bench = Annotated[Workbench, Depends(workbench)]


async def signed_in(request: Request, bench: Bench) -> Session:
    """The session of this browser; 401 without one, 403 when a change lacks this session's CSRF token."""
    session = bench.sessions.find(request.cookies.get(COOKIE_NAME))
    if session is None:
        raise HTTPException(401, "Sign in with the address that the server printed when it started.")
    if request.method not in SAFE_METHODS:
        await _check_change(request, session)
    return session


async def _check_change(request: Request, session: Session) -> None:
    origin = request.headers.get("origin")
    if origin is not None and not same_origin(origin, request.headers.get("host", "")):
        raise HTTPException(403, "The request comes from another site.")
    token = request.headers.get(CSRF_HEADER)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if token is None and kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        value = (await request.form(max_fields=MOST_FIELDS)).get(CSRF_FIELD)
        token = value if isinstance(value, str) else None
    if token is None or not hmac.compare_digest(token.encode(), session.csrf_token.encode()):
        raise HTTPException(403, "The page is out of date or the request was not made by it: reload and try again.")


SignedIn = Annotated[Session, Depends(signed_in)]


async def sent_form(request: Request) -> dict[str, list[str]]:
    """Every text value of every name of a form; files are not among them."""
    sent = await request.form(max_fields=MOST_FIELDS)
    return {name: [v for v in sent.getlist(name) if isinstance(v, str)] for name in sent}


SentForm = Annotated[dict[str, list[str]], Depends(sent_form)]
