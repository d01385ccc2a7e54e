"""The reader: text in, case with facts out. Each step reads one kind of fact and keeps its places."""

from __future__ import annotations

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reading
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.narrative.documents import checked_text
from kulchitsky.narrative.history import read_history
from kulchitsky.narrative.imaging import read_imaging
from kulchitsky.narrative.ki67 import read_ki67
from kulchitsky.narrative.laboratory import read_laboratory
from kulchitsky.narrative.mitoses import read_mitoses
from kulchitsky.narrative.morphology import read_morphology
from kulchitsky.narrative.names import lexicon_for
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.page import make_page
from kulchitsky.narrative.patient import read_patient
from kulchitsky.narrative.sentences import sentences_of
from kulchitsky.narrative.site import read_site
from kulchitsky.narrative.sizes import read_sizes
from kulchitsky.narrative.speech import of_the_case
from kulchitsky.narrative.stain_findings import read_stains


def read_text(text: str, *, source: str = "text", knowledge: KnowledgeBase | None = None) -> Reading:
    """Read report prose into a case.

    ``knowledge`` gives the names of markers and entities (the shipped knowledge base unless given). Deterministic;
    linear in the length of the text. Raises :class:`kulchitsky.case.errors.RefusedReport` for text that is too long
    or is not prose.
    """
    checked_text(text, source=source)
    page = make_page(text)
    lexicon = lexicon_for(knowledge)
    mentions = lexicon.find(page)
    sentences = sentences_of(page.clean)
    stated = of_the_case(sentences)
    book = Notebook(page)
    read_patient(book, sentences)
    read_site(book, stated, mentions)
    read_sizes(book, stated)
    read_history(book, stated, mentions)
    read_laboratory(book, stated, mentions)
    read_imaging(book, stated, mentions)
    read_morphology(book, stated, mentions)
    read_mitoses(book, stated)
    specimen_at: dict[int, str] = {}
    read_stains(book, stated, mentions, lexicon.squeezed, specimen_at)
    read_ki67(book, stated, mentions, specimen_at)
    return Reading(
        case=Case.model_validate(book.case),
        facts=tuple(book.facts),
        not_understood=tuple(book.not_understood),
        issues=tuple(book.issues),
    )
