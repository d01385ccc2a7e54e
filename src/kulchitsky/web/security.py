"""What every request passes first: host check, body limit; and the headers every answer carries."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kulchitsky.web.settings import Settings

VIEWER_STYLE = "'sha256-9xTiqzfwFaL2SGb1rmr8gysEwVVjIvqWAgmZgqFqpEE='"
"""The one style sheet that OpenSeadragon inserts by itself (touch gestures on its canvas), by its digest."""
PAGE_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {VIEWER_STYLE}; img-src 'self' data: blob:; "
    "connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
"""A report is one self-contained file with its styles inside: it is shown in a sandbox that runs no script."""

COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware: refuses foreign host names and oversized bodies, and sets the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = settings.allowed_hosts
        self._limits = (
            ("/slides/upload", settings.max_slide_bytes),
            ("/readings", settings.max_report_bytes),
        )
        self._regions_limit = settings.max_regions_bytes
        self._default_limit = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self._hosts:
            await PlainTextResponse("This server does not answer to that host name.", 421)(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await self._app(scope, _Limited(receive, limit), _with_headers(send))

    def _limit(self, path: str) -> int:
        if path.endswith("/regions.geojson"):
            return self._regions_limit
        return next((limit for prefix, limit in self._limits if path.startswith(prefix)), self._default_limit)


class BodyTooLarge(Exception):
    """More bytes arrived than the route takes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body exceeds {limit} bytes")


class _Limited:
    """Counts what actually arrives: a chunked body declares no length."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise BodyTooLarge(self._limit)
        return message


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in COMMON_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", PAGE_POLICY)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers


def host_name(host_header: str) -> str:
    """The host without its port, lower-case; IPv6 addresses keep their brackets."""
    host = host_header.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def same_origin(origin: str, host_header: str, schemes: Iterable[str] = ("http", "https")) -> bool:
    """Whether an ``Origin`` header names the very host and port that was asked."""
    return any(origin.lower() == f"{scheme}://{host_header.lower()}" for scheme in schemes)


def _too_large(limit: int) -> PlainTextResponse:
    return PlainTextResponse(f"The body exceeds {limit} bytes.", 413)
