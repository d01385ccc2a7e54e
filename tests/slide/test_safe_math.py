"""Kernels give the same bits whether they were compiled in this process or come from numba's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kulchitsky.slide import synthetic

COUNT = """
import hashlib, sys
from dataclasses import fields
from pathlib import Path
from kulchitsky.slide.count import count_slide
cells = count_slide(Path(sys.argv[1]), detector="fast", threads=1).cells
print(len(cells), hashlib.sha256(b"".join(getattr(cells, f.name).tobytes() for f in fields(cells))).hexdigest())
"""


def test_fresh_and_cached_kernels_agree_to_the_last_bit(tmp_path: Path) -> None:
    slide = tmp_path / "slide.tif"
    synthetic.write_slide(slide, synthetic.SlideSpec(seed=3, width_px=700, height_px=600))
    seen = []
    for _ in range(2):  # the first run compiles, the second loads what the first has kept
        command = [sys.executable, "-c", COUNT, str(slide)]
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
        seen.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert list((tmp_path / "kernels").rglob("*.nbc"))
    assert int(seen[0].split()[0]) > 300
    assert seen[0] == seen[1]
