"""The command line: arguments in, one ``workup`` call, page or text out."""

from kulchitsky.cli.main import main as main
