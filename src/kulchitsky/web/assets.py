"""Styles, scripts and icons: read once, served from memory under an address that changes when they do.

A browser may keep what it got for good: another version of the software has other addresses. Only the files that were
there at the start are served, by exact name.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

DIRECTORY = Path(__file__).parent / "static"
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
IMPORT = re.compile(r"""^import\b[^"']*["']\./([\w.-]+\.js)["'];""", re.MULTILINE)


class Assets:
    """The files of a directory as an ASGI application, each at its name and at ``digest/name``."""

    def __init__(self, directory: Path) -> None:
        self._files = {
            path.relative_to(directory).as_posix(): path.read_bytes()
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }
        whole = hashlib.sha256()
        for name, content in self._files.items():
            whole.update(f"{name}\0{len(content)}\0".encode() + content)
        self.digest = whole.hexdigest()[:16]

    def modules(self, entry: str) -> tuple[str, ...]:
        """Every script that ``entry`` imports, itself first: a page that names them all loads them at once."""
        found = [entry]
        for name in found:
            source = self._files[name].decode()
            found += [other for other in IMPORT.findall(source) if other not in found]
        return tuple(found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below the place where this is mounted."""
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405)
        name = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        versioned = name.startswith(f"{self.digest}/")
        content = self._files.get(name.removeprefix(f"{self.digest}/"))
        if content is None:
            return PlainTextResponse("Not Found", 404)
        tag = f'"{self.digest}"'
        headers = {"Cache-Control": KEPT_FOR_GOOD if versioned else "no-cache", "ETag": tag}
        if Headers(scope=scope).get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        suffix = Path(name).suffix
        kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=headers)


@cache
def assets() -> Assets:
    """The files of this package."""
    return Assets(DIRECTORY)
