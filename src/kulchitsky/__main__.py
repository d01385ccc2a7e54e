"""``python -m kulchitsky`` is ``kulchitsky``."""

from kulchitsky.cli import main

main()
