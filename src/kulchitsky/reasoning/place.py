"""Where the tissue of a case comes from."""

from __future__ import annotations

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.knowledge.setting_words import load_setting_words

_FOREIGN = (v.SpecimenKind.BACKGROUND, v.SpecimenKind.OTHER_TUMOUR)


def foreign_specimens(case: Case) -> frozenset[str]:
    """Ids of specimens that aren't of the tumour at hand: cells beside it, another tumour of the patient."""
    return frozenset(s.id for s in case.specimens if s.kind in _FOREIGN)


def settings_of(case: Case) -> tuple[str, ...]:
    """Settings of the presentation and of each specimen, without repeats; told by site or code where none is named.

    Empty when neither a setting nor a site says anything.
    """
    named = [case.presentation.setting, *(s.setting for s in case.specimens if s.kind not in _FOREIGN)]
    found = [s.value for s in named if s and s is not v.Setting.OTHER]
    if not found:
        told = _told_by_site(case)
        found = [told] if told else []
    return tuple(dict.fromkeys(found))


def _told_by_site(case: Case) -> str | None:
    words, site = load_setting_words(), case.presentation.site
    if site and site.topography:
        coded = words.of_topography(site.topography)
        if coded:
            return coded
    texts = [site.text] if site else []
    texts += [s.site for s in case.specimens if s.kind not in _FOREIGN]
    return next((told for text in texts if text and (told := words.of_text(text))), None)
