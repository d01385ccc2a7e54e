"""A seeded generator of H-DAB slides with exact truth."""

from kulchitsky.slide.synthetic.render import render
from kulchitsky.slide.synthetic.spec import Artefact, HotRegion, Optics, SlideSpec, Stains
from kulchitsky.slide.synthetic.truth import Truth
from kulchitsky.slide.synthetic.writer import write_slide

__all__ = ["Artefact", "HotRegion", "Optics", "SlideSpec", "Stains", "Truth", "render", "write_slide"]
