"""Report prose to a case record, every fact with its span in the text."""

from kulchitsky.narrative.documents import text_of as text_of
from kulchitsky.narrative.read_text import read_text as read_text
