"""Templates, and the rule that every page is also served as JSON."""
# Annotations are evaluated at once here: those of the routes made by ``add_page`` name its own argument.

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import jinja2
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from kulchitsky import __version__
from kulchitsky.web.access import SignedIn
from kulchitsky.web.assets import assets
from kulchitsky.web.labels import LABELS
from kulchitsky.web.sessions import Session

HERE = Path(__file__).parent


@cache
def environment() -> jinja2.Environment:
    """The template environment: everything is escaped, an undefined name is an error."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["version"] = __version__
    env.globals["static"] = f"/static/{assets().digest}"
    env.globals["modules"] = assets().modules
    env.filters.update(LABELS)
    return env


def render(
    request: Request, template: str, session: Session | None, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """An HTML page; ``session`` is ``None`` only on pages for people who have not signed in."""
    text = environment().get_template(template).render(request=request, session=session, **context)
    return HTMLResponse(text, status_code=status)


def add_page(
    router: APIRouter,
    path: str,
    template: str,
    view: Callable[..., BaseModel],
    *,
    summary: str,
    context: Callable[[Request, Any], dict[str, Any]] = lambda _, __: {},
) -> None:
    """Serve what ``view`` returns at ``path`` as HTML and at ``path.json`` as JSON.

    ``view`` is an ordinary FastAPI dependency: its parameters come from the path, the query and other dependencies.
    ``context`` adds what only the HTML needs.
    """

    def as_json(data: Annotated[Any, Depends(view)]) -> Any:
        return data

    def as_html(request: Request, session: SignedIn, data: Annotated[Any, Depends(view)]) -> HTMLResponse:
        return render(request, template, session, view=data, **context(request, data))

    name = path.strip("/").translate(str.maketrans("/", "_", "{}")) or "home"
    model = get_type_hints(view)["return"]
    router.add_api_route(
        f"{path}.json", as_json, methods=["GET"], response_model=model, name=f"{name}_json", summary=summary
    )
    router.add_api_route(
        path, as_html, methods=["GET"], response_class=HTMLResponse, name=name, include_in_schema=False
    )
