"""Serial sections of one synthetic tissue: the same nests and outline, other cells, cut, turned and bent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.synthetic.render import Renderer
from kulchitsky.slide.synthetic.scene import Field, Scene
from kulchitsky.slide.synthetic.spec import SlideSpec

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SectionWarp:
    """How the second section lies: turned about its middle, shifted, and bent by up to ``bend_um``, smoothly."""

    turn_deg: float
    shift_um: tuple[float, float]
    bend_um: float
    bend_length_um: float
    seed: int

    def to_section(self, points_um: F64, middle_um: tuple[float, float]) -> F64:
        """(N, 2) points of the first section, in micrometres, on the second."""
        turn = np.radians(self.turn_deg)
        rotation = np.asarray([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.asarray(middle_um)
        bent = points_um + self._bend(points_um)
        return np.asarray((bent - middle) @ rotation.T + middle + np.asarray(self.shift_um))

    def from_section(self, points_um: F64, middle_um: tuple[float, float]) -> F64:
        """The inverse of :meth:`to_section`, by fixed-point iteration."""
        turn = np.radians(self.turn_deg)
        rotation = np.asarray([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.asarray(middle_um)
        straight = (points_um - np.asarray(self.shift_um) - middle) @ rotation + middle
        guess = straight.copy()
        for _ in range(12):
            guess = straight - self._bend(guess)
        return np.asarray(guess)

    def _bend(self, points_um: F64) -> F64:
        x, y = points_um[:, 0], points_um[:, 1]
        waves = [Field([self.seed, 200 + k], self.bend_length_um, None, waves=6) for k in range(2)]
        return np.stack([0.5 * self.bend_um * np.clip(wave(x, y), -2, 2) for wave in waves], axis=1)


def serial_section(spec: SlideSpec, warp: SectionWarp, *, cell_seed: int) -> NDArray[np.uint8]:
    """(height, width, 3) RGB of the section next to that of ``spec``: other cells, seen through ``warp``."""
    renderer = Renderer(spec)
    own = Scene(spec.with_changes(seed=cell_seed))
    base = renderer.scene
    own._nests, own._lymph, own._edge, own._warm = base._nests, base._lymph, base._edge, base._warm
    renderer.scene = own
    flat = renderer.window(0, 0, spec.width_px, spec.height_px)
    # the inverse is smooth: a coarse grid of it is enough, stretched
    step = 16
    ys, xs = np.mgrid[0 : spec.height_px + step : step, 0 : spec.width_px + step : step]
    places = np.stack([xs.ravel() + 0.5, ys.ravel() + 0.5], axis=1) * spec.um_per_px
    source = warp.from_section(places, (spec.width_um / 2, spec.height_um / 2)) / spec.um_per_px - 0.5
    row, column = np.mgrid[0 : spec.height_px, 0 : spec.width_px].astype(np.float32) / step
    mx, my = (
        cv2.remap(source[:, k].reshape(ys.shape).astype(np.float32), column, row, cv2.INTER_LINEAR) for k in range(2)
    )
    glass = tuple(int(v) for v in spec.stains.glass)
    return np.asarray(
        cv2.remap(flat, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=glass), np.uint8
    )
