"""What is done with corrected cells besides showing them: export, hot spots, agreement, carrying over."""

from __future__ import annotations

from kulchitsky.workup.corrected_cells import corrected_features as corrected_features
from kulchitsky.workup.corrected_cells import geojson_gz as geojson_gz
from kulchitsky.workup.corrected_cells import load_outlines as load_outlines
from kulchitsky.workup.reader_agreement import agreement_of as agreement_of
from kulchitsky.workup.search_again import search_hotspots as search_hotspots
