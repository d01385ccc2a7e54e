"""The report as files: HTML, PDF, FHIR."""

from __future__ import annotations

from kulchitsky.workup.report_bytes import FILE_NAMES as FILE_NAMES
from kulchitsky.workup.report_bytes import report_bytes as report_bytes
