"""The application: routes, guards, and what an error looks like."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from kulchitsky import __version__
from kulchitsky.case.errors import KulchitskyError, RefusedInput
from kulchitsky.web.access import signed_in
from kulchitsky.web.assets import assets
from kulchitsky.web.pages import render
from kulchitsky.web.problems import RESPONSES
from kulchitsky.web.routes import (
    cases,
    cells,
    counts,
    login,
    readings,
    reports,
    review,
    slides,
    taking_in,
    texts,
    verdicts,
)
from kulchitsky.web.security import BodyTooLarge, Guard
from kulchitsky.web.sessions import COOKIE_NAME
from kulchitsky.web.settings import Settings
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.not_there import NotThere

TITLES = {400: "Bad request", 401: "Sign in", 403: "Refused", 404: "Not found", 413: "Too large", 422: "Not accepted"}


def create_app(settings: Settings) -> FastAPI:
    """The workbench as an ASGI application; its state is ``app.state.workbench``, which the caller closes."""
    bench = Workbench(settings)
    app = FastAPI(
        title="kulchitsky workbench",
        version=__version__,
        description="Every page as JSON, and the changes a page can make. Research and education use only.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.workbench = bench
    app.add_middleware(Guard, settings=settings)
    app.mount("/static", assets(), name="static")
    app.include_router(login.public)
    for module in (login, slides, review, cells, taking_in, counts, cases, readings, texts, verdicts, reports):
        app.include_router(module.router, dependencies=[Depends(signed_in)], responses=RESPONSES)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(RefusedInput, _refused)
    app.add_exception_handler(KulchitskyError, _internal)
    app.add_exception_handler(NotThere, _not_found)
    app.add_exception_handler(BodyTooLarge, _too_large)
    return app


def _answer(request: Request, status: int, message: str, detail: Any = None) -> Response:
    """An error as JSON for scripts and as a page for people."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.endswith(".json")
    if not wants_page:
        body = {"error": message} if detail is None else {"error": message, "detail": detail}
        return JSONResponse(body, status_code=status)
    session = request.app.state.workbench.sessions.find(request.cookies.get(COOKIE_NAME))
    title = TITLES.get(status, "Error")
    return render(request, "error.html", session, status=status, title=title, message=message)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, error.status_code, str(error.detail))


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    detail = [{"place": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()[:20]]
    first = detail[0] if detail else {"place": "request", "problem": "not understood"}
    return _answer(request, 422, f"{first['place']}: {first['problem']}.", detail)


def _refused(request: Request, error: Exception) -> Response:
    return _answer(request, 422, str(error))


def _internal(request: Request, error: Exception) -> Response:
    return _answer(request, 500, f"Internal error: {error}")


def _not_found(request: Request, _: Exception) -> Response:
    return _answer(request, 404, "There is no such page or record here.")


def _too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLarge)
    return _answer(request, 413, f"The body exceeds {error.limit} bytes.")
