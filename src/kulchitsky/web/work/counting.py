"""Counting a slide, and reading another stain: the whole of the slide floor."""

from __future__ import annotations

from kulchitsky.workup.count_for_review import count_for_review as count_for_review
from kulchitsky.workup.read_for_review import read_for_review as read_for_review
