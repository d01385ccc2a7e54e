"""The window richest in marked points: exact search, its null distribution, and its value freed of selection.

Arrays of points in, numbers out. A window is the disc around a lattice point that holds a wanted number of points
(the K nearest), or has a fixed radius. The search bounds every window by counts on a fine raster and reads exactly
only those that could still win, so that the result equals trying them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

_BINS_PER_RADIUS: Final = (12, 32)
_POINTS_PER_BIN: Final = 0.62
"""Finer bins bound a window better but take longer to sum; windows of 500 points get 16 bins a radius."""
_FINE: Final = 8
_COARSE: Final = 3


@dataclass(frozen=True, slots=True)
class Window:
    """A disc and what it holds; lengths in the unit of the coordinates."""

    x: float
    y: float
    radius: float
    count: int
    marked: int

    @property
    def share(self) -> float:
        """Marked share; a window always holds a point."""
        return self.marked / self.count


@dataclass(frozen=True, slots=True)
class Lattice:
    """Centres to try: (M,) ``x`` and ``y``."""

    x: F64
    y: F64


class PointRaster:
    """Points sorted into square bins, with row-wise prefix sums, for bounds and for exact reading."""

    def __init__(self, x: F64, y: F64, marked: Flags, bin_size: float) -> None:
        self.bin = float(bin_size)
        self.x0, self.y0 = float(x.min()), float(y.min())
        column = np.minimum((x - self.x0) / self.bin, 2**20).astype(np.int64)
        row = np.minimum((y - self.y0) / self.bin, 2**20).astype(np.int64)
        self.columns, self.rows = int(column.max()) + 1, int(row.max()) + 1
        key = row * self.columns + column
        held = np.bincount(key, minlength=self.rows * self.columns)
        self.starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(held)])
        self.order = _into_bins(key, self.starts[:-1].copy())
        self.x, self.y = x[self.order], y[self.order]
        self.marked = marked[self.order].astype(np.uint8)
        self.key = key[self.order].astype(np.int32)
        self.total = self._prefix(held)
        self.hits = self._prefix(np.bincount(self.key[self.marked > 0], minlength=self.rows * self.columns))

    def _prefix(self, counts: NDArray[np.int64]) -> NDArray[np.int32]:
        prefix = np.zeros((self.rows, self.columns + 1), np.int32)
        np.cumsum(counts.reshape(self.rows, self.columns), axis=1, out=prefix[:, 1:])
        return prefix

    def permuted(self, rng: np.random.Generator, out: NDArray[np.int32]) -> NDArray[np.int32]:
        """Prefix sums of the marks dealt out anew, in ``out``, an array like ``total``."""
        _deal(self.key, int(self.marked.sum()), rng, out)
        return out


@numba.njit(cache=True, nogil=True)
def _into_bins(key: Any, place: Any) -> Any:
    """Order of the points by bin, those of one bin as they came; ``place`` holds each bin's first place."""
    order = np.empty(len(key), np.int64)
    for n in range(len(key)):
        order[place[key[n]]] = n
        place[key[n]] += 1
    return order


@numba.njit(cache=True, nogil=True)
def _deal(key: Any, marks: int, rng: Any, prefix: Any) -> None:
    """Deal ``marks`` marks to points drawn without replacement, and sum them up along the rows of bins."""
    rows, columns = prefix.shape[0], prefix.shape[1] - 1
    prefix[:] = 0
    left = key.copy()
    for n in range(marks):
        drawn = n + int(rng.random() * (len(left) - n))
        bin_ = left[drawn]
        prefix[bin_ // columns, bin_ % columns + 1] += 1
        left[drawn] = left[n]
    for i in range(rows):
        for j in range(columns):
            prefix[i, j + 1] += prefix[i, j]


def lattice_over(x: F64, y: F64, step: float) -> Lattice:
    """Lattice points, ``step`` apart, whose own square or one of its eight neighbours holds a point."""
    x0, y0 = float(x.min()), float(y.min())
    column, row = ((x - x0) / step).astype(np.int64), ((y - y0) / step).astype(np.int64)
    filled = np.zeros((int(row.max()) + 3, int(column.max()) + 3), bool)
    filled[row + 1, column + 1] = True
    near = filled.copy()
    for shift in (-1, 1):
        near |= np.roll(filled, shift, 0)
    wide = near.copy()
    for shift in (-1, 1):
        wide |= np.roll(near, shift, 1)
    rows, columns = np.nonzero(wide)
    return Lattice(
        x=np.asarray(x0 + (columns - 0.5) * step, np.float64), y=np.asarray(y0 + (rows - 0.5) * step, np.float64)
    )


def richest_by_count(
    x: F64, y: F64, marked: Flags, wanted: int, *, per_radius: int = _FINE
) -> tuple[Window, PointRaster, Lattice, F64] | None:
    """The disc of ``wanted`` nearest points with the highest marked share, over a lattice of ``per_radius`` points
    a usual radius; also the raster, the lattice and each lattice point's radius, for :func:`null_shares`.

    Ties go to the smaller radius, then to the first lattice point. Discs more than 2.5 times as wide as usual are not
    looked at (they would bridge empty ground). ``None`` when there are fewer points than wanted.
    """
    if len(x) < wanted:
        return None
    usual = _usual_radius(x, y, wanted)
    raster = PointRaster(x, y, marked, usual / _bins_per_radius(wanted))
    lattice = lattice_over(x, y, usual / per_radius)
    widest = 2.5 * usual
    inner, radius, bound = _bounds_by_count(
        lattice.x, lattice.y, raster.total, raster.hits, raster.x0, raster.y0, raster.bin, wanted, widest
    )
    best = _search(raster, lattice, inner, radius, bound, wanted, 0.0, widest)
    if best is None:
        return None
    return best, raster, lattice, radius


def richest_by_radius(
    x: F64, y: F64, marked: Flags, radius: float, fewest: int, *, per_radius: int = _FINE
) -> tuple[Window, PointRaster, Lattice, F64] | None:
    """The disc of fixed ``radius`` with the highest marked share among those that hold at least ``fewest`` points."""
    if len(x) < fewest:
        return None
    raster = PointRaster(x, y, marked, radius / _bins_per_radius(fewest))
    lattice = lattice_over(x, y, radius / per_radius)
    radii = np.full(len(lattice.x), radius)
    bound = _bounds_by_radius(
        lattice.x, lattice.y, raster.total, raster.hits, raster.x0, raster.y0, raster.bin, radius, fewest
    )
    best = _search(raster, lattice, radii, radii, bound, fewest, radius, radius)
    return None if best is None else (best, raster, lattice, radii)


def _bins_per_radius(points: int) -> float:
    """Bins along the radius of a window of so many points."""
    return float(np.clip(np.sqrt(points / (np.pi * _POINTS_PER_BIN)), *_BINS_PER_RADIUS))


def _usual_radius(x: F64, y: F64, wanted: int) -> float:
    """Radius of a disc of ``wanted`` points at the median local density."""
    extent = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    side = max(extent / 400, extent / np.sqrt(len(x)) * 4)
    column, row = ((x - x.min()) / side).astype(np.int64), ((y - y.min()) / side).astype(np.int64)
    key = row * (int(column.max()) + 1) + column
    counts = np.bincount(key)
    density = float(np.median(counts[key])) / side**2
    return float(np.sqrt(wanted / (np.pi * density)))


def _search(
    raster: PointRaster,
    lattice: Lattice,
    inner: F64,
    radius: F64,
    bound: F64,
    wanted: int,
    fixed: float,
    widest: float,
) -> Window | None:
    order = np.argsort(-bound, kind="stable")
    order = order[bound[order] > 0]
    if len(order) == 0:
        return None
    row = _best_exact(
        order, bound, lattice.x, lattice.y, inner, radius, raster.x, raster.y, raster.marked, raster.starts,
        raster.total, raster.hits, raster.x0, raster.y0, raster.bin, wanted, fixed, widest,
    )  # fmt: skip
    index, found_radius, count, hits = row
    if index < 0:
        return None
    return Window(float(lattice.x[index]), float(lattice.y[index]), float(found_radius), int(count), int(hits))


@numba.njit(cache=True, nogil=True)
def _disc(prefix: Any, cx: float, cy: float, r: float, size: float) -> int:
    """Sum over all bins that the disc touches; coordinates relative to the raster's corner."""
    rows, columns = prefix.shape[0], prefix.shape[1] - 1
    total = 0
    top, low = max(0, int(np.floor((cy - r) / size))), min(rows - 1, int(np.floor((cy + r) / size)))
    for i in range(top, low + 1):
        near = max(0.0, max(i * size - cy, cy - (i + 1) * size))
        half2 = r * r - near * near
        if half2 < 0:
            continue
        half = np.sqrt(half2)
        left = max(0, int(np.floor((cx - half) / size)))
        right = min(columns, int(np.floor((cx + half) / size)) + 1)
        if right > left:
            total += prefix[i, right] - prefix[i, left]
    return total


@numba.njit(cache=True, nogil=True)
def _bounds_by_count(
    xs: Any, ys: Any, total: Any, hits: Any, x0: float, y0: float, size: float, wanted: int, widest: float
) -> Any:
    """Per centre: a radius that surely holds fewer than ``wanted`` points, one that surely holds them when widened by
    one bin's diagonal, and an upper bound of the marked share of its K nearest."""
    inner = np.empty(len(xs))
    radius = np.empty(len(xs))
    bound = np.empty(len(xs))
    diagonal = size * 1.4143
    last = widest / 2.5
    for n in range(len(xs)):
        cx, cy = xs[n] - x0, ys[n] - y0
        # neighbours have nearly the same radius: begin around the last one
        low, high = 0.9 * last, min(widest, 1.1 * last)
        if _disc(total, cx, cy, high, size) < wanted:
            low, high = high, widest
            if _disc(total, cx, cy, high, size) < wanted:
                inner[n], radius[n], bound[n] = 0.0, widest, -1.0
                continue
        elif _disc(total, cx, cy, low, size) >= wanted:
            low, high = 0.0, low
        while high - low > size * 0.4:
            middle = (low + high) / 2
            if _disc(total, cx, cy, middle, size) >= wanted:
                high = middle
            else:
                low = middle
        inner[n], radius[n] = low, high
        last = high
        # bins touched by the disc of radius `high` hold enough points, all of them within high + diagonal
        bound[n] = min(1.0, _disc(hits, cx, cy, high + diagonal, size) / wanted)
        # a window of no marked point still is a window
        bound[n] = max(bound[n], 1e-12)
    return inner, radius, bound


@numba.njit(cache=True, nogil=True)
def _bounds_by_radius(
    xs: Any, ys: Any, total: Any, hits: Any, x0: float, y0: float, size: float, radius: float, fewest: int
) -> Any:
    bound = np.empty(len(xs))
    inner = max(0.0, radius - 1.4143 * size)
    for n in range(len(xs)):
        cx, cy = xs[n] - x0, ys[n] - y0
        if _disc(total, cx, cy, radius, size) < fewest:
            bound[n] = -1.0
            continue
        # bins touched by the smaller disc lie wholly inside the window
        surely = max(fewest, _disc(total, cx, cy, inner, size))
        bound[n] = max(1e-12, min(1.0, _disc(hits, cx, cy, radius, size) / surely))
    return bound


@numba.njit(cache=True, nogil=True)
def _best_exact(
    order: Any, bound: Any, xs: Any, ys: Any, inner: Any, radius: Any, px: Any, py: Any, marked: Any, starts: Any,
    total: Any, hits: Any, x0: float, y0: float, size: float, wanted: int, fixed: float, widest: float,
) -> Any:  # fmt: skip
    best, best_radius, best_count, best_hits, best_share = -1, 0.0, 0, 0, -1.0
    distance = np.empty(4 * wanted + 1024)
    flag = np.empty(4 * wanted + 1024, np.uint8)
    for n in order:
        if bound[n] < best_share:
            break
        reach = fixed if fixed > 0 else radius[n] + 1.4143 * size
        while True:
            count, marks, found = _around(
                xs[n], ys[n], inner[n], reach, px, py, marked, starts, total, hits, x0, y0, size, distance, flag
            )
            if found <= len(distance):
                break
            distance = np.empty(2 * found)
            flag = np.empty(2 * found, np.uint8)
        if count + found < wanted:
            continue
        r2 = fixed * fixed
        if fixed == 0:
            r2 = np.partition(distance[:found], wanted - count - 1)[wanted - count - 1]
            if r2 > widest * widest:
                continue
        for k in range(found):
            if distance[k] <= r2:
                count += 1
                marks += flag[k]
        share = marks / count
        r = np.sqrt(r2)
        better = share > best_share
        if share == best_share:
            better = r < best_radius or (r == best_radius and n < best)
        if better:
            best, best_radius, best_count, best_hits, best_share = n, r, count, marks, share
    return best, best_radius, best_count, best_hits


@numba.njit(cache=True, nogil=True)
def _around(
    cx: float, cy: float, inner: float, reach: float, px: Any, py: Any, marked: Any, starts: Any, total: Any,
    hits: Any, x0: float, y0: float, size: float, distance: Any, flag: Any,
) -> Any:  # fmt: skip
    """Points of the bins that lie wholly within ``inner``, and how many are marked, from the prefix sums; squared
    distances and marks of the other points within ``reach``, and their true number even where there is no room."""
    rows, columns = total.shape[0], total.shape[1] - 1
    x, y = cx - x0, cy - y0
    count = marks = found = 0
    for i in range(max(0, int(np.floor((y - reach) / size))), min(rows - 1, int(np.floor((y + reach) / size))) + 1):
        near = max(0.0, max(i * size - y, y - (i + 1) * size))
        outer2 = reach * reach - near * near
        if outer2 < 0:
            continue
        # a bin more on either side than needed: rounding must lose no point
        half = np.sqrt(outer2)
        left = max(0, int(np.floor((x - half) / size)) - 1)
        right = min(columns, int(np.floor((x + half) / size)) + 2)
        if right <= left:
            continue
        first, last = right, right  # bins wholly inside
        far = max(y - i * size, (i + 1) * size - y) + 1e-6 * size
        if far < inner:
            half = np.sqrt(inner * inner - far * far) - 1e-6 * size
            first = min(max(int(np.ceil((x - half) / size)), left), right)
            last = min(max(int(np.floor((x + half) / size)), first), right)
            count += total[i, last] - total[i, first]
            marks += hits[i, last] - hits[i, first]
        for side in range(2):
            a, b = (left, first) if side == 0 else (last, right)
            for k in range(starts[i * columns + a], starts[i * columns + b]):
                dx, dy = px[k] - cx, py[k] - cy
                d2 = dx * dx + dy * dy
                if d2 <= reach * reach:
                    if found < len(distance):
                        distance[found] = d2
                        flag[found] = marked[k]
                    found += 1
    return count, marks, found


@numba.njit(cache=True, nogil=True)
def _highest_share(
    xs: Any, ys: Any, radius: Any, total: Any, hits: Any, x0: float, y0: float, size: float, fewest: int
) -> float:
    best = 0.0
    for n in range(len(xs)):
        count = total[n]
        if count >= fewest:
            best = max(best, _disc(hits, xs[n] - x0, ys[n] - y0, radius[n], size) / count)
    return best


@numba.njit(cache=True, nogil=True)
def _counts(xs: Any, ys: Any, radius: Any, total: Any, x0: float, y0: float, size: float) -> Any:
    out = np.empty(len(xs), np.int64)
    for n in range(len(xs)):
        out[n] = _disc(total, xs[n] - x0, ys[n] - y0, radius[n], size)
    return out


def null_shares(
    raster: PointRaster, lattice: Lattice, radius: F64, wanted: int, *, permutations: int, seed: int
) -> tuple[F64, float]:
    """Highest marked share of any window when the marks are dealt out at random, (permutations,), and the same
    statistic of the marks as they are (windows read on the raster, hence comparable).

    At most some 60,000 evenly taken lattice points are read: a coarser lattice lowers the maximum hardly at all, as
    neighbouring windows share most points.
    """
    stride = max(1, -(-len(lattice.x) // 60_000))
    xs, ys, radii = lattice.x[::stride], lattice.y[::stride], radius[::stride]
    total = _counts(xs, ys, radii, raster.total, raster.x0, raster.y0, raster.bin)
    args = (raster.x0, raster.y0, raster.bin, max(1, int(0.9 * wanted)))
    seen = _highest_share(xs, ys, radii, total, raster.hits, *args)
    rng = np.random.default_rng(seed)
    dealt = np.empty_like(raster.hits)
    shares = [_highest_share(xs, ys, radii, total, raster.permuted(rng, dealt), *args) for _ in range(permutations)]
    return np.asarray(shares), float(seen)


def cross_fit_by_count(
    x: F64, y: F64, marked: Flags, wanted: int, *, splits: int = 4, seed: int = 0
) -> tuple[float, float] | None:
    """Share of the hottest window freed of its own selection, and the standard error of that figure.

    The points are halved at random; the window of ``wanted / 2`` points is chosen on one half and read on the other,
    then the other way round; the mean over ``splits`` halvings is returned. What a window owes to chance does not
    recur in the half that did not choose it. ``None`` where there are too few points.
    """

    def chosen(a: NDArray[np.intp], b: NDArray[np.intp]) -> float | None:
        found = richest_by_count(x[a], y[a], marked[a], max(1, wanted // 2), per_radius=_COARSE)
        if found is None or len(b) < max(1, wanted // 2):
            return None
        d2 = (x[b] - found[0].x) ** 2 + (y[b] - found[0].y) ** 2
        nearest = np.argpartition(d2, max(1, wanted // 2) - 1)[: max(1, wanted // 2)]
        return float(marked[b][nearest].mean())

    return _cross_fit(len(x), wanted, chosen, splits, seed)


def cross_fit_by_radius(
    x: F64, y: F64, marked: Flags, radius: float, fewest: int, *, splits: int = 4, seed: int = 0
) -> tuple[float, float] | None:
    """As :func:`cross_fit_by_count`, for windows of a fixed radius."""

    def chosen(a: NDArray[np.intp], b: NDArray[np.intp]) -> float | None:
        found = richest_by_radius(x[a], y[a], marked[a], radius, max(1, fewest // 2), per_radius=_COARSE)
        if found is None:
            return None
        inside = (x[b] - found[0].x) ** 2 + (y[b] - found[0].y) ** 2 <= radius**2
        return float(marked[b][inside].mean()) if inside.any() else None

    return _cross_fit(len(x), fewest, chosen, splits, seed)


def _cross_fit(
    points: int,
    wanted: int,
    chosen: Callable[[NDArray[np.intp], NDArray[np.intp]], float | None],
    splits: int,
    seed: int,
) -> tuple[float, float] | None:
    rng = np.random.default_rng(seed)
    shares: list[float] = []
    for _ in range(splits):
        order = rng.permutation(points)
        halves = np.sort(order[: points // 2]), np.sort(order[points // 2 :])
        for a, b in (halves, halves[::-1]):
            share = chosen(a, b)
            if share is not None:
                shares.append(share)
    if not shares:
        return None
    value = float(np.mean(shares))
    spread = float(np.var(shares, ddof=1)) / len(shares) if len(shares) > 1 else 0.0
    return value, float(np.sqrt(value * (1 - value) / max(1, wanted) + spread))
