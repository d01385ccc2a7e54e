"""The OpenAPI description holds what the server does: Schemathesis asks, bounded and with a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kulchitsky.web.app import create_app
from kulchitsky.web.sessions import COOKIE_NAME
from kulchitsky.web.settings import Settings

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
EXAMPLES = 15
EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass" / "case.yaml"


@pytest.fixture(scope="module")
def described(
    tmp_path_factory: pytest.TempPathFactory, slide_file: tuple[Path, Any], put_count: Any
) -> Iterator[Any]:
    """The description of a running workbench, asked as a signed-in reader."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("described")))
    bench = app.state.workbench
    bench.take_in(EXAMPLE)
    slide = bench.slides.add(slide_file[0])
    put_count(bench, slide.id, slide_file[1])
    session = bench.sessions.open(bench.sessions.issue_one_time_token("Schemathesis"))
    description = app.openapi()
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    yield schema, session, {"slide_id": slide.id, "case_id": "thigh-mass"}
    bench.close()


def test_nothing_is_left_undescribed(described: tuple[Any, ...]) -> None:
    schema, *_ = described
    paths = schema.raw_schema["paths"]
    assert len(paths) > 20
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path)
            assert (
                "200" in operation["responses"] or "201" in operation["responses"] or "202" in operation["responses"]
            )


@pytest.mark.parametrize("known", [False, True], ids=["made-up ids", "known ids"])
def test_answers_keep_to_the_description(described: tuple[Any, ...], known: bool) -> None:
    schema, session, ids = described
    headers = {"X-CSRF-Token": session.csrf_token, "Host": "127.0.0.1"}
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if known and operation.path.endswith("/count"):
            continue  # would count slides in the background, over and over

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def ask(case: Any) -> None:
            if known:
                case.path_parameters.update({k: v for k, v in ids.items() if k in case.path_parameters})
            response = case.call(cookies={COOKIE_NAME: session.id}, headers=headers)
            case.validate_response(response, checks=CHECKS)

        ask()
        asked += 1
    assert asked > 20
