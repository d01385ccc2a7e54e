"""Ki-67 and the other slides: counts with intervals, hot spots, readings, pictures."""

from __future__ import annotations

from kulchitsky.case.measure import CellCount, HotSpot, Share, SlideCount, StainReading
from kulchitsky.case.record import Ki67
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.case.vocabulary import IndexSource
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import (
    Bar,
    Bars,
    Block,
    Callout,
    Column,
    Curve,
    Items,
    Panel,
    Paragraph,
    Part,
    Plate,
    Runs,
    Section,
    Table,
)
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

_BOUND_WORDS = {"exact": "", "at_most": "up to ", "at_least": "at least ", "about": "about "}


def first_page(desk: Desk) -> Section:
    """Ki-67 from the slides and from the text, with interval, hot spot and what chance alone would show."""
    items: list[Runs] = []
    for index, count in enumerate(desk.worked.counts):
        items.append(_counted(f"counts.{index}", count))
        if count.hotspots:
            items.append(_hot_spot(f"counts.{index}.hotspots.0", count.hotspots[0]))
    items += reported_indices(desk)
    if not items:
        gap = "No Ki-67 index: no slide was counted and the record gives none. Grade and prognosis lean on it."
        return Section("ki67", "Ki-67", (missing(strong("Undetermined. "), gap),))
    return Section("ki67", "Ki-67", (Items(tuple(items)),))


def reported_indices(desk: Desk) -> list[Runs]:
    """The indices that the record itself gives."""
    return [
        _reported(index, entry)
        for index, entry in enumerate(desk.worked.case.ki67)
        if entry.origin is IndexSource.REPORT
    ]


def index_figure(path: str, count: CellCount) -> Runs:
    """A labelling index with its interval, or the statement that nothing was counted."""
    if count.index_percent is None:
        return say("no index: nothing was counted")
    interval = f" (95 % {w.percent_interval(count.interval_95)})" if count.interval_95 else " (no interval)"
    return say(figure(w.percent(count.index_percent), count.index_percent, f"{path}.index_percent"), quiet(interval))


def _of_cells(path: str, count: CellCount) -> Runs:
    return say(
        figure(w.number(count.positive), count.positive, f"{path}.positive"),
        " of ",
        figure(w.number(count.counted), count.counted, f"{path}.counted"),
        " cells",
    )


def _counted(path: str, count: SlideCount) -> Runs:
    return say(
        strong(f"{w.file_name(count.slide)}: "),
        "whole tissue ",
        index_figure(path, count),
        ", ",
        _of_cells(path, count),
        ".",
    )


def _hot_spot(path: str, spot: HotSpot) -> Runs:
    wanted = f"{w.number(spot.cells_wanted)} cells" if spot.cells_wanted else f"{w.number(spot.area_mm2)} mm²"
    runs = say(f"Hottest {wanted}: ", index_figure(path, spot), ", ", _of_cells(path, spot), ".")
    if spot.null_index_percent is None:
        return say(runs, quiet(" The interval does not cover that the hottest place was chosen."))
    chance = figure(w.percent(spot.null_index_percent), spot.null_index_percent, f"{path}.null_index_percent")
    spread = f" ({w.percent_interval(spot.null_interval_95)})" if spot.null_interval_95 else ""
    runs = say(runs, " With positivity dealt out at random the hottest such window would show ", chance, f"{spread}.")
    if spot.p_value is not None:
        runs = say(runs, " p = ", figure(f"{spot.p_value:.2g}", spot.p_value, f"{path}.p_value"), ".")
    if spot.shrunk_index_percent is None:
        return runs
    shrunk = figure(w.percent(spot.shrunk_index_percent), spot.shrunk_index_percent, f"{path}.shrunk_index_percent")
    span = f" ({w.percent_interval(spot.shrunk_interval_95)})" if spot.shrunk_interval_95 else ""
    return say(runs, " Corrected for the choice: ", shrunk, f"{span}.")


def _reported(index: int, entry: Ki67) -> Runs:
    path = f"case.ki67.{index}"
    runs = say(strong("As reported: "), _BOUND_WORDS[entry.bound])
    if entry.percent is not None:
        runs = say(runs, figure(w.percent(entry.percent), entry.percent, f"{path}.percent"))
    elif entry.low_percent is not None and entry.high_percent is not None:
        runs = say(
            runs,
            figure(w.percent(entry.low_percent), entry.low_percent, f"{path}.low_percent"),
            " to ",
            figure(w.percent(entry.high_percent), entry.high_percent, f"{path}.high_percent"),
        )
    elif entry.high_percent is not None:
        runs = say(runs, "up to ", figure(w.percent(entry.high_percent), entry.high_percent, f"{path}.high_percent"))
    elif entry.low_percent is not None:
        runs = say(runs, "from ", figure(w.percent(entry.low_percent), entry.low_percent, f"{path}.low_percent"))
    method = ", ".join(part for part in (entry.method, entry.specimen, "hot spot" if entry.hotspot else "") if part)
    runs = say(runs, f" ({method})" if method else None)
    if entry.counted is not None and entry.positive is not None:
        return say(runs, f" {w.number(entry.positive)} of {w.number(entry.counted)} cells.")
    return say(runs, ".", quiet(" Cells counted not stated, so no interval."))


def annex(desk: Desk) -> Section:
    """Every slide: numbers, method remarks, and its pictures."""
    parts: list[Block] = []
    pictures = list(desk.worked.pictures)
    for index, count in enumerate(desk.worked.counts):
        own, pictures = _split(pictures, count.slide)
        parts.append(
            Part(f"{w.file_name(count.slide)} ({desk.name(count.stain)})", _count_blocks(desk, index, count, own))
        )
    for index, reading in enumerate(desk.worked.readings):
        own, pictures = _split(pictures, reading.slide)
        parts.append(
            Part(
                f"{w.file_name(reading.slide)} ({desk.name(reading.marker)})",
                _reading_blocks(desk, index, reading, own),
            )
        )
    if pictures:
        plates = [block for p in pictures for block in _plate(desk, [p], w.file_name(p.slide))]
        parts.append(Part("Other pictures", tuple(plates)))
    if not parts:
        parts.append(missing("No slide came with the case: every figure above rests on the text of the record."))
    return Section("slides", "Slides", tuple(parts), letter="C")


def _split(pictures: list[SlidePicture], slide: str) -> tuple[list[SlidePicture], list[SlidePicture]]:
    own = [p for p in pictures if p.slide == slide]
    return own, [p for p in pictures if p.slide != slide]


def _count_blocks(desk: Desk, index: int, count: SlideCount, pictures: list[SlidePicture]) -> tuple[Block, ...]:
    path = f"counts.{index}"
    rows = [
        _region_row(
            "Whole tissue", path, count, figure(f"{count.tissue_mm2:.2f}", count.tissue_mm2, f"{path}.tissue_mm2")
        )
    ]
    for number, spot in enumerate(count.hotspots):
        wanted = f"{w.number(spot.cells_wanted)} cells" if spot.cells_wanted else "fixed area"
        area = figure(f"{spot.area_mm2:.3f}", spot.area_mm2, f"{path}.hotspots.{number}.area_mm2")
        rows.append(_region_row(f"Hot spot {number + 1} ({wanted})", f"{path}.hotspots.{number}", spot, area))
    columns = (
        Column("Region", share=5),
        Column("Cells counted", "right", share=3),
        Column("Positive", "right", share=3),
        Column("Index (95 % interval)", "right", share=5),
        Column("Area, mm²", "right", share=3),
    )
    blocks: list[Block] = [Table("Cells counted", columns, tuple(rows))]
    if count.hotspots:
        blocks.append(Items(tuple(_hot_spot(f"{path}.hotspots.{i}", s) for i, s in enumerate(count.hotspots))))
    blocks += _left_out(path, count)
    blocks += _cut_curve(count)
    blocks += _plate(desk, pictures, f"{w.file_name(count.slide)}, {desk.name(count.stain)}")
    blocks += [Callout("warn", say(w.stop(issue.message), " ", issue.remedy)) for issue in count.issues]
    return tuple(blocks)


def _region_row(title: str, path: str, count: CellCount, area: object) -> tuple[Runs, ...]:
    return (
        say(title),
        say(figure(w.number(count.counted), count.counted, f"{path}.counted")),
        say(figure(w.number(count.positive), count.positive, f"{path}.positive")),
        index_figure(path, count),
        (area,),  # type: ignore[return-value]
    )


def _left_out(path: str, count: SlideCount) -> list[Block]:
    if not count.left_out:
        return []
    rows = tuple(
        (say(w.sentence_case(w.words(left.reason))), say(w.number(left.cells)), say(w.number(left.positive)))
        for left in count.left_out
    )
    columns = (
        Column("Why", share=6),
        Column("Cells", "right", share=2),
        Column("Of them positive", "right", share=2),
    )
    blocks: list[Block] = [Table("Cells found but not counted as tumour", columns, rows, narrow=True)]
    if count.index_with_left_out_percent is not None:
        value = count.index_with_left_out_percent
        shown = figure(w.percent(value), value, f"{path}.index_with_left_out_percent")
        blocks.append(Paragraph(say("Had they been counted, the index would be ", shown, ".")))
    return blocks


def _cut_curve(count: SlideCount) -> list[Block]:
    """How the index would change with the positivity cut."""
    points = tuple((point.cut_od, point.index_percent) for point in count.cut_curve)
    if len(points) < 2:
        return []
    used = count.method.get("cut_od")
    mark = float(used) if isinstance(used, int | float) else None
    at = "; ".join(f"{w.percent(index)} at {w.number(cut)}" for cut, index in points)
    return [
        Curve(
            caption="The labelling index of the whole tissue that another positivity cut would give",
            x_title="Positivity cut, DAB optical density",
            y_title="Index",
            points=points,
            mark=mark,
            mark_title=f"cut used: {w.number(mark)}" if mark is not None else "",
            spoken=f"Index by positivity cut: {at}",
        )
    ]


def _reading_blocks(desk: Desk, index: int, reading: StainReading, pictures: list[SlidePicture]) -> tuple[Block, ...]:
    path = f"readings.{index}"
    words = [
        f"extent {reading.extent.value}" if reading.extent else "",
        f"intensity {reading.intensity.value}" if reading.intensity else "",
        _with_confidence("compartment", reading.compartment, reading.compartment_confidence),
        _with_confidence("pattern", reading.pattern, reading.pattern_confidence),
    ]
    lead = say("Stained: ", index_figure(path, reading), ", ", _of_cells(path, reading), ". ")
    described = w.stop(w.sentence_case(w.listed([word for word in words if word])))
    blocks: list[Block] = [Paragraph(say(lead, described))]
    blocks += _shares(f"{path}.intensity_classes", "Intensity", reading.intensity_classes)
    blocks += _shares(f"{path}.compartments", "Compartment", reading.compartments)
    blocks += _shares(f"{path}.patterns", "Pattern", reading.patterns)
    if reading.h_score is not None:
        blocks.append(
            Paragraph(say("H-score ", figure(f"{reading.h_score:.0f}", reading.h_score, f"{path}.h_score"), "."))
        )
    if reading.expected:
        blocks.append(Paragraph(say(quiet("Expected of this marker: "), w.stop(reading.expected))))
    blocks += _plate(desk, pictures, f"{w.file_name(reading.slide)}, {desk.name(reading.marker)}")
    blocks += [Callout("warn", say(w.stop(issue.message), " ", issue.remedy)) for issue in reading.issues]
    return tuple(blocks)


def _shares(path: str, title: str, shares: tuple[Share, ...]) -> list[Block]:
    """Shares of the tumour cells by intensity, compartment or pattern."""
    bars = tuple(
        Bar(
            label=say(w.sentence_case(w.words(share.name))),
            value=share.fraction,
            interval=None,
            figures=say(figure(w.share(share.fraction), share.fraction, f"{path}.{index}.fraction")),
            spoken=f"{w.words(share.name)}: {w.share(share.fraction)}",
        )
        for index, share in enumerate(shares)
    )
    return [Bars(f"{title}, share of tumour cells", title, bars, of="Share")] if bars else []


def _with_confidence(what: str, value: object, confidence: float | None) -> str:
    if value is None:
        return ""
    sure = f" (confidence {w.share(confidence)})" if confidence is not None else ""
    return f"{what} {w.words(str(value))}{sure}"


def _plate(desk: Desk, pictures: list[SlidePicture], subject: str) -> list[Block]:
    """The pictures of one slide as one numbered figure with lettered panels."""
    if not pictures:
        return []
    number = desk.next_picture()
    caption = say(strong(f"Figure {number}. "), w.stop(subject))
    panels: list[Panel] = []
    for index, picture in enumerate(pictures):
        letter = chr(ord("A") + index) if len(pictures) > 1 else ""
        name = f"Figure {number}{letter}"
        panels.append(
            Panel(picture.path, picture.path in desk.supplied, letter, f"{name}: {subject}, {picture.caption}")
        )
        lead = strong(f" {letter}, ") if letter else " "
        text = picture.caption if letter else w.sentence_case(picture.caption)
        caption = say(caption, lead, w.stop(text))
    return [Plate(tuple(panels), caption)]
