"""Clinical findings of a case: history, symptoms, imaging, serum and molecular results, read by patterns of words."""

from __future__ import annotations

from collections.abc import Iterator

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case, LabResult
from kulchitsky.knowledge.clinical_words import ClinicalWord, load_clinical_words
from kulchitsky.reasoning.finding import Finding, context
from kulchitsky.reasoning.place import settings_of


def _statements(case: Case) -> Iterator[tuple[str, str, v.State]]:
    """The case's free-text statements: part, lower-case text, state."""
    p = case.presentation
    for s in p.symptoms:
        yield "symptom", s.name.lower(), s.state
    for c in case.comorbidities:
        yield "comorbidity", f"{c.name} {c.detail}".lower(), c.state
    if p.known_other_tumour:
        yield "other_tumour", p.known_other_tumour.lower(), v.State.PRESENT
    for image in case.imaging:
        modality = image.modality.value.replace("_", " ")
        for f in image.findings:
            yield "imaging", f"{modality} {f.place} {f.what} {f.place}".lower(), f.state
    for node in p.nodes:
        yield "node", f"{node.station} node".lower(), node.state
    for test in case.molecular:
        yield "molecular", f"{test.test} {test.detail}".lower(), test.state
    immune = case.patient.immune_suppression
    if immune:
        yield "immune", (immune.cause or "immune suppression").lower(), immune.state
    for part, value in (("lesions", p.lesions), ("growth", p.growth), ("skin_over", p.skin_over)):
        if value:
            yield part, str(value), v.State.PRESENT


def clinic_findings(case: Case) -> Iterator[Finding]:
    """One finding a clinical word that the case states as present or absent."""
    statements = list(_statements(case))
    words = load_clinical_words()
    # what a mirror finding says as present isn't said a second time as absent
    mirrored = {w.mirror for w in words.values()}
    settings = set(settings_of(case))
    for word in words.values():
        if word.said_by & settings:
            continue
        states = {state for part, text, state in statements if part in word.parts and _shows(word, text)}
        if word.mirror:
            states |= _mirrored(word, statements)
        if "lab" in word.parts:
            states |= {state for lab in case.laboratory if (state := _lab_state(word, lab)) is not None}
        if v.State.PRESENT in states:
            yield context(word.id, word.label, group=_clinic_group(word.id))
        elif v.State.ABSENT in states and word.id not in mirrored:
            yield context(word.id, f"no {word.label}", event=False, group=_clinic_group(word.id))


def _clinic_group(key: str) -> str:
    return {"hist": "history", "sym": "symptoms", "img": "imaging", "lab": "laboratory", "mol": "molecular"}.get(
        key.split("_")[0], key
    )


def _shows(word: ClinicalWord, text: str) -> bool:
    return bool(word.pattern.search(text)) and not (word.absent and word.absent.search(text))


def _mirrored(word: ClinicalWord, statements: list[tuple[str, str, v.State]]) -> set[v.State]:
    """The absence of the mirrored finding, stated, is the presence of this one."""
    other = load_clinical_words()[word.mirror]
    stated = {s for part, text, s in statements if part in other.parts and other.pattern.search(text)}
    return {v.State.PRESENT} if stated == {v.State.ABSENT} else set()


def _lab_state(word: ClinicalWord, lab: LabResult) -> v.State | None:
    if not word.pattern.search(lab.test.lower()):
        return None
    if lab.interpretation is not None:
        return v.State.PRESENT if lab.interpretation is v.LabInterpretation.HIGH else v.State.ABSENT
    limit = word.upper_mg if word.upper_mg is not None and lab.unit.lower().startswith("mg") else word.upper
    if limit is not None and lab.value is not None and lab.comparator in ("=", ">", ">="):
        return v.State.PRESENT if lab.value > limit else v.State.ABSENT
    return v.State.PRESENT if word.any_value else None
