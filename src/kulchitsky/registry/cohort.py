"""The first table of a paper: what a cohort consists of, by group, with what is unknown beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.registry.packing import NUMBERS, PackedCases
from kulchitsky.registry.selection import Mask, field_words
from kulchitsky.registry.survival import ALL, MOST_GROUPS, group_words

DEFAULT_FIELDS = (
    "age_years",
    "sex",
    "setting",
    "region",
    "size_cm",
    "ki67_percent",
    "necrosis",
    "diagnosis",
    "status",
)
_MOST_VALUES = 30


@dataclass(frozen=True, slots=True)
class CohortLine:
    """One line: a field (numeric: median and quartiles) or one value of it (count and percent), one cell a group.

    ``unknown`` counts the cases of each group that do not know the field; percents are of those that do.
    """

    field: str
    value: str
    cells: tuple[str, ...]
    unknown: tuple[int, ...]
    p_value: float | None
    test: Literal["Kruskal-Wallis", "chi-squared", ""]


@dataclass(frozen=True, slots=True)
class CohortTable:
    """Groups with their sizes, and the lines under them."""

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    lines: tuple[CohortLine, ...]
    without_group: int


def cohort_table(
    packed: PackedCases,
    fields: Sequence[str] = DEFAULT_FIELDS,
    *,
    by: str | None = None,
    cuts: Sequence[float] = (),
    mask: Mask | None = None,
) -> CohortTable:
    """Return the table of ``fields`` for the cases of ``mask``, in columns ``by`` a field.

    p-values (Kruskal-Wallis for numbers, chi-squared for words) compare the groups among cases that know the field;
    they describe, they adjust for nothing, and are left out where a group knows nothing.
    """
    chosen = np.ones(len(packed), dtype=bool) if mask is None else mask
    words = np.full(len(packed), ALL, dtype=object) if by is None else group_words(packed, by, cuts)
    grouped = np.array([word is not None for word in words], dtype=bool)
    names = sorted(set(words[chosen & grouped].tolist()))
    if not names:
        raise RefusedRegistry("no case to describe", source="cohort-table", remedy="choose other cases")
    if len(names) > MOST_GROUPS:
        raise RefusedRegistry(
            f"{by} splits the cases into {len(names)} groups",
            source="cohort-table",
            remedy="narrow them with --where",
        )
    members = [chosen & (words == name) for name in names]
    lines = [line for field in fields for line in _lines(packed, field, members)]
    return CohortTable(
        tuple(names), tuple(int(m.sum()) for m in members), tuple(lines), int((chosen & ~grouped).sum())
    )


def _lines(packed: PackedCases, field: str, members: Sequence[Mask]) -> list[CohortLine]:
    if field in NUMBERS:
        return [_numeric(field, packed.numbers(field).astype(np.float64), members)]
    column = field_words(packed, field)
    known = np.array([word is not None for word in column], dtype=bool)
    counts = [Counter(column[m & known].tolist()) for m in members]
    unknown = tuple(int((m & ~known).sum()) for m in members)
    values = sorted({value for count in counts for value in count}, key=lambda v: (-sum(c[v] for c in counts), v))
    p_value, test = _chi_squared(counts, values)
    return [
        CohortLine(
            field,
            value,
            tuple(f"{c[value]} ({100 * c[value] / c.total():.0f} %)" if c.total() else "0" for c in counts),
            unknown,
            p_value if i == 0 else None,
            test if i == 0 else "",
        )
        for i, value in enumerate(values[:_MOST_VALUES])
    ]


def _numeric(field: str, column: NDArray[np.float64], members: Sequence[Mask]) -> CohortLine:
    known = ~np.isnan(column)
    samples = [column[m & known] for m in members]
    cells = []
    for sample in samples:
        if sample.size == 0:
            cells.append("–")
        else:
            low, middle, high = np.percentile(sample, [25, 50, 75])
            cells.append(f"{middle:.4g} ({low:.4g} to {high:.4g})")
    p_value = None
    if len(samples) > 1 and all(sample.size for sample in samples) and np.ptp(np.concatenate(samples)) > 0:
        p_value = float(stats.kruskal(*samples).pvalue)
    unknown = tuple(int((m & ~known).sum()) for m in members)
    test: Literal["Kruskal-Wallis", ""] = "Kruskal-Wallis" if p_value is not None else ""
    return CohortLine(field, "median (quartiles)", tuple(cells), unknown, p_value, test)


def _chi_squared(
    counts: Sequence[Counter[str]], values: Sequence[str]
) -> tuple[float | None, Literal["chi-squared", ""]]:
    if len(counts) < 2 or len(values) < 2 or not all(count.total() for count in counts):
        return None, ""
    table = np.array([[count[value] for value in values] for count in counts])
    return float(stats.chi2_contingency(table).pvalue), "chi-squared"
