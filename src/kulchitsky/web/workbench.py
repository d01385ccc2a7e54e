"""The state behind the pages of one server."""

from __future__ import annotations

from pathlib import Path

from kulchitsky.web import work
from kulchitsky.web.ahead import Ahead
from kulchitsky.web.case_desk import CaseDesk
from kulchitsky.web.count_jobs import CountJobs
from kulchitsky.web.reading_shelf import ReadingShelf
from kulchitsky.web.review_shelf import ReviewShelf
from kulchitsky.web.sessions import Sessions
from kulchitsky.web.settings import Settings
from kulchitsky.web.slide_shelf import SlideShelf, is_slide_name
from kulchitsky.workup.case_shelf import CaseShelf


class Workbench:
    """Sessions and slides of one server, with everything kept below ``settings.data_dir``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.sessions = Sessions(access_token=settings.access_token, hours=settings.session_hours)
        self.slides = SlideShelf(settings.data_dir)
        self.reviews = ReviewShelf(settings.data_dir)
        self.jobs = CountJobs()
        self.readings = ReadingShelf(settings.data_dir)
        self.cases = CaseShelf(settings.registry or settings.data_dir / "registry.db")
        self.ahead = Ahead(self.slides, self.reviews)
        self.desk = CaseDesk(self.cases, self.slides, self.reviews, self.readings)
        for directory in settings.slide_dirs:
            for path in sorted(directory.iterdir()):
                if path.is_file() and is_slide_name(path.name):
                    self.slides.add(path)

    def take_in(self, path: Path) -> None:
        """Put a slide or a case (file, report, folder) into the workbench.

        A case whose id is already in the registry is not touched: what was corrected there stays. Its slides are
        put on the shelf either way.
        """
        if path.is_file() and is_slide_name(path.name):
            self.slides.add(path)
            return
        gathered = work.gather(path)
        case = gathered.case
        if not self.cases.has(case.id):
            self.cases.add(case, self.settings.reader, note=f"from {gathered.source.name}")
        for slide in case.slides:
            where = gathered.folder / slide.path
            if where.is_file():
                self.slides.add(where, stain=slide.stain, case_id=case.id, um_per_px=slide.um_per_px)

    def close(self) -> None:
        """Close what is open on disk."""
        self.jobs.close()
        self.ahead.close()
        self.reviews.close()
        self.cases.close()
