"""kulchitsky: a second reader for neuroendocrine tumours. Research and education use."""

from kulchitsky._version import __version__ as __version__
