"""The state behind the pages of one server."""

from __future__ import annotations

from pathlib import Path

from kulchitsky.case.errors import RefusedInput
from kulchitsky.web.review_shelf import ReviewShelf
from kulchitsky.web.sessions import Sessions
from kulchitsky.web.settings import Settings
from kulchitsky.web.slide_shelf import SlideShelf, is_slide_name


class Workbench:
    """Sessions and slides of one server, with everything kept below ``settings.data_dir``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.sessions = Sessions(access_token=settings.access_token, hours=settings.session_hours)
        self.slides = SlideShelf(settings.data_dir)
        self.reviews = ReviewShelf(settings.data_dir)
        for directory in settings.slide_dirs:
            for path in sorted(directory.iterdir()):
                if path.is_file() and is_slide_name(path.name):
                    self.slides.add(path)

    def take_in(self, path: Path) -> None:
        """Put a slide or a case into the workbench."""
        if path.is_file() and is_slide_name(path.name):
            self.slides.add(path)
            return
        raise RefusedInput("this is neither a slide nor a case", source=str(path), remedy="check the path")

    def close(self) -> None:
        """Close what is open on disk."""
        self.reviews.close()
