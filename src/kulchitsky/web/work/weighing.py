"""A case worked up: differential, challenge, grade, stage, plan."""

from __future__ import annotations

from kulchitsky.workup.work_up_record import with_markers as with_markers
from kulchitsky.workup.work_up_record import work_up_record as work_up_record
