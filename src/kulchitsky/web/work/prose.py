"""Reading prose: language tools."""

from __future__ import annotations

from kulchitsky.workup.gather import gather as gather
from kulchitsky.workup.read_prose import document_text as document_text
from kulchitsky.workup.read_prose import read_prose as read_prose
