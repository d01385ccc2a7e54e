"""The follow-up calendar: read back by the library, stable ids, nothing of the patient."""

from __future__ import annotations

import datetime as dt

from icalendar import Calendar

from kulchitsky.case.verdict import Visit
from kulchitsky.workup.calendar import follow_up_calendar

VISITS = (
    Visit(
        months=3,
        date=dt.date(2027, 2, 28),
        what="Skin; nodes, imaging",
        entity="merkel_cell_carcinoma",
        sources=("X1",),
    ),
    Visit(months=6, date=dt.date(2027, 5, 31), what="Skin and nodes", entity="merkel_cell_carcinoma"),
    Visit(months=9, what="without a date"),
)
STAMP = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def test_a_dated_visit_is_an_all_day_event() -> None:
    content = follow_up_calendar(VISITS, case_id="case-1", created=STAMP)
    assert content is not None
    events = Calendar.from_ical(content).walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == [dt.date(2027, 2, 28), dt.date(2027, 5, 31)]
    assert events[0].decoded("dtend") == dt.date(2027, 3, 1)
    assert str(events[0]["summary"]) == "Follow-up, month 3: Skin; nodes, imaging"
    assert "X1" in str(events[0]["description"])


def test_writing_again_gives_the_same_ids() -> None:
    first = follow_up_calendar(VISITS, case_id="case-1", created=STAMP)
    later = follow_up_calendar(VISITS, case_id="case-1", created=STAMP + dt.timedelta(days=3))
    other = follow_up_calendar(VISITS, case_id="case-2", created=STAMP)
    assert first is not None
    assert later is not None
    assert other is not None
    ids = [[str(e["uid"]) for e in Calendar.from_ical(c).walk("VEVENT")] for c in (first, later, other)]
    assert ids[0] == ids[1] != ids[2]
    assert len(set(ids[0])) == 2


def test_no_dated_visit_no_calendar() -> None:
    assert follow_up_calendar(VISITS[2:], case_id="case-1") is None


def test_the_case_id_is_not_in_the_file() -> None:
    content = follow_up_calendar(VISITS, case_id="Jane-Doe-1949", created=STAMP)
    assert content is not None
    assert b"Jane" not in content
