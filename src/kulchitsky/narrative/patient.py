"""Age, sex, performance status and immune state of the patient, from the sentences about the patient."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import Sex
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.sentences import Sentence

_FEMALE = r"women|woman|female|lady|girl|schoolgirl|mother|grandmother|housewife|nun|widow|pregnant|actress"
_MALE = r"men|man|male|gentleman|boy|schoolboy|father|grandfather|widower|bricklayer"
_TEENS = {"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
          "seventeen": 17, "eighteen": 18, "nineteen": 19}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_UNITS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_WORD_AGE = rf"(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_UNITS)}))?|{'|'.join(_TEENS)}|{'|'.join(_UNITS)}"
_N = rf"(?P<age>\d{{1,3}}|{_WORD_AGE})"
_PERSON = (
    rf"(?:{_FEMALE}|{_MALE}|patient|child|infant|adult|teenager|adolescent|person|case|individual|student|farmer"
    rf"|worker"
    r"|smoker|non-smoker|ex-smoker|caucasian)"
)

_AGE = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        rf"\b{_N}[\s-]{{0,2}}(?:years?|yrs?|yo|y/o)[\s-]{{0,2}}(?:old|of age)?\b(?=[^.;]{{0,60}}\b{_PERSON}\b)",
        rf"\b{_N}[\s-]{{0,2}}(?:years?|yrs?|y)[\s.-]{{0,2}}old\b",
        rf"\b{_N}\s?(?:yo|y/o|y\.o\.)(?![a-z])",
        rf"\b(?:aged|age[ :]{{1,3}}(?:of )?|age at diagnosis[ :]{{1,3}}|at the age of|since age)\s?{_N}(?![\d%])",
        rf"\b(?:woman|man|girl|boy|lady|gentleman|male|female)\s?,?\s?(?:of|aged)?,?\s?{_N}(?:\s?(?:y|yrs?"
        rf"|years?)\b\.?)?(?=[\s,.;:)]|$)",
        rf"(?:^|[.;:]\s)(?:[A-Z][a-z-]+(?: [a-z-]+){{0,2}}) ?, {_N}(?=[,.])",
        rf"\b{_N}[\s-]?(?:years?[\s-]?old\s)?(?:[MF])\b(?=[\s,.;:)]|$)",
        r"\bat (?P<age>\d{2}) (?:this|the|a) (?:man|woman|patient|lady|gentleman|boy|girl)\b",
        rf"\b(?:[MF]|male|female)\s?[/,]\s?{_N}(?:\s?y(?:rs?|ears?)?)?\b",
        rf"\b{_N}[\s-](?:years?[\s-])?(?:{_FEMALE}|{_MALE})\b",
        rf"\b(?:{_FEMALE}|{_MALE}|patient)\s?,\s?{_N}(?=\s?,)",
        rf"\([MFmf],\s?{_N}(?:\s?y\w*)?\)",
        rf"(?:^|[,.;]\s)[MF]\s{_N}(?=\s?[,.;])",
        rf"\b(?:{_FEMALE}|{_MALE}|patient)\s?\({_N}(?:\s?(?:y|yrs?|years?))?\)",
        rf"\b(?:{_FEMALE}|{_MALE}|patient)\b[^.;]{{0,40}}\({_N}\s?(?:y|yrs?|years?)\)",
    )
)
_SHORT: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"(?<![\w/.,-])(?P<age>\d{1,3})\s?(?i:(?:y(?:rs?|ears?)?|y/o|yo|y\.o\.)\.?)?\s?[\s/,;(-]{0,2}"
        r"(?P<s>[MF]\b|(?i:male|female|man|woman)\b|[♀♂])(?![\w/+-])(?!\s?\d)"
    ),
    re.compile(
        r"(?<![\w/.,+-])(?P<s>[MF♀♂]|(?i:male|female|man|woman|lady|gentleman|boy|girl))"
        r"(?:\s?[,;:/(]\s?|\s(?:aged?\s)?|(?=\d\d\b))(?P<age>\d{1,3})"
        r"(?:\s?(?i:y(?:rs?|ears?)?|y/o|yo)\b)?(?=\s*(?:[.,;)\]|?]|$|\s-\s))(?!\.\d|,\d)"
    ),
)
_SHORT = (*_SHORT, re.compile(r"(?<![\w/.,-])(?P<age>\d{1,3})\s?(?:y|yrs?|yo)\s?/\s?(?P<s>[mf])\b"))
"""Age and sex side by side in shorthand: ``75/M``, ``M 67.``, ``F71.``, ``52 yrs; male``, ``22 y, male``."""
_LONE_AGE = re.compile(
    r"(?:^\s*|[.,;:(]\s?)(?P<age>[1-9]\d)\s?(?i:y(?:rs?|ears?)?|y/o|yo)\b\.?(?=\s*(?:[.,;:)]|$))(?!\s?(?:ago|later))"
)
_SEX = re.compile(rf"\b(?P<f>{_FEMALE})\b|\b(?P<m>{_MALE})\b", re.IGNORECASE)
_SEX_KEY = re.compile(r"\b(?:sex|gender)\s?[:=]?\s?(?P<s>female|male|f|m)\b", re.IGNORECASE)
_SEX_LETTER = re.compile(r"\b\d{1,3}\s?(?:y(?:rs?|ears?)?\.?(?:\s?old)?)?[\s,/-]{0,2}(?P<s>[MF])\b(?![\w/-])")
_SEX_LETTER_APART = re.compile(r"(?:\((?=[MFmf],\s?\d)|(?:^|[,.;]\s)(?=[MF]\s\d{1,3}\s?[,.;]))(?P<s>[MFmf])")
_SEX_LETTER_FIRST = re.compile(r"\b(?P<s>[MF])\s?[/,]\s?\d{1,3}\b")
_PRONOUN = re.compile(r"\b(?P<f>she|her|hers|herself)\b|\b(?P<m>he|his|him|himself)\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b(?:his|her|the patient's|whose|one|maternal|paternal|family|relatives?)\s(?:\w+\s)?(?:mother|father|uncle"
    r"|aunt|brother|sister|grandfather|grandmother|son|daughter|cousin|men|women)|\b(?:mother|father|uncle|aunt"
    r"|brothers?|sisters?"
    r"|grandfather|grandmother)\s(?:had|died|with|and)|mother of|father of",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"(?:since|from|until|before) the age of\s*$|menopaus\w+ since\s*$")
_OF_TIME = re.compile(r"\b(?:for|over|during|past|last|within|after|every|some|about|nearly)\s*$", re.IGNORECASE)
_TIME_GOES_ON = re.compile(r"\s?(?:ago|earlier|before|previously|prior|later|history|duration|after|in a\b|by\b)")
_ECOG = re.compile(r"\b(?:ECOG|PS|WHO performance status|performance status)\b[^.;\d]{0,25}(?P<ps>[0-4])\b(?!\s?%)")
_ABOUT_OTHERS = frozenset({"discussion", "introduction", "references", "conclusion", "identity"})


def read_patient(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """Age, sex and performance status into ``patient``; the first statement about the patient stands."""
    about = [s for s in sentences if s.section not in _ABOUT_OTHERS] or list(sentences)
    identity = [s for s in sentences if s.section == "identity"]
    for sentence in (*about, *identity):
        _age(book, sentence)
        _sex(book, sentence)
        match = _ECOG.search(sentence.text)
        if match:
            book.set("patient.ecog", int(match.group("ps")), _place(sentence, match, "ps"))
        if book.has("patient.age_years") and book.has("patient.sex"):
            break
    _shorthand(book, [*about, *identity])
    if not book.has("patient.age_years") and about:
        _bare_age(book, about[0])
    if not book.has("patient.sex"):
        _sex_from_pronoun(book, about)
    if not book.has("patient.sex"):
        _sex_from_anatomy(book, about)


def _age(book: Notebook, sentence: Sentence) -> None:
    if book.has("patient.age_years"):
        return
    for pattern in _AGE:
        for match in pattern.finditer(sentence.text):
            years = number_of(match.group("age"))
            lead = sentence.text[max(0, match.start() - 25) : match.start()].lower()
            if years is None or not 0 < years <= 115 or _EARLIER.search(lead):
                continue
            if _is_span_of_time(sentence.text, match, lead):
                continue
            if _RELATIVE.search(sentence.text[max(0, match.start() - 30) : match.end() + 10]):
                continue
            book.set("patient.age_years", float(years), _place(sentence, match))
            return
    months = re.search(r"\b(?P<age>\d{1,2})[\s-]months?[\s-]old\b", sentence.text)
    if months:
        book.set("patient.age_years", round(int(months.group("age")) / 12, 1), _place(sentence, months, "age"))


def _shorthand(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """What shorthand tells of age and sex, where no words did."""
    for sentence in sentences:
        if book.has("patient.age_years") and book.has("patient.sex"):
            return
        for pattern in _SHORT:
            match = pattern.search(sentence.text)
            years = number_of(match.group("age")) if match else None
            if match is None or years is None or not 0 < years <= 110:
                continue
            around = sentence.text[max(0, match.start() - 30) : match.end() + 10]
            if _RELATIVE.search(around) or book.get("patient.age_years") not in (None, years):
                continue
            female = match.group("s").lower() in ("f", "♀", "female", "woman", "lady", "girl")
            book.set("patient.age_years", years, _place(sentence, match, "age"))
            book.set("patient.sex", Sex.FEMALE if female else Sex.MALE, _place(sentence, match, "s"))
    for sentence in sentences[:12]:
        match = _LONE_AGE.search(sentence.text)
        if match and not book.has("patient.age_years"):
            book.set("patient.age_years", float(match.group("age")), _place(sentence, match, "age"))


_BARE_AGE = re.compile(r",\s(?P<age>[1-9]\d)\s(?:years|yrs|y)\b\.?(?=\s?(?:[,.;]|$))")


def _bare_age(book: Notebook, sentence: Sentence) -> None:
    """``Ovary, right, 14 cm, 33 years.``: in the heading a figure in years, without more, is the age."""
    match = _BARE_AGE.search(sentence.text)
    if match and sentence.text.count(",") <= 5 and len(sentence.text) < 120:
        book.set("patient.age_years", float(match.group("age")), _place(sentence, match, "age"))


def _is_span_of_time(text: str, match: re.Match[str], lead: str) -> bool:
    """``three years earlier``, ``for 2 years in a 50-year-old``: a time, not an age."""
    words = match.group().lower()
    if not re.search(r"\d\s?y|years?|yrs?", words) or re.search(r"old|of age|aged?\b|yo\b|y/o|y\.o", words):
        return False
    return bool(_OF_TIME.search(lead) or _TIME_GOES_ON.match(text[match.end() : match.end() + 16].lower()))


def _sex(book: Notebook, sentence: Sentence) -> None:
    if book.has("patient.sex"):
        return
    for pattern in (_SEX_KEY, _SEX_LETTER, _SEX_LETTER_FIRST, _SEX_LETTER_APART):
        match = pattern.search(sentence.text)
        if match:
            sex = Sex.FEMALE if match.group("s").lower().startswith("f") else Sex.MALE
            book.set("patient.sex", sex, _place(sentence, match, "s"))
            return
    for match in _SEX.finditer(sentence.text):
        around = sentence.text[max(0, match.start() - 25) : match.end() + 8]
        if _RELATIVE.search(around) and not re.search(r"(?:mother|father) of (?:\w+)", around):
            continue
        book.set("patient.sex", Sex.FEMALE if match.group("f") else Sex.MALE, _place(sentence, match))
        return


def _sex_from_pronoun(book: Notebook, sentences: Sequence[Sentence]) -> None:
    female: list[tuple[int, int]] = []
    male: list[tuple[int, int]] = []
    for sentence in sentences:
        for match in _PRONOUN.finditer(sentence.text):
            (female if match.group("f") else male).append(_place(sentence, match))
    if len(female) != len(male):
        more, sex = (female, Sex.FEMALE) if len(female) > len(male) else (male, Sex.MALE)
        book.set("patient.sex", sex, more[0])


_FEMALE_ORGAN = re.compile(
    r"\b(?:vagina|vaginal|uterus|uterine|ovar(?:y|ies|ian)|vulva|vulval|vulvar|endometri\w+|postmenopausal"
    r"|hysterectomy|cervix|bartholin|labium|labia|trachelectomy|menopaus\w+|metrorrhagia|menorrhagia|postcoital"
    r"|gravida|oophorectomy|cervix uteri)\b",
    re.I,
)
_MALE_ORGAN = re.compile(
    r"\b(?:prostat\w*|testis|testicular|testicle|scrot\w+|penis|penile|orchidectomy|paratesticular|epididymis)\b",
    re.I,
)


def _sex_from_anatomy(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """An organ that only one sex has settles what no word says; pointed out as an inference."""
    for sentence in sentences:
        for sex, pattern in ((Sex.FEMALE, _FEMALE_ORGAN), (Sex.MALE, _MALE_ORGAN)):
            match = pattern.search(sentence.text)
            if match:
                book.set("patient.sex", sex, _place(sentence, match))
                book.issue(
                    Level.NOTE,
                    "narrative.sex.inferred",
                    f"the sex is not stated; {sex.value} follows from '{match.group().lower()}'",
                    remedy="state the sex",
                    path="patient.sex",
                )
                return


def _place(sentence: Sentence, match: re.Match[str], group: str | int = 0) -> tuple[int, int]:
    start, end = match.span(group)
    return sentence.start + start, sentence.start + end


def number_of(text: str) -> float | None:
    """A number written in figures or words (up to ninety-nine), or ``None``."""
    word = text.lower().strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return float(word)
    if word in _TEENS:
        return _TEENS[word]
    if word in _UNITS:
        return _UNITS[word]
    tens, _, unit = word.replace("-", " ").partition(" ")
    if tens in _TENS and (not unit or unit in _UNITS):
        return _TENS[tens] + _UNITS.get(unit, 0)
    return None
