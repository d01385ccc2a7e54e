"""From a scene to RGB pixels: densities painted, stained, blurred, sharpened and noised, window by window."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from kulchitsky.slide.synthetic import paint
from kulchitsky.slide.synthetic.scene import TUMOUR, Cells, Scene
from kulchitsky.slide.synthetic.spec import SlideSpec
from kulchitsky.slide.synthetic.truth import Truth, truth_of

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_TEXTURE_PX: Final = 1024
_CELL_HALO_UM: Final = 26.0


class Renderer:
    """Draws any window of one synthetic slide; windows fit together without a seam."""

    def __init__(self, spec: SlideSpec) -> None:
        self.spec = spec
        self.scene = Scene(spec)
        um = spec.um_per_px
        self._chromatin = paint.noise_texture(spec.seed, _TEXTURE_PX, 0.55, um)
        self._granules = paint.noise_texture(spec.seed + 1, _TEXTURE_PX, 0.4, um)
        self._tissue = paint.noise_texture(spec.seed + 2, _TEXTURE_PX, 2.5, um)
        self._grain = paint.noise_texture(spec.seed + 3, _TEXTURE_PX, 0.0, um)
        unit_h = np.asarray(spec.stains.hematoxylin) / np.linalg.norm(spec.stains.hematoxylin)
        unit_d = np.asarray(spec.stains.dab) / np.linalg.norm(spec.stains.dab)
        self._vectors = np.stack([unit_h, unit_d]).astype(np.float32)

    def window(self, x_px: int, y_px: int, width_px: int, height_px: int) -> U8:
        """(height_px, width_px, 3) uint8 RGB of a window of level 0, before any JPEG compression."""
        spec = self.spec
        sigmas = spec.optics.blur_sigma_um + 2 * spec.optics.sharpen_sigma_um * (spec.optics.sharpen_amount > 0)
        sigmas += 4.0 * any(a.kind == "blur" for a in spec.artefacts)
        halo = int(np.ceil(3.5 * sigmas / spec.um_per_px)) + 2
        x0, y0 = x_px - halo, y_px - halo
        width, height = width_px + 2 * halo, height_px + 2 * halo
        hema, dab = self.densities(x0, y0, width, height)
        density = hema[..., None] * self._vectors[0] + dab[..., None] * self._vectors[1]
        self._ink_and_folds(density, x0, y0)
        light = np.power(np.float32(10), -density) * np.asarray(spec.stains.glass, np.float32)
        light = self._optics(light, x0, y0)
        light = light[halo : halo + height_px, halo : halo + width_px]
        light = (
            light + spec.optics.noise_grey * self._periodic(self._grain, x_px, y_px, width_px, height_px)[..., None]
        )
        return np.clip(np.rint(light), 0, 255).astype(np.uint8)

    def densities(self, x_px: int, y_px: int, width: int, height: int) -> tuple[F32, F32]:
        """Haematoxylin and DAB optical densities, two (height, width) planes, before optics."""
        spec, um = self.spec, self.spec.um_per_px
        x0, y0 = x_px * um, y_px * um
        cells = self.scene.cells(
            x0 - _CELL_HALO_UM,
            y0 - _CELL_HALO_UM,
            x0 + width * um + _CELL_HALO_UM,
            y0 + height * um + _CELL_HALO_UM,
        )
        inside, nest = self._coarse_maps(x_px, y_px, width, height)
        tissue = self._periodic(self._tissue, x_px, y_px, width, height)
        stains = spec.stains
        stroma_tint = np.clip(1.2 - 0.5 * nest, 0.8, 1.5)
        hema = (stains.background_hematoxylin_od * stroma_tint * (1 + 0.35 * tissue) * inside).astype(np.float32)
        dab = (stains.background_dab_od * (1 + 0.3 * tissue) * inside).astype(np.float32)
        if len(cells):
            self._paint(hema, dab, cells, x_px, y_px)
        return hema, dab

    def _paint(self, hema: F32, dab: F32, c: Cells, x_px: int, y_px: int) -> None:
        spec, um = self.spec, self.spec.um_per_px
        x, y = c.x_um - x_px * um, c.y_um - y_px * um
        shape = (x, y, c.semi_a, c.semi_b, c.angle, c.wobble, c.phase)
        code = paint.PATTERN_CODES[spec.pattern]
        tumour_dab = np.where(c.kind == TUMOUR, c.dab_od, 0).astype(np.float32)
        reach = spec.cell_radius_ratio
        owner, ratio = paint.territories(*shape, c.kind, reach, um, *hema.shape)
        blush = 0.8 * spec.stains.background_hematoxylin_od
        shares = spec.beside_nucleus if code in (0, 6) else spec.beside_membrane
        beside = shares[code in (6, 7)]
        paint.paint_cytoplasm(
            hema, dab, owner, ratio, tumour_dab, code, reach, self._granules, x_px, y_px,
            blush, spec.membrane_um, beside, um,
        )  # fmt: skip
        in_nucleus = code in (0, 6)
        nuclear = np.where((c.kind != TUMOUR) | in_nucleus, c.dab_od, spec.veil * c.dab_od).astype(np.float32)
        if not in_nucleus:
            nuclear = np.where(c.kind >= 3, c.dab_od, np.where(c.kind == TUMOUR, nuclear, 0)).astype(np.float32)
        paint.paint_nuclei(
            hema, dab, *shape, c.hematoxylin_od, nuclear, c.vesicular, c.border_um, c.nucleolus,
            c.spot_angle, c.kind, self._chromatin, x_px, y_px,
            spec.chromatin, um,
        )  # fmt: skip
        if code in (4, 5):
            paint.paint_spots(dab, x, y, c.semi_b, c.spot_angle, tumour_dab, c.kind, code == 5, um)

    def _coarse_maps(self, x_px: int, y_px: int, width: int, height: int) -> tuple[F32, F32]:
        """Tissue (0 or 1, soft edge) and nest depth, computed on a 16 px grid and stretched."""
        um = self.spec.um_per_px
        step = 16
        left, top = x_px // step * step, y_px // step * step
        gx = np.arange(left, x_px + width + 2 * step, step)
        gy = np.arange(top, y_px + height + 2 * step, step)
        px, py = np.meshgrid(gx * um, gy * um)
        maps = []
        for values in (np.clip(self.scene.in_tissue(px, py) * 60 + 0.5, 0, 1), self.scene.in_nest(px, py)):
            plane = values.astype(np.float32)
            mx = ((np.arange(width, dtype=np.float32) + (x_px - left)) / step)[None, :].repeat(height, 0)
            my = ((np.arange(height, dtype=np.float32) + (y_px - top)) / step)[:, None].repeat(width, 1)
            maps.append(np.asarray(cv2.remap(plane, mx, my, cv2.INTER_LINEAR), np.float32))
        return maps[0], maps[1]

    @staticmethod
    def _periodic(texture: F32, x_px: int, y_px: int, width: int, height: int) -> F32:
        rows = (np.arange(height) + y_px) % texture.shape[0]
        columns = (np.arange(width) + x_px) % texture.shape[1]
        return np.asarray(texture[np.ix_(rows, columns)])

    def _ink_and_folds(self, density: F32, x_px: int, y_px: int) -> None:
        um = self.spec.um_per_px
        height, width = density.shape[:2]
        xs = (np.arange(width) + x_px + 0.5) * um
        ys = (np.arange(height) + y_px + 0.5) * um
        for artefact in self.spec.artefacts:
            if artefact.kind == "blur":
                continue
            wave = artefact.y_um + 12 * np.sin(xs / 70)
            thickness = 60.0 if artefact.kind == "pen" else 14.0
            near = np.abs(ys[:, None] - wave[None, :]) < thickness
            near &= (np.abs(xs - artefact.x_um) < artefact.radius_um)[None, :]
            if artefact.kind == "pen":
                density[near] += np.asarray([1.4, 0.9, 0.25], np.float32)
            else:
                density[near] = density[near] * 2.2 + np.asarray([0.3, 0.3, 0.28], np.float32)

    def _optics(self, light: F32, x_px: int, y_px: int) -> F32:
        optics, um = self.spec.optics, self.spec.um_per_px
        if optics.blur_sigma_um > 0:
            light = np.asarray(
                cv2.GaussianBlur(light, (0, 0), float(max(0.1, optics.blur_sigma_um / um))), np.float32
            )
        for artefact in self.spec.artefacts:
            if artefact.kind != "blur":
                continue
            height, width = light.shape[:2]
            xs = (np.arange(width) + x_px + 0.5) * um - artefact.x_um
            ys = (np.arange(height) + y_px + 0.5) * um - artefact.y_um
            inside = (ys[:, None] ** 2 + xs[None, :] ** 2) < artefact.radius_um**2
            if inside.any():
                light = np.where(inside[..., None], cv2.GaussianBlur(light, (0, 0), 4.0 / um), light)
        if optics.sharpen_amount > 0:
            soft = cv2.GaussianBlur(light, (0, 0), float(max(0.3, optics.sharpen_sigma_um / um)))
            light = light + optics.sharpen_amount * (light - soft)
        return np.asarray(light, np.float32)


def render(spec: SlideSpec) -> tuple[U8, Truth]:
    """The whole slide as one (height, width, 3) RGB array, JPEG artefacts included, and its truth.

    Meant for fields up to some 50 megapixels: larger slides are written with
    :func:`kulchitsky.slide.synthetic.writer.write_slide`.
    """
    renderer = Renderer(spec)
    rgb = renderer.window(0, 0, spec.width_px, spec.height_px)
    if spec.jpeg_quality < 100:
        data = simplejpeg.encode_jpeg(rgb, quality=spec.jpeg_quality, colorspace="RGB", colorsubsampling="420")
        rgb = np.asarray(simplejpeg.decode_jpeg(data, colorspace="RGB"), np.uint8)
    return rgb, truth_of(spec, renderer.scene.cells(0, 0, spec.width_um, spec.height_um))
