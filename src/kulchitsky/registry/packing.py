"""Cases packed into a few hundred bytes each: what neighbours, filters and survival read instead of the records.

One row holds the numeric fields as 32-bit floats (NaN unknown), the nominal fields as 16-bit term numbers (0
unknown), and every state or member of a set as two bits: 00 unknown or not tested, 01 present, 10 absent, 11
equivocal. Terms are numbered once for all cases of a registry (table ``term``), so rows written years apart line up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.fields import NOMINAL, NUMERIC, STATES, Value, fields_of, survival_of
from kulchitsky.case.record import Case

LAYOUT = 1
"""Changes whenever the meaning of a packed row does; older rows are packed anew when a registry is opened."""

ENDPOINTS = ("overall", "disease_specific", "disease_free")
NUMBERS = NUMERIC + tuple(f"{endpoint}_{part}" for endpoint in ENDPOINTS for part in ("months", "event"))
CONCLUDED = ("concluded_diagnosis", "concluded_grade", "concluded_stage")
"""What the latest work-up of the current revision concluded; unknown once the case has changed since."""
NAMES = NOMINAL + CONCLUDED
PRESENT, ABSENT, EQUIVOCAL = 1, 2, 3
STATE_BITS = {"present": PRESENT, "absent": ABSENT, "equivocal": EQUIVOCAL, "not_tested": 0}
STATE_WORDS = {0: "unknown", PRESENT: "present", ABSENT: "absent", EQUIVOCAL: "equivocal"}

_FIXED = 4 * len(NUMBERS) + 2 * len(NAMES)
_BLOCK = 32  # bit fields grow in steps of 32 bytes (128 findings), so that most rows have one length

Numberer = Callable[[str, str], int]
"""Gives the number of a term (kind, name), making one where there is none: kinds are ``bit`` and ``value``."""


def pack(
    case: Case,
    number: Numberer,
    concluded: Mapping[str, str] | None = None,
    *,
    fields: Mapping[str, Value] | None = None,
) -> bytes:
    """Return the packed row of a case.

    ``number`` numbers its terms, ``concluded`` adds :data:`CONCLUDED` values, ``fields`` is the flat view of the case
    where the caller has it already.
    """
    fields = fields_of(case) if fields is None else fields
    numbers = np.full(len(NUMBERS), np.nan, dtype="<f4")
    for i, name in enumerate(NUMERIC):
        value = fields.get(name)
        if isinstance(value, float | int):
            numbers[i] = value
    for j, endpoint in enumerate(ENDPOINTS):
        outcome = survival_of(case, endpoint)
        if outcome is not None:
            numbers[len(NUMERIC) + 2 * j : len(NUMERIC) + 2 * j + 2] = outcome
    names = np.zeros(len(NAMES), dtype="<u2")
    for i, name in enumerate(NAMES):
        value = (concluded or {}).get(name) if name in CONCLUDED else fields.get(name)
        if value is not None:
            names[i] = number("value", f"{name}={value}")
    states = {number("bit", name): state for name, state in finding_states(fields).items()}
    return numbers.tobytes() + names.tobytes() + _pack_states(states)


def finding_states(fields: Mapping[str, Value]) -> dict[str, int]:
    """Return every finding of the flat view as a two-bit state; members of a set are present, others unknown."""
    found: dict[str, int] = {}
    for name, value in fields.items():
        if isinstance(value, tuple):
            found.update({f"{name}.{member}": PRESENT for member in value})
        elif name not in NUMERIC and name not in NAMES:
            found[name] = STATE_BITS[str(value)]
    return found


def _pack_states(states: dict[int, int]) -> bytes:
    last = max(states, default=-1)
    size = -(-(last // 4 + 1) // _BLOCK) * _BLOCK
    packed = bytearray(size)
    for index, state in states.items():
        packed[index // 4] |= state << (2 * (index % 4))
    return bytes(packed)


@dataclass(frozen=True, slots=True)
class PackedCases:
    """Many packed rows side by side: N cases, columns by name.

    ``ids`` (N,) are row ids of ``study_case``; ``bits`` numbers the findings, ``values`` names the nominal terms.
    """

    ids: NDArray[np.int64]
    fixed: NDArray[np.uint8]
    states: NDArray[np.uint8]
    bits: dict[str, int]
    values: dict[int, str]

    @classmethod
    def of(
        cls, ids: Sequence[int], rows: Sequence[bytes], bits: dict[str, int], values: dict[int, str]
    ) -> PackedCases:
        """Line up packed rows; shorter ones are filled with *unknown*."""
        widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        widest = int(widths.max(initial=_FIXED))
        if (widths == widest).all():
            table = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), widest)
        else:
            table = np.zeros((len(rows), widest), dtype=np.uint8)
            for width in np.unique(widths):
                where = np.flatnonzero(widths == width)
                joined = b"".join([rows[i] for i in where.tolist()])
                table[where, :width] = np.frombuffer(joined, dtype=np.uint8).reshape(len(where), int(width))
        fixed = np.ascontiguousarray(table[:, :_FIXED])
        # states lie column by column: reading one finding of all cases touches one stretch of memory
        states = np.ascontiguousarray(table[:, _FIXED:].T)
        return cls(np.asarray(ids, dtype=np.int64), fixed, states, bits, values)

    def __len__(self) -> int:
        return len(self.ids)

    def numbers(self, name: str) -> NDArray[np.float32]:
        """Return a numeric column (N,), NaN where unknown."""
        start = 4 * NUMBERS.index(name)
        return np.ascontiguousarray(self.fixed[:, start : start + 4]).view("<f4").ravel()

    def names(self, name: str) -> NDArray[np.uint16]:
        """Return a nominal column (N,) as term numbers, 0 where unknown."""
        start = 4 * len(NUMBERS) + 2 * NAMES.index(name)
        return np.ascontiguousarray(self.fixed[:, start : start + 2]).view("<u2").ravel()

    def state(self, finding: str) -> NDArray[np.uint8]:
        """Return the two-bit state (N,) of a finding; all unknown where no case ever had it."""
        index = self.bits.get(finding)
        if index is None or index // 4 >= len(self.states):
            return np.zeros(len(self), dtype=np.uint8)
        state: NDArray[np.uint8] = (self.states[index // 4] >> np.uint8(2 * (index % 4))) & np.uint8(3)
        return state

    def words(self, name: str) -> NDArray[np.object_]:
        """Return any field as words (N,), ``None`` where unknown: what grouping and filters compare.

        Nominal fields give their value, findings their state (``present`` …), a set its members joined by ``+``;
        numeric fields are not words and raise ``KeyError``, as do names that no case of the registry has.
        """
        if name in NAMES:
            return _lookup(self.names(name), {k: v.split("=", 1)[1] for k, v in self.values.items()})
        if name in self.bits:
            return _lookup(self.state(name).astype(np.uint16), {k: v for k, v in STATE_WORDS.items() if k})
        members = [bit for bit in self.bits if bit.rsplit(".", 1)[0] == name]
        if not members or name in STATES:
            raise KeyError(name)
        joined = np.full(len(self), None, dtype=object)
        for member in sorted(members):
            word = member.rsplit(".", 1)[1]
            for i in np.flatnonzero(self.state(member) == PRESENT):
                joined[i] = word if joined[i] is None else f"{joined[i]}+{word}"
        return joined

    def known_fields(self) -> list[str]:
        """Return every name that :meth:`words` or :meth:`numbers` answers, for messages and completion."""
        sets = {b.rsplit(".", 1)[0] for b in self.bits} - set(STATES)
        return [*NUMBERS, *NAMES, *sorted(sets - set(self.bits)), *sorted(self.bits)]


def pack_cases(cases: Sequence[Case]) -> PackedCases:
    """Pack cases that are in no registry, with terms numbered among themselves; ``ids`` are their positions."""
    numbers: dict[tuple[str, str], int] = {}

    def number(kind: str, name: str) -> int:
        return numbers.setdefault((kind, name), len(numbers) + 1)

    rows = [pack(case, number) for case in cases]
    bits = {name: n for (kind, name), n in numbers.items() if kind == "bit"}
    values = {n: name for (kind, name), n in numbers.items() if kind == "value"}
    return PackedCases.of(range(len(cases)), rows, bits, values)


def _lookup(codes: NDArray[np.uint16], words: dict[int, str]) -> NDArray[np.object_]:
    table = np.full(int(max(words, default=0)) + 1, None, dtype=object)
    for code, word in words.items():
        table[code] = word
    taken: NDArray[np.object_] = table[np.where(codes < len(table), codes, 0)]
    return taken
