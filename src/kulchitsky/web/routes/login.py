"""Signing in and out, inviting another reader, and the description of the interface."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from kulchitsky.web.access import Bench, SignedIn
from kulchitsky.web.pages import render
from kulchitsky.web.sessions import COOKIE_NAME, Session, clean_reader_name

public = APIRouter()
router = APIRouter(tags=["sign-in"])

Token = Annotated[str, Query(max_length=200)]


class Invitation(BaseModel):
    """A path that signs another reader in, once."""

    reader: str
    path: str


@router.get("/", include_in_schema=False)
def home() -> RedirectResponse:
    """The first page."""
    return RedirectResponse("/cases", 303)


@public.get("/login", response_class=HTMLResponse, include_in_schema=False)
def login_page(request: Request, bench: Bench, token: Token = "") -> Response:
    """Sign in with the one-time address, or show the form for a group's access token."""
    if token:
        return _signed_in(request, bench, token, "")
    return render(request, "login.html", None, shared=bench.settings.access_token is not None, message="")


@public.post("/login", response_class=HTMLResponse, include_in_schema=False)
def login_form(
    request: Request,
    bench: Bench,
    token: Annotated[str, Form(max_length=200)],
    reader: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Sign in with a group's access token and a name."""
    return _signed_in(request, bench, token, reader)


@router.post("/logout", include_in_schema=False)
def logout(session: SignedIn, bench: Bench) -> RedirectResponse:
    """Sign out."""
    bench.sessions.end(session)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE_NAME)
    return answer


@router.post("/readers", summary="Invite another reader: a one-time address to sign in under a name")
def invite(bench: Bench, reader: Annotated[str, Query(min_length=1, max_length=60)]) -> Invitation:
    """The address is shown once; whoever opens it reads under that name."""
    name = clean_reader_name(reader)
    if not name:
        raise HTTPException(422, "The name has no printable character.")
    return Invitation(reader=name, path=f"/login?token={bench.sessions.issue_one_time_token(name)}")


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request) -> dict[str, Any]:
    """The OpenAPI description of this interface."""
    schema: dict[str, Any] = request.app.openapi()
    return schema


def _signed_in(request: Request, bench: Bench, token: str, reader: str) -> Response:
    session: Session | None = bench.sessions.open(token, reader)
    if session is None:
        message = "That token is not valid here, or its one use is spent. Restart the server for a fresh address."
        shared = bench.settings.access_token is not None
        return render(request, "login.html", None, status=403, shared=shared, message=message)
    # a page that moves on by itself: a strict cookie would not be sent along a redirect that began on another site
    answer = render(request, "signed_in.html", None, reader=session.reader)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE_NAME, session.id, httponly=True, samesite="strict", secure=secure, path="/")
    return answer
