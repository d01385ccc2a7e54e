"""Words and topography codes by which a case that names no setting tells where its tissue comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from kulchitsky.knowledge.profiles import read_toml


@dataclass(frozen=True, slots=True)
class SettingWords:
    """Patterns over lower-case text, in order of precedence, and settings by three-character topography."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    topographies: Mapping[str, str]

    def of_text(self, text: str) -> str | None:
        """The setting that the text names first in the order of precedence; ``None`` when it names none."""
        return next((setting for setting, pattern in self.patterns if pattern.search(text.lower())), None)

    def of_topography(self, code: str) -> str | None:
        """The setting of an ICD-O-3 topography code, of its subsite first; ``None`` for one that isn't listed."""
        subsite = code.replace(".", "")[:4]
        return self.topographies.get(subsite) or self.topographies.get(subsite[:3])


@cache
def load_setting_words() -> SettingWords:
    """The shipped table; the same object on every call."""
    table = read_toml("profiles/setting_words.toml")
    patterns = tuple((setting, re.compile(pattern)) for setting, pattern in table["words"].items())
    return SettingWords(patterns, MappingProxyType(dict(table["topography"])))
