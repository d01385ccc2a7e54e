"""Where the cells of a synthetic slide lie and how each is stained: geometry only, no pixels.

The plane is cut into patches; each patch draws its cells from a generator seeded by (slide seed, patch), so any
window can be laid out by itself, in bounded memory, and always shows the same cells.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kulchitsky.slide.synthetic.spec import SlideSpec

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

TUMOUR: Final = 0
LYMPHOCYTE: Final = 1
STROMA: Final = 2
PIGMENT: Final = 3
DEBRIS: Final = 4
KINDS: Final = ("tumour", "lymphocyte", "stroma", "pigment", "debris")

_PATCH_UM: Final = 128.0
_HARMONICS: Final = 3


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns of one row per cell or particle; lengths in micrometres, densities in optical-density units.

    ``semi_a``/``semi_b`` are the semi-axes, ``angle`` the direction of the long one (radians, x to y),
    ``wobble`` (N, 3) and ``phase`` (N, 3) the relative amplitude and phase of harmonics 2 to 4 of the outline,
    ``border_um`` the softness of its edge, ``nucleolus`` how much darker a nucleolus is (0: none).
    """

    x_um: F64
    y_um: F64
    kind: NDArray[np.uint8]
    positive: NDArray[np.bool_]
    semi_a: F32
    semi_b: F32
    angle: F32
    wobble: F32
    phase: F32
    hematoxylin_od: F32
    dab_od: F32
    vesicular: F32
    spot_angle: F32
    border_um: F32
    nucleolus: F32

    def __len__(self) -> int:
        return len(self.x_um)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Cells:
        """The rows chosen by a mask or by positions."""
        return Cells(*(getattr(self, f.name)[index] for f in fields(self)))

    def outline_um(self, row: int, vertices: int = 32) -> F64:
        """Closed outline of one nucleus: (``vertices`` + 1, 2) array of x, y."""
        theta = np.linspace(0, 2 * np.pi, vertices + 1)
        radius = 1 / np.hypot(np.cos(theta) / self.semi_a[row], np.sin(theta) / self.semi_b[row])
        for h in range(_HARMONICS):
            radius = radius * (1 + self.wobble[row, h] * np.cos((h + 2) * theta + self.phase[row, h]))
        turn = theta + self.angle[row]
        return np.stack([self.x_um[row] + radius * np.cos(turn), self.y_um[row] + radius * np.sin(turn)], axis=1)


def concatenate(parts: list[Cells]) -> Cells:
    """Several tables one below the other."""
    return Cells(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cells)))


class Field:
    """A smooth random field of unit variance: a sum of plane waves, cheap anywhere on the plane.

    With ``period_um`` the wave vectors are rounded so that the field repeats.
    """

    def __init__(self, seed: list[int], wavelength_um: float, period_um: float | None, waves: int = 14) -> None:
        rng = np.random.default_rng(seed)
        direction = rng.uniform(0, 2 * np.pi, waves)
        length = wavelength_um * rng.uniform(0.7, 1.6, waves)
        k = np.stack([np.cos(direction), np.sin(direction)]) / length
        if period_um is not None:
            k = np.round(k * period_um) / period_um
        self._k = 2 * np.pi * k
        self._phase = rng.uniform(0, 2 * np.pi, waves)
        self._gain = np.sqrt(2.0 / waves)

    def __call__(self, x_um: F64, y_um: F64) -> F64:
        """Values at the points, same shape as ``x_um``."""
        total = np.zeros(np.broadcast_shapes(x_um.shape, y_um.shape))
        for kx, ky, phase in zip(self._k[0], self._k[1], self._phase, strict=True):
            total += np.cos(kx * x_um + ky * y_um + phase)
        return np.asarray(total * self._gain)


class Scene:
    """The cells of one slide: ask for any window."""

    def __init__(self, spec: SlideSpec) -> None:
        self.spec = spec
        period = spec.period_um
        patches = max(1, round(period / _PATCH_UM)) if period else 0
        self._patch_um = period / patches if period else _PATCH_UM
        self._patches = patches
        self._nests = Field([spec.seed, 101], spec.nest_um, period)
        self._lymph = Field([spec.seed, 102], 260.0, period)
        self._warm = Field([spec.seed, 103], 500.0, period)
        self._edge = Field([spec.seed, 104], max(200.0, spec.width_um / 5), None)
        self._nest_cut = float(stats.norm.ppf(spec.stroma_fraction)) if spec.stroma_fraction > 0 else -100.0
        share = spec.lymphocyte_fraction
        self._lymph_cut = float(stats.norm.ppf(1 - share)) if share > 0 else 100.0

    def in_tissue(self, x_um: F64, y_um: F64) -> F64:
        """Signed depth inside tissue: above 0 tissue, below 0 glass (no unit; about 1 at the island's centre)."""
        spec = self.spec
        shape = np.broadcast_shapes(x_um.shape, y_um.shape)
        if spec.tissue_fraction >= 1:
            return np.ones(shape)
        scale = np.sqrt(spec.tissue_fraction * 4 / np.pi)
        u = (x_um - spec.width_um / 2) / (scale * spec.width_um / 2)
        v = (y_um - spec.height_um / 2) / (scale * spec.height_um / 2)
        return np.asarray(1 - u**2 - v**2 + 0.12 * self._edge(x_um, y_um))

    def in_nest(self, x_um: F64, y_um: F64) -> F64:
        """Signed depth inside a tumour nest: above 0 tumour, below 0 stroma."""
        return self._nests(x_um, y_um) - self._nest_cut

    def index_at(self, x_um: F64, y_um: F64) -> F64:
        """Probability that a tumour cell there is positive."""
        spec = self.spec
        p = np.full(x_um.shape, spec.index_percent / 100)
        if spec.heterogeneity > 0 and 0 < spec.index_percent < 100:
            logit = np.log(p / (1 - p)) + spec.heterogeneity * self._warm(x_um, y_um)
            p = 1 / (1 + np.exp(-logit))
        for hot in spec.hot_regions:
            inside = (x_um - hot.x_um) ** 2 + (y_um - hot.y_um) ** 2 <= hot.radius_um**2
            p = np.where(inside, hot.index_percent / 100, p)
        return p

    def cells(self, x0_um: float, y0_um: float, x1_um: float, y1_um: float) -> Cells:
        """Every cell whose centre lies in the half-open window, in a fixed order."""
        size = self._patch_um
        parts: list[Cells] = []
        for j in range(int(np.floor(y0_um / size)), int(np.floor(y1_um / size)) + 1):
            for i in range(int(np.floor(x0_um / size)), int(np.floor(x1_um / size)) + 1):
                part = self._patch(i, j)
                keep = (part.x_um >= x0_um) & (part.x_um < x1_um) & (part.y_um >= y0_um) & (part.y_um < y1_um)
                parts.append(part.take(keep))
        return concatenate(parts)

    def _patch(self, i: int, j: int) -> Cells:
        si, sj = (i % self._patches, j % self._patches) if self._patches else (i, j)
        rng = np.random.default_rng([self.spec.seed, si + 2**20, sj + 2**20])
        groups = [self._tumour(i, j, rng), self._lymphocytes(i, j, rng), self._stroma(i, j, rng)]
        groups.append(self._particles(i, j, rng, PIGMENT, self.spec.pigment_per_mm2))
        groups.append(self._particles(i, j, rng, DEBRIS, self.spec.debris_per_mm2))
        cells = concatenate(groups)
        return cells.take(self.in_tissue(cells.x_um, cells.y_um) > 0)

    def _lattice(self, i: int, j: int, rng: np.random.Generator, pitch_um: float, jitter: float) -> tuple[F64, F64]:
        """Jittered hexagonal lattice points of one patch; neighbouring patches fit without a gap."""
        size = self._patch_um
        rows = max(1, round(size / (pitch_um * np.sqrt(3) / 2)))
        rows += rows % 2
        columns = max(1, round(size / pitch_um))
        dy, dx = size / rows, size / columns
        row, column = np.mgrid[0:rows, 0:columns]
        noise = rng.normal(0, jitter, (2, rows, columns))
        noise = np.clip(noise, -1.5 * jitter, 1.5 * jitter) * pitch_um
        x = (column + 0.25 + 0.5 * (row % 2)) * dx + noise[0]
        y = (row + 0.5) * dy + noise[1]
        return x.ravel() + i * size, y.ravel() + j * size

    def _tumour(self, i: int, j: int, rng: np.random.Generator) -> Cells:
        spec = self.spec
        pitch = float(np.sqrt(1e6 / spec.density_per_mm2 * 2 / np.sqrt(3)))
        x, y = self._lattice(i, j, rng, pitch, spec.jitter)
        n = len(x)
        positive = rng.random(n) < self.index_at(x, y)
        radius = spec.nucleus_diameter_um / 2 * np.exp(rng.normal(0, spec.size_variation, n))
        stretch = np.sqrt(spec.elongation * np.exp(rng.normal(0, 0.1, n)))
        cells = self._rows(rng, x, y, TUMOUR, positive, radius * stretch, radius / stretch)
        return cells.take((self.in_nest(x, y) > 0) & (rng.random(n) < 0.95))

    def _lymphocytes(self, i: int, j: int, rng: np.random.Generator) -> Cells:
        spec = self.spec
        x, y = self._lattice(i, j, rng, spec.lymphocyte_pitch_um, 0.2)
        n = len(x)
        positive = rng.random(n) < spec.non_tumour_positive_percent / 100
        radius = spec.lymphocyte_radius_um * np.exp(rng.normal(0, 0.08, n))
        cells = self._rows(rng, x, y, LYMPHOCYTE, positive, radius * 1.04, radius / 1.04)
        wanted = (self.in_nest(x, y) < -0.25) & (self._lymph(x, y) > self._lymph_cut)
        scattered = (self.in_nest(x, y) > 0.3) & (rng.random(n) < 0.01)
        return cells.take((wanted & (rng.random(n) < 0.8)) | scattered)

    def _stroma(self, i: int, j: int, rng: np.random.Generator) -> Cells:
        spec = self.spec
        x, y = self._lattice(i, j, rng, spec.stroma_pitch_um, 0.25)
        n = len(x)
        positive = rng.random(n) < spec.non_tumour_positive_percent / 100
        half_long, half_short = spec.stroma_semi_um
        long, short = half_long * np.exp(rng.normal(0, 0.2, n)), half_short * np.exp(rng.normal(0, 0.15, n))
        cells = self._rows(rng, x, y, STROMA, positive, long, short)
        return cells.take((self.in_nest(x, y) < -0.15) & (self._lymph(x, y) <= self._lymph_cut + 0.2))

    def _particles(self, i: int, j: int, rng: np.random.Generator, kind: int, per_mm2: float) -> Cells:
        n = int(rng.poisson(per_mm2 * self._patch_um**2 / 1e6))
        x = rng.random(n) * self._patch_um + i * self._patch_um
        y = rng.random(n) * self._patch_um + j * self._patch_um
        radius = rng.uniform(0.5, 1.6, n)
        return self._rows(rng, x, y, kind, np.zeros(n, bool), radius * 1.2, radius)

    def _rows(
        self,
        rng: np.random.Generator,
        x: F64,
        y: F64,
        kind: int,
        positive: NDArray[np.bool_],
        semi_a: F64,
        semi_b: F64,
    ) -> Cells:
        spec, n = self.spec, len(x)
        along = np.arctan2(self._nests(x + 1, y) - self._nests(x, y), -(self._nests(x, y + 1) - self._nests(x, y)))
        angle = rng.uniform(0, np.pi, n) if kind != STROMA else along + rng.normal(0, 0.25, n)
        hema = spec.stains.hematoxylin_od * np.exp(rng.normal(0, spec.hematoxylin_variation, n))
        darkness = {LYMPHOCYTE: spec.lymphocyte_darkness, STROMA: spec.stroma_darkness, PIGMENT: 0.4, DEBRIS: 1.6}
        hema = hema * darkness.get(kind, 1.0)
        dab = spec.stains.dab_od * np.exp(rng.normal(0, spec.dab_variation, n))
        faint = rng.random(n) < spec.faint_fraction
        dab = np.maximum(
            np.where(faint, spec.stains.dab_od * rng.uniform(0.3, 0.5, n), dab), 0.3 * spec.stains.dab_od
        )
        dab = np.where(positive, dab, 0.0)
        if kind == PIGMENT:
            dab = rng.uniform(0.5, 1.1, n)
        return Cells(
            x_um=x,
            y_um=y,
            kind=np.full(n, kind, np.uint8),
            positive=positive,
            semi_a=semi_a.astype(np.float32),
            semi_b=semi_b.astype(np.float32),
            angle=angle.astype(np.float32),
            wobble=(rng.normal(0, spec.irregularity, (n, _HARMONICS)) / np.array([1, 1.4, 2])).astype(np.float32),
            phase=rng.uniform(0, 2 * np.pi, (n, _HARMONICS)).astype(np.float32),
            hematoxylin_od=hema.astype(np.float32),
            dab_od=dab.astype(np.float32),
            vesicular=np.clip(rng.normal(spec.vesicular, 0.15, n), 0, 0.8).astype(np.float32),
            spot_angle=rng.uniform(0, 2 * np.pi, n).astype(np.float32),
            border_um=(spec.border_um * np.exp(rng.normal(0, spec.border_variation, n))).astype(np.float32),
            nucleolus=np.where(rng.random(n) < spec.nucleoli, rng.uniform(0.3, 1.0, n), 0).astype(np.float32),
        )
