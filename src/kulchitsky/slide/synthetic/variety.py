"""Slides of every kind: random records over stains, scanners, cells and growth, for training and for stress tests."""

from __future__ import annotations

import dataclasses

import numpy as np

from kulchitsky.slide.synthetic.spec import MarkerPattern, Optics, SlideSpec, Stains

_NUCLEAR = ("nuclear", "nuclear_and_cytoplasmic")
_UNDER_AND_OVER = ("cytoplasmic_diffuse", "cytoplasmic_granular", "cytoplasmic_and_membranous")
"""Patterns that fill the cytoplasm, so that it shows over the nucleus of a thick section."""


def random_stains(rng: np.random.Generator) -> Stains:
    """Haematoxylin from cyan-blue to purple, DAB from golden to nearly black, white to yellow or grey glass."""
    hue = rng.random()
    hema = np.array([0.78, 0.58, 0.20]) * (1 - hue) + np.array([0.58, 0.72, 0.38]) * hue + rng.normal(0, 0.04, 3)
    dab = np.array([0.28, 0.57, 0.77]) + rng.normal(0, 0.05, 3)
    base = rng.uniform(215, 250)
    yellow = rng.choice([0.0, rng.uniform(0, 35)], p=[0.6, 0.4])
    glass = np.clip(base + rng.normal(0, 4, 3) - np.array([0, yellow * 0.1, yellow]), 180, 254)
    strength = np.exp(rng.uniform(np.log(0.16), np.log(1.0)))
    return Stains(
        hematoxylin=(float(hema[0]), float(hema[1]), float(max(0.05, hema[2]))),
        dab=(float(dab[0]), float(dab[1]), float(dab[2])),
        glass=(int(glass[0]), int(glass[1]), int(glass[2])),
        hematoxylin_od=float(strength),
        dab_od=float(np.exp(rng.uniform(np.log(0.45), np.log(2.0)))),
        background_dab_od=float(rng.choice([rng.uniform(0, 0.04), rng.uniform(0.04, 0.14)], p=[0.7, 0.3])),
        background_hematoxylin_od=float(strength * rng.uniform(0.03, 0.28)),
    )


def random_optics(rng: np.random.Generator) -> Optics:
    """Sharp to clearly blurred, with and without a scanner's sharpening."""
    return Optics(
        blur_sigma_um=float(rng.choice([rng.uniform(0.15, 0.45), rng.uniform(0.45, 0.9)], p=[0.7, 0.3])),
        sharpen_amount=float(rng.choice([0.0, rng.uniform(0.3, 2.0)], p=[0.5, 0.5])),
        sharpen_sigma_um=float(rng.uniform(0.3, 0.8)),
        noise_grey=float(rng.uniform(0.3, 4.0)),
    )


def random_spec(seed: int, *, width_px: int = 384, height_px: int = 384, um_per_px: float = 0.5) -> SlideSpec:
    """A nuclear stain on tissue of random make-up; the same seed gives the same slide."""
    rng = np.random.default_rng([seed, 77])
    diameter = float(rng.uniform(5.6, 11.0))
    # from well apart to overlapping: the lattice pitch is 1.0 to 2.0 diameters
    pitch = diameter * float(rng.choice([rng.uniform(0.98, 1.25), rng.uniform(1.25, 2.1)]))
    index = float(rng.choice([rng.uniform(0, 5), rng.uniform(5, 40), rng.uniform(40, 95)], p=[0.3, 0.45, 0.25]))
    return SlideSpec(
        seed=seed,
        width_px=width_px,
        height_px=height_px,
        um_per_px=um_per_px,
        index_percent=index,
        density_per_mm2=1e6 / (pitch**2 * np.sqrt(3) / 2),
        nucleus_diameter_um=diameter,
        size_variation=float(rng.uniform(0.06, 0.25)),
        elongation=float(rng.choice([rng.uniform(1.0, 1.4), rng.uniform(1.4, 2.2)], p=[0.75, 0.25])),
        irregularity=float(rng.uniform(0.02, 0.14)),
        chromatin=float(rng.uniform(0.05, 0.5)),
        vesicular=float(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 0.75)], p=[0.65, 0.35])),
        border_um=float(rng.uniform(0.2, 0.7)),
        border_variation=float(rng.uniform(0.1, 0.6)),
        nucleoli=float(rng.choice([0.0, rng.uniform(0.2, 1.0)])),
        jitter=float(rng.uniform(0.12, 0.3)),
        cell_radius_ratio=float(rng.uniform(1.3, 2.2)),
        dab_variation=float(rng.uniform(0.15, 0.6)),
        hematoxylin_variation=float(rng.uniform(0.1, 0.5)),
        faint_fraction=float(rng.uniform(0, 0.3)),
        stroma_fraction=float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.25, 0.75])),
        nest_um=float(rng.uniform(60, 240)),
        lymphocyte_fraction=float(rng.choice([0.0, rng.uniform(0.1, 0.7)], p=[0.3, 0.7])),
        non_tumour_positive_percent=float(rng.uniform(0, 10)),
        pigment_per_mm2=float(rng.choice([0.0, rng.uniform(20, 300)], p=[0.7, 0.3])),
        debris_per_mm2=float(rng.uniform(0, 300)),
        stains=random_stains(rng),
        optics=random_optics(rng),
        jpeg_quality=int(rng.integers(50, 96)),
    )


def random_tissue_spec(seed: int, *, width_px: int = 384, height_px: int = 384, um_per_px: float = 0.5) -> SlideSpec:
    """As :func:`random_spec`, with neighbours of every kind: no single measure tells them from tumour.

    Lymphocytes from scattered to packed, stroma from wires to plump fibroblasts and endothelium, tumour nuclei up to
    15 µm; a lymphocyte is always smaller than the tumour's nuclei.
    """
    spec = random_spec(seed, width_px=width_px, height_px=height_px, um_per_px=um_per_px)
    rng = np.random.default_rng([seed, 79])
    diameter = spec.nucleus_diameter_um
    wide = float(rng.choice([diameter, rng.uniform(10, 15)], p=[0.82, 0.18]))
    short = float(rng.choice([rng.uniform(1.1, 1.8), rng.uniform(1.8, 2.7)]))
    return spec.with_changes(
        nucleus_diameter_um=wide,
        density_per_mm2=spec.density_per_mm2 * (diameter / wide) ** 2,
        size_variation=float(spec.size_variation * rng.uniform(1.0, 1.4)),
        lymphocyte_radius_um=float(min(rng.uniform(2.4, 3.5), wide / 2 / 1.12)),
        lymphocyte_pitch_um=float(rng.choice([rng.uniform(6.8, 9.5), rng.uniform(9.5, 17)])),
        lymphocyte_darkness=float(rng.uniform(1.05, 1.8)),
        stroma_semi_um=(float(short * rng.uniform(1.6, 3.6)), short),
        stroma_pitch_um=float(rng.uniform(10, 24)),
        stroma_darkness=float(rng.uniform(0.75, 1.35)),
    )


def random_stain_spec(
    seed: int, pattern: MarkerPattern, *, width_px: int = 512, height_px: int = 512, um_per_px: float = 0.5
) -> SlideSpec:
    """Neuroendocrine tumour of random make-up with a stain of the given pattern, from few cells stained to all.

    Cells are those of tumours that are read for more than a count: scant to moderate cytoplasm, hardly any pigment.
    """
    rng = np.random.default_rng([seed, 78])
    diameter = float(rng.uniform(6.0, 9.5))
    pitch = diameter * float(rng.uniform(1.15, 1.9))
    extent = float(rng.choice([rng.uniform(3, 30), rng.uniform(30, 80), rng.uniform(80, 100)]))
    return random_spec(seed, width_px=width_px, height_px=height_px, um_per_px=um_per_px).with_changes(
        pattern=pattern,
        index_percent=extent,
        density_per_mm2=1e6 / (pitch**2 * np.sqrt(3) / 2),
        nucleus_diameter_um=diameter,
        size_variation=float(rng.uniform(0.06, 0.18)),
        elongation=float(rng.uniform(1.0, 1.6)),
        irregularity=float(rng.uniform(0.02, 0.1)),
        cell_radius_ratio=float(rng.uniform(1.5, 2.1)),
        dab_variation=float(rng.uniform(0.15, 0.5)),
        faint_fraction=float(rng.uniform(0, 0.15)),
        non_tumour_positive_percent=0.0,
        pigment_per_mm2=0.0,
    )


def random_photographed_stain_spec(
    seed: int, pattern: MarkerPattern, *, width_px: int = 512, height_px: int = 512, um_per_px: float = 0.5
) -> SlideSpec:
    """As :func:`random_stain_spec`, and softer, harder, thicker: what photographs and poor scans show.

    Blur up to 1.1 µm as often as a sharp picture, sharpening up to halos, membranes of any width, cytoplasm above and
    below the nuclei, cytoplasm from pale to nearly as brown as the membrane around it, nuclei with a brown blush
    around them on dirty tissue.
    """
    spec = random_stain_spec(seed, pattern, width_px=width_px, height_px=height_px, um_per_px=um_per_px)
    rng = np.random.default_rng([seed, 80])
    optics = Optics(
        blur_sigma_um=float(rng.uniform(0.15, 1.1)),
        sharpen_amount=float(rng.choice([0.0, rng.uniform(0.3, 2.5)], p=[0.55, 0.45])),
        sharpen_sigma_um=float(rng.uniform(0.3, 1.0)),
        noise_grey=float(rng.uniform(0.3, 4.0)),
    )
    veil = float(rng.choice([rng.uniform(0.0, 0.12), rng.uniform(0.12, 0.4)], p=[0.65, 0.35]))
    dirt = float(rng.choice([spec.stains.background_dab_od, rng.uniform(0.08, 0.3)], p=[0.65, 0.35]))
    return spec.with_changes(
        optics=optics,
        membrane_um=float(rng.uniform(0.35, 0.65)),
        beside_membrane=(float(rng.uniform(0.0, 0.12)), float(rng.uniform(0.3, 0.55))),
        beside_nucleus=(float(rng.choice([0.0, rng.uniform(0.05, 0.35)])), float(rng.uniform(0.5, 1.0))),
        veil=veil if pattern in _UNDER_AND_OVER else spec.veil,
        heterogeneity=float(rng.choice([0.0, rng.uniform(0.5, 2.5)])),
        stains=dataclasses.replace(spec.stains, background_dab_od=dirt) if pattern in _NUCLEAR else spec.stains,
    )
