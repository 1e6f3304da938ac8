"""Drawn chest radiographs: synthetic from the first pixel to the last, no patient behind them.

A phantom has lungs, ribs, a spine, a heart, diaphragms, texture and noise of random geometry and
exposure. A positive one has a soft opacity of varied size and contrast planted in one lung. The
same seed with and without the opacity is the same chest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medray.contracts import Array


@dataclass(frozen=True)
class Grid:
    """Pixel centres of a square image, both coordinates from -1 to 1; y points down."""

    x: Array
    y: Array


def phantom(seed: int, positive: bool, size: int) -> Array:
    """One radiograph, uint8 (size, size), bright where the body is dense (MONOCHROME2).

    The opacity's peak is 14 to 40% of the grey range over a standard deviation of 5 to 11% of the
    image, on a texture and ribs of comparable strength.
    """
    rng = np.random.default_rng([seed, 20240611])
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    grid = Grid(*np.meshgrid(axis, axis))
    tilt = rng.normal(0, 0.03)
    grid = Grid(grid.x - tilt * grid.y - rng.normal(0, 0.03), grid.y - rng.normal(0, 0.03))
    lungs = _lungs(grid, rng)
    image = _body(grid, rng) - rng.uniform(0.36, 0.46) * lungs
    image += _ribs(grid, rng) * (0.3 + 0.7 * lungs) + _spine(grid, rng) + _heart(grid, rng)
    image += 0.035 * _smooth_noise(rng, size, 0.12) + 0.03 * _smooth_noise(rng, size, 0.04) * lungs
    noise = rng.normal(0, 0.02, image.shape)
    exposure, contrast = rng.normal(0, 0.04), rng.uniform(0.85, 1.1)
    if positive:
        image += _opacity(grid, lungs, rng)
    levels = 0.5 + exposure + contrast * (image + noise - 0.5)
    return np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)


def _ellipse(grid: Grid, x: float, y: float, a: float, b: float, edge: float) -> Array:
    """1 inside, 0 outside, with a soft border of relative width `edge`."""
    radius = np.hypot((grid.x - x) / a, (grid.y - y) / b)
    return 1 / (1 + np.exp((radius - 1) / edge))


def _body(grid: Grid, rng: np.random.Generator) -> Array:
    trunk = _ellipse(grid, 0, 0.25, rng.uniform(0.92, 1.05), rng.uniform(1.15, 1.3), 0.05)
    return np.asarray(rng.uniform(0.62, 0.7) * trunk + 0.05)


def _lungs(grid: Grid, rng: np.random.Generator) -> Array:
    """Both lungs above domed diaphragms, 0 to 1."""
    fields = np.zeros_like(grid.x)
    for side in (-1, 1):
        x, y = side * rng.uniform(0.38, 0.44), rng.uniform(-0.12, -0.04)
        field = _ellipse(grid, x, y, rng.uniform(0.27, 0.33), rng.uniform(0.6, 0.7), 0.07)
        dome = rng.uniform(0.38, 0.5) - 0.15 * np.cos(2.2 * (grid.x - x))
        fields += field / (1 + np.exp((grid.y - dome - 0.12) / 0.03))
    return np.clip(fields, 0, 1)


def _ribs(grid: Grid, rng: np.random.Generator) -> Array:
    """Arcs that fall to the sides, regular in their distance."""
    slope, pitch, phase = rng.uniform(0.25, 0.45), rng.uniform(20, 26), rng.uniform(0, 2 * np.pi)
    arcs = np.sin(pitch * (grid.y - slope * np.abs(grid.x) + 0.25 * grid.x**2) + phase)
    cage = _ellipse(grid, 0, 0, 0.85, 0.9, 0.05)
    return np.asarray(rng.uniform(0.04, 0.08) * np.clip(arcs, 0, 1) * cage)


def _spine(grid: Grid, rng: np.random.Generator) -> Array:
    column = np.exp(-((grid.x / rng.uniform(0.09, 0.12)) ** 2))
    return np.asarray(0.14 * column * (1 + 0.15 * np.sin(rng.uniform(22, 28) * grid.y)))


def _heart(grid: Grid, rng: np.random.Generator) -> Array:
    """To the right in the image, where a frontal view has the patient's left."""
    x, y = rng.uniform(0.1, 0.17), rng.uniform(0.2, 0.3)
    return rng.uniform(0.2, 0.28) * _ellipse(grid, x, y, rng.uniform(0.26, 0.36), 0.3, 0.08)


def _opacity(grid: Grid, lungs: Array, rng: np.random.Generator) -> Array:
    """A soft blob in one lung, irregular at its border."""
    side = rng.choice([-1, 1])
    x, y = side * rng.uniform(0.32, 0.5), rng.uniform(-0.45, 0.25)
    width = rng.uniform(0.1, 0.22, 2)
    blob = np.exp(-0.5 * (((grid.x - x) / width[0]) ** 2 + ((grid.y - y) / width[1]) ** 2))
    ragged = 1 + 0.25 * _smooth_noise(rng, len(grid.x), 0.08)
    return np.asarray(rng.uniform(0.14, 0.4) * blob * ragged * (0.2 + 0.8 * lungs))


def _smooth_noise(rng: np.random.Generator, size: int, scale: float) -> Array:
    """Gaussian noise with a correlation length of `scale` image sides, standard deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    smooth = np.fft.irfft2(spectrum * np.exp(-((frequency * scale * size * 2.2) ** 2)), (size, size))
    return np.asarray(smooth / smooth.std())
