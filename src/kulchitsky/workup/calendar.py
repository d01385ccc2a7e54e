"""The follow-up schedule of a plan as an iCalendar file (RFC 5545)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from icalendar import Calendar, Event

from kulchitsky._version import __version__
from kulchitsky.case.verdict import Visit


def follow_up_calendar(visits: Sequence[Visit], *, case_id: str, created: dt.datetime | None = None) -> bytes | None:
    """An iCalendar of the dated ``visits``, one all-day event each; ``None`` where no visit has a date.

    Event ids depend on case, month and text alone, so a calendar written again replaces the earlier events instead of
    adding to them. No identifier of the patient goes in; the sources of each visit stand in its description.
    """
    dated = [visit for visit in visits if visit.date is not None]
    if not dated:
        return None
    calendar = Calendar()
    calendar.add("prodid", f"-//kulchitsky//follow-up {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    stamp = created or dt.datetime.now(dt.UTC)
    for visit in dated:
        assert visit.date is not None
        calendar.add_component(_event(visit, visit.date, case_id, stamp))
    content: bytes = calendar.to_ical()
    return content


def _event(visit: Visit, date: dt.date, case_id: str, stamp: dt.datetime) -> Event:
    event = Event()
    digest = hashlib.sha256(f"{case_id}|{visit.months:g}|{visit.what}".encode()).hexdigest()[:24]
    event.add("uid", f"{digest}@kulchitsky")
    event.add("dtstamp", stamp)
    event.add("dtstart", date)
    event.add("dtend", date + dt.timedelta(days=1))
    event.add("summary", f"Follow-up, month {visit.months:g}: {visit.what}")
    sources = f" Sources: {', '.join(visit.sources)}." if visit.sources else ""
    event.add("description", f"{visit.what}.{sources} What sources say, not advice; for research and education.")
    event.add("transp", "TRANSPARENT")
    return event
