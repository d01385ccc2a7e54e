"""Regions drawn in QuPath: taken in as drawn, or refused with the feature named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box, unary_union
from shapely.geometry import mapping

from kulchitsky.case.errors import RefusedInput
from kulchitsky.workup.region_import import MOST_CORNERS, read_drawn_regions

SIZE = (1600, 1200)


def feature(geometry: Any, name: str | None = "Tumor", kind: str = "annotation") -> dict[str, Any]:
    properties: dict[str, Any] = {"objectType": kind}
    if name is not None:
        properties["classification"] = {"name": name, "color": [200, 0, 0]}
    return {"type": "Feature", "id": "x", "geometry": geometry, "properties": properties}


def square(x: float, y: float, side: float) -> dict[str, Any]:
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def text_of(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_classes_become_roles_and_pixels_micrometres() -> None:
    point = {"type": "Point", "coordinates": [5, 5]}
    found = read_drawn_regions(
        text_of(
            feature(square(100, 100, 200)),
            feature(square(150, 150, 20), "Ignore*"),
            feature(square(500, 100, 50), None),
            feature(point),
            feature(square(0, 0, 10), kind="detection"),
        ),
        "a.geojson",
        0.5,
        SIZE,
    )
    assert [role for role, _ in found.regions] == ["tumour", "exclusion", "tumour"]
    assert found.passed_over == 2
    assert sorted(found.regions[0][1]) == [(50, 50), (50, 150), (150, 50), (150, 150)]


@given(holes=st.lists(st.tuples(st.integers(5, 85), st.integers(5, 85), st.integers(1, 9)), max_size=6))
@settings(max_examples=50, deadline=None)
def test_an_area_with_holes_becomes_outlines_of_the_same_area(holes: list[tuple[int, int, int]]) -> None:
    cut = unary_union([box(x, y, x + side, y + side) for x, y, side in holes])
    area = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)]).difference(cut)
    found = read_drawn_regions(text_of(feature(mapping(area))), "a.geojson", 1.0, SIZE)
    parts = [Polygon(outline) for _, outline in found.regions]
    assert all(part.is_valid for part in parts)
    assert sum(part.area for part in parts) == pytest.approx(area.area, rel=1e-6)
    assert unary_union(parts).symmetric_difference(area).area < 1e-3 * area.area


def test_a_wiggly_outline_is_brought_to_fewer_corners() -> None:
    angle = np.linspace(0, 2 * np.pi, 30_000, endpoint=False)
    ring = np.column_stack([800 + 300 * np.cos(angle), 600 + 300 * np.sin(angle)])
    geometry = {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]}
    found = read_drawn_regions(text_of(feature(geometry)), "a.geojson", 0.5, SIZE)
    outline = found.regions[0][1]
    assert len(outline) <= MOST_CORNERS
    assert Polygon(outline).area == pytest.approx(np.pi * 150**2, rel=0.01)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "is not GeoJSON"),
        (b"\x1f\x8b\x08", "is not GeoJSON"),
        (b"[" * 100_000, "is not GeoJSON"),
        (b'"text"', "is not a list"),
        (b"[1, 2]", "is not a list"),
        (text_of(), "holds no area"),
        (text_of(feature({"type": "LineString", "coordinates": [[0, 0], [1, 1]]})), "holds no area"),
        (text_of(feature(square(9000, 9000, 50))), "outside the slide"),
        (text_of(feature({"type": "Polygon", "coordinates": [[["a", "b"]]]})), "cannot be read"),
        (text_of(*[feature(square(3 * (i % 40), 3 * (i // 40), 2.5)) for i in range(250)]), "more than 200"),
    ],
)
def test_what_cannot_be_taken_in_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(RefusedInput, match=problem):
        read_drawn_regions(text, "a.geojson", 0.5, SIZE)


def test_the_count_keeps_to_regions_taken_in_and_each_can_be_undone(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    path = f"/slides/{slide_id}"
    before = client.http.get(f"{path}/review.json").json()["recount"]["total"]
    text = text_of(feature(square(200, 200, 600)), feature(square(300, 300, 100), "Necrosis"))
    answer = client.send("POST", f"{path}/regions.geojson?name=a.geojson", content=text)
    assert answer.status_code == 200, answer.text
    taken = answer.json()
    assert (taken["tumour"], taken["exclusions"], taken["passed_over"]) == (1, 1, 0)
    table = client.bench.reviews.counted(slide_id).table
    x, y, counts = table.x_um, table.y_um, table.klass < 2
    inside = (x > 100) & (x < 400) & (y > 100) & (y < 400)
    hole = (x > 150) & (x < 200) & (y > 150) & (y < 200)
    assert taken["changed"]["recount"]["total"]["counted"] == int((counts & inside & ~hole).sum())
    assert len(taken["changed"]["regions"]) == 2
    for _ in range(2):
        undone = client.send("POST", f"{path}/edits", json={"kind": "undo"}).json()
    assert undone["recount"]["total"] == before
    assert undone["regions"] == []


def test_a_file_that_is_refused_changes_nothing(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    path = f"/slides/{slide_id}"
    text = text_of(feature(square(200, 200, 600)), feature(square(9000, 9000, 10)))
    answer = client.send("POST", f"{path}/regions.geojson?name=../<b>.geojson", content=text)
    assert answer.status_code == 422
    assert "feature 2" in answer.json()["error"]
    assert "<" not in answer.json()["error"]
    assert client.http.get(f"{path}/review.json").json()["regions"] == []
    assert client.http.post(f"{path}/regions.geojson", content=text).status_code == 403
