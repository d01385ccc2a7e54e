"""The use cases behind the pages that take long to load: each part is imported when it is first asked for.

A page may have a part loaded beforehand, while nobody waits: see :mod:`kulchitsky.web.ahead`.
"""

from typing import TYPE_CHECKING

import lazy_loader

PARTS = {
    "grading": ["grade_of_counts", "grade_of_one_count", "load_grading"],
    "weighing": ["with_markers", "work_up_record"],
    "counting": ["count_for_review", "read_for_review"],
    "cells": [
        "agreement_of",
        "carry_over",
        "corrected_features",
        "geojson_gz",
        "load_outlines",
        "read_drawn_regions",
        "search_hotspots",
    ],
    "prose": ["gather", "document_text", "read_prose"],
    "papers": ["FILE_NAMES", "report_bytes"],
}

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs=PARTS)

if TYPE_CHECKING:
    from kulchitsky.web.work.cells import agreement_of as agreement_of
    from kulchitsky.web.work.cells import carry_over as carry_over
    from kulchitsky.web.work.cells import corrected_features as corrected_features
    from kulchitsky.web.work.cells import geojson_gz as geojson_gz
    from kulchitsky.web.work.cells import load_outlines as load_outlines
    from kulchitsky.web.work.cells import read_drawn_regions as read_drawn_regions
    from kulchitsky.web.work.cells import search_hotspots as search_hotspots
    from kulchitsky.web.work.counting import count_for_review as count_for_review
    from kulchitsky.web.work.counting import read_for_review as read_for_review
    from kulchitsky.web.work.grading import grade_of_counts as grade_of_counts
    from kulchitsky.web.work.grading import grade_of_one_count as grade_of_one_count
    from kulchitsky.web.work.grading import load_grading as load_grading
    from kulchitsky.web.work.papers import FILE_NAMES as FILE_NAMES
    from kulchitsky.web.work.papers import report_bytes as report_bytes
    from kulchitsky.web.work.prose import document_text as document_text
    from kulchitsky.web.work.prose import gather as gather
    from kulchitsky.web.work.prose import read_prose as read_prose
    from kulchitsky.web.work.weighing import with_markers as with_markers
    from kulchitsky.web.work.weighing import work_up_record as work_up_record
