"""The output folder of a cohort: what is kept of every slide, under which key, and who may write there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import ValidationError

from kulchitsky._version import __version__
from kulchitsky.case.cohort import SlideOutcome, SlideStatus
from kulchitsky.case.errors import RefusedInput
from kulchitsky.report.files import write_whole
from kulchitsky.slide.bands import CountSettings, detector_named
from kulchitsky.slide.reader import content_checksum
from kulchitsky.slide.stains.model import load_model
from kulchitsky.workup.cohort_list import CohortSlide
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN

_LAYOUT = 1
"""Raised when what is kept of a slide changes its shape."""


@dataclass(frozen=True, slots=True)
class CohortStore:
    """Where things lie; made of a path alone, so that every worker can have one.

    ``slides/NAME.json`` is the outcome of a slide and is written last: a slide without it is not done.
    """

    folder: Path

    def outcome_file(self, slide: str) -> Path:
        """The outcome of a slide."""
        return self.folder / "slides" / f"{slide}.json"

    def cells_file(self, slide: str) -> Path:
        """The cells of a slide: one partition of the data set ``cells``."""
        return self.folder / "cells" / f"slide={slide}" / "cells.parquet"

    def picture_file(self, slide: str) -> Path:
        """The overview of a slide."""
        return self.folder / "pictures" / f"{slide}.jpg"

    def band_file(self, slide: str, key: str, number: int) -> Path:
        """The cells of one band of a slide that is being counted."""
        return self.folder / ".work" / f"{slide}-{key[:16]}" / f"band-{number:05d}.npz"

    def load(self, slide: str) -> SlideOutcome | None:
        """The outcome kept of a slide; ``None`` without one, or with one that cannot be read or lost its cells."""
        try:
            outcome = SlideOutcome.model_validate_json(self.outcome_file(slide).read_bytes())
        except (OSError, ValidationError):
            return None
        if outcome.cells and not (self.folder / outcome.cells).is_file():
            return None
        return outcome

    def keep(self, outcome: SlideOutcome) -> None:
        """Write an outcome, and remove what an earlier one left behind."""
        if not outcome.cells:
            shutil.rmtree(self.cells_file(outcome.slide).parent, ignore_errors=True)
        if not outcome.picture:
            self.picture_file(outcome.slide).unlink(missing_ok=True)
        write_whole(self.outcome_file(outcome.slide), (outcome.model_dump_json() + "\n").encode())
        if outcome.status is not SlideStatus.FAILED:
            for left in (self.folder / ".work").glob(f"{outcome.slide}-" + "?" * 16):
                shutil.rmtree(left, ignore_errors=True)

    def others(self, slides: set[str]) -> list[str]:
        """Slides kept here that are not among ``slides``."""
        return sorted(file.stem for file in (self.folder / "slides").glob("*.json") if file.stem not in slides)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for one run; refused while another run holds it. A killed run lets go by itself."""
        try:
            (self.folder / ".work").mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".work" / "lock").open("w")
        except OSError as error:
            remedy = "name a folder that can be written"
            raise RefusedInput(
                f"cannot be written ({error.strerror})", source=str(self.folder), remedy=remedy
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                remedy = "wait for it, or name another folder"
                raise RefusedInput("another run is writing there", source=str(self.folder), remedy=remedy) from None
            yield


def key_of(slide: CohortSlide, settings: CountSettings) -> str:
    """Digest of all that decides a slide's outcome: content, parameters, software. A missing file has a key too."""
    engine = detector_named(settings.detector)
    source = slide.source
    identity = {
        "layout": _LAYOUT,
        "software": __version__,
        "detector": [engine.name, engine.version, engine.checksum],
        "settings": asdict(settings),
        "stain": slide.stain,
        "um_per_px": source.um_per_px,
        "objective": source.objective,
        "reading": load_model().checksum if slide.stain != PROLIFERATION_STAIN else None,
        "content": _checksum(Path(source.path)),
        "regions": _checksum(Path(source.regions)) if source.regions else None,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    try:
        return content_checksum(path)
    except OSError:
        return "unreadable"
