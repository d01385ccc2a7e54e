"""Write docs/rule-book.md from the rule base.

python tools/write_rule_book.py          write the page
python tools/write_rule_book.py --check  exit 1 where the page differs from the data
"""

from __future__ import annotations

import sys
from pathlib import Path

from kulchitsky.knowledge.rule_book import rule_book
from kulchitsky.knowledge.rules import load_rules

PAGE = Path(__file__).resolve().parents[1] / "docs" / "rule-book.md"


def main() -> int:
    text = rule_book(load_rules())
    if "--check" in sys.argv[1:]:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        if not same:
            print(f"{PAGE.name} differs from the rule base: run python tools/write_rule_book.py", file=sys.stderr)
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
