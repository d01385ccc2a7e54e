"""What is done with corrected cells besides showing them: export, hot spots, agreement, carrying over, regions."""

from __future__ import annotations

from kulchitsky.workup.carry_over import carry_over as carry_over
from kulchitsky.workup.corrected_cells import corrected_features as corrected_features
from kulchitsky.workup.corrected_cells import geojson_gz as geojson_gz
from kulchitsky.workup.corrected_cells import load_outlines as load_outlines
from kulchitsky.workup.reader_agreement import agreement_of as agreement_of
from kulchitsky.workup.region_import import read_drawn_regions as read_drawn_regions
from kulchitsky.workup.search_again import search_hotspots as search_hotspots
