"""The reader: text in, case with facts out. Each step reads one kind of fact and keeps its places."""

from __future__ import annotations

from pydantic import ValidationError

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reading
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.narrative.claims import read_claims
from kulchitsky.narrative.columns import without_other_columns
from kulchitsky.narrative.diagnosis import read_diagnosis
from kulchitsky.narrative.documents import checked_text
from kulchitsky.narrative.history import read_history
from kulchitsky.narrative.identifiers import list_identifiers
from kulchitsky.narrative.imaging import read_imaging
from kulchitsky.narrative.ki67 import read_ki67
from kulchitsky.narrative.laboratory import read_laboratory
from kulchitsky.narrative.mitoses import read_mitoses
from kulchitsky.narrative.molecular import read_molecular
from kulchitsky.narrative.morphology import read_morphology
from kulchitsky.narrative.names import lexicon_for
from kulchitsky.narrative.nodes import read_clinical_nodes
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.page import make_page
from kulchitsky.narrative.patient import read_patient
from kulchitsky.narrative.premise import read_premise
from kulchitsky.narrative.procedures import read_procedures
from kulchitsky.narrative.seen_elsewhere import read_seen_elsewhere
from kulchitsky.narrative.sentences import sentences_of
from kulchitsky.narrative.shorthand import with_short_names
from kulchitsky.narrative.site import read_site
from kulchitsky.narrative.sizes import read_sizes
from kulchitsky.narrative.speech import of_the_case, relabelled
from kulchitsky.narrative.stain_findings import read_stains
from kulchitsky.narrative.treatment import read_follow_up, read_treatment

_MAX_LEFT_OUT = 50
"""Values left out before a text is taken to hold no case at all."""


def read_text(text: str, *, source: str = "text", knowledge: KnowledgeBase | None = None) -> Reading:
    """Read report prose into a case.

    ``knowledge`` gives the names of markers and entities (the shipped knowledge base unless given). Deterministic;
    linear in the length of the text. Raises :class:`kulchitsky.case.errors.RefusedReport` for text that is too long
    or is not prose.
    """
    checked_text(text, source=source)
    page = without_other_columns(make_page(text))
    lexicon = lexicon_for(knowledge)
    mentions = with_short_names(page, lexicon.find(page))
    sentences = relabelled(sentences_of(page.clean), mentions)
    stated = of_the_case(sentences)
    book = Notebook(page)
    read_patient(book, sentences)
    read_site(book, stated, mentions)
    sizes = read_sizes(book, stated)
    read_history(book, stated, mentions)
    read_laboratory(book, stated, mentions)
    read_imaging(book, stated, mentions)
    read_seen_elsewhere(book, stated, mentions)
    read_clinical_nodes(book, stated, mentions)
    read_procedures(book, stated, mentions, sizes)
    read_morphology(book, stated, mentions)
    read_mitoses(book, stated)
    read_treatment(book, stated, mentions)
    read_follow_up(book, stated)
    read_molecular(book, stated)
    read_diagnosis(book, stated, mentions, sentences)
    read_claims(book, sentences, mentions)
    list_identifiers(book)
    specimen_at = read_stains(book, stated, mentions, lexicon.squeezed)
    read_ki67(book, stated, mentions, specimen_at)
    read_premise(book, stated, mentions)
    return Reading(
        case=_case(book),
        facts=tuple(book.facts),
        not_understood=tuple(book.not_understood),
        issues=tuple(book.issues),
    )


def _case(book: Notebook) -> Case:
    """The record; a value that no case may hold (a lump for 200 years) is left out and pointed out."""
    for _ in range(_MAX_LEFT_OUT):
        try:
            return Case.model_validate(book.case)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            book.leave_out(tuple(first["loc"]), str(first["msg"]))
    return Case()
