"""The grade that a count makes: knowledge base, rules, posterior."""

from __future__ import annotations

from kulchitsky.workup.grade_of_count import grade_of_counts as grade_of_counts
from kulchitsky.workup.grade_of_count import grade_of_one_count as grade_of_one_count
from kulchitsky.workup.grade_of_count import load_grading as load_grading
