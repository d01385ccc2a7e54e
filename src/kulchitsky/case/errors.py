"""What can go wrong, as one tree.

KulchitskyError
├── RefusedInput (ValueError)      a file, slide or value cannot be used: exit 1, one sentence
│   ├── RefusedCase                a case file: shape, value, unit or id
│   ├── RefusedSlide               a slide: unreadable, without scale, without tissue
│   ├── RefusedReport              report prose: unreadable, not text
│   └── RefusedRegistry            a registry: schema, locked or signed-off record
└── BrokenKnowledge (RuntimeError) a row of our own knowledge base is wrong: a defect of ours

What can be used but deserves a look is not an exception: it is a :class:`kulchitsky.case.issue.Issue`.
"""

from __future__ import annotations


class KulchitskyError(Exception):
    """Root of every error this package raises on purpose."""


class RefusedInput(KulchitskyError, ValueError):
    """Input that cannot be used: says what, where, and what would help, in one sentence.

    ``source`` names the file or object, ``place`` the line, key or region inside it (may be empty),
    ``problem`` what is wrong there, and ``remedy`` the next step.
    """

    def __init__(self, problem: str, *, source: str, place: str = "", remedy: str) -> None:
        self.problem = problem
        self.source = source
        self.place = place
        self.remedy = remedy
        where = f"{source}, {place}" if place else source
        super().__init__(f"{where}: {problem.rstrip('.')}; {remedy.rstrip('.')}.")


class RefusedCase(RefusedInput):
    """A case file with a wrong key, type, value, unit or id."""


class RefusedSlide(RefusedInput):
    """A slide that cannot be read, has no scale, or shows nothing that can be counted."""


class RefusedReport(RefusedInput):
    """Report prose that cannot be read as text."""


class RefusedRegistry(RefusedInput):
    """A registry that cannot be opened, or a change to it that its rules forbid."""


class BrokenKnowledge(KulchitskyError, RuntimeError):
    """A row of the shipped knowledge base fails its own schema: a defect, never the user's fault."""
