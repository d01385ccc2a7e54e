"""The differential on published cases: scores, baselines, ablation, calibration, and the fit of its tempering.

    python benchmarks/differential.py            scores, baselines, ablation; writes JSON and a reliability plot
    python benchmarks/differential.py --fit      fits the tempering, leaving one case out at a time
    python benchmarks/differential.py --cases    one line a case

The cases are development cases: profiles were written with them in view, so figures on them flatter. What is fitted
(five exponents) is scored on the case left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.knowledge.model import load_model
from kulchitsky.knowledge.profiles import Profile, ProfileSet, load_profiles
from kulchitsky.narrative.read_text import read_text
from kulchitsky.numerics.calibration import expected_calibration_error, log_score, reliability
from kulchitsky.numerics.intervals import wilson
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.findings import findings_of
from kulchitsky.reasoning.pool import RateTable, rate_table
from kulchitsky.reasoning.posterior import posterior
from provenance import ROOT, write_result
from published_cases import CASES, Published, load_cases

mpl.use("Agg")
import matplotlib.pyplot as plt

Floats = NDArray[np.float64]
Forecast = tuple[tuple[str, ...], Floats]
Forecaster = Callable[[Published], Forecast]

GRID = {
    "redundant_stains": (0.3, 0.5, 0.7),
    "other_stains": (0.75, 0.9, 1.0),
    "context": (0.55, 0.7, 0.85),
    "prior": (0.75, 1.0),
    "sharpness": (1.0, 1.2, 1.4),
}


@dataclasses.dataclass(frozen=True)
class Scores:
    """What a forecaster scores over a set of cases."""

    n: int
    top1: float
    top3: float
    log_score: float
    calibration_error: float

    def row(self) -> list[str]:
        return [
            str(self.n),
            f"{self.top1:.3f}",
            f"{self.top3:.3f}",
            f"{self.log_score:.3f}",
            f"{self.calibration_error:.3f}",
        ]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One forecast beside the truth; ``right`` is the summed probability of the entities that count as right."""

    case: Published
    right: float
    first: bool
    among_three: bool
    top: tuple[tuple[str, float], ...]


def outcome(case: Published, forecast: Forecast) -> Outcome:
    names, p = forecast
    order = np.argsort(-p, kind="stable")
    return Outcome(
        case,
        right=float(sum(x for n, x in zip(names, p, strict=True) if n in case.entities)),
        first=names[order[0]] in case.entities,
        among_three=any(names[i] in case.entities for i in order[:3]),
        top=tuple((names[i], float(p[i])) for i in order[:4]),
    )


def scores(outcomes: Sequence[Outcome]) -> Scores:
    """Calibration error is that of the leading diagnosis: ten bins of its posterior against how often it is right."""
    return Scores(
        n=len(outcomes),
        top1=float(np.mean([o.first for o in outcomes])),
        top3=float(np.mean([o.among_three for o in outcomes])),
        log_score=log_score([o.right for o in outcomes]),
        calibration_error=expected_calibration_error([o.top[0][1] for o in outcomes], [o.first for o in outcomes]),
    )


def run(cases: Sequence[Published], forecaster: Forecaster) -> list[Outcome]:
    return [outcome(c, forecaster(c)) for c in cases]


# forecasters


def full(
    knowledge: KnowledgeBase,
    *,
    table: RateTable | None = None,
    keep: Callable[[Finding], bool] = lambda _: True,
    change: Callable[[Case], Case] = lambda c: c,
) -> Forecaster:
    """The differential itself, or with a part of it taken away."""
    table = table or rate_table(knowledge)

    def forecast(case: Published) -> Forecast:
        record = change(case.case)
        found = [f for f in findings_of(record, knowledge) if keep(f)]
        post = posterior(record, knowledge, table=table, findings=found)
        return post.table.entities, post.entities

    return forecast


def majority(cases: Sequence[Published], entities: tuple[str, ...]) -> Forecaster:
    """How often each entity is the right one among the other cases; the facts of the case are ignored."""

    def forecast(case: Published) -> Forecast:
        counts = Counter(e for c in cases if c.id != case.id for e in c.entities[:1])
        p = np.array([counts.get(e, 0) + 0.5 for e in entities])
        return entities, p / p.sum()

    return forecast


def naive_bayes(
    cases: Sequence[Published], knowledge: KnowledgeBase, entities: tuple[str, ...], *, prior: str
) -> Forecaster:
    """Stains only, pooled frequencies multiplied as if independent; an empty cell takes the mean over entities."""
    rates: dict[tuple[str, str], float] = {}
    for entity, marker in knowledge.evidence_by_cell:
        rows = [r for r in knowledge.poolable(entity, marker) if r.n_tested and r.n_positive is not None]
        if rows:
            k, n = sum(r.n_positive or 0 for r in rows), sum(r.n_tested or 0 for r in rows)
            rates[entity, marker] = (k + 0.5) / (n + 1)
    pooled: dict[str, list[float]] = defaultdict(list)
    for (_, marker), p in rates.items():
        pooled[marker].append(p)
    base = majority(cases, entities)

    def forecast(case: Published) -> Forecast:
        log = np.log(base(case)[1]) if prior == "majority" else np.zeros(len(entities))
        for f in findings_of(case.case, knowledge):
            if f.kind == "stain":
                for i, e in enumerate(entities):
                    p = rates.get((e, f.rate)) or float(np.mean(pooled[f.rate])) if pooled[f.rate] else None
                    if p is not None:
                        log[i] += np.log(p if f.event else 1 - p)
        q = np.exp(log - log.max())
        return entities, q / q.sum()

    return forecast


def one_profile_each(profiles: ProfileSet) -> ProfileSet:
    """Entities without components: the first profile of each stands for all."""
    first: dict[str, int] = {}
    for i, p in enumerate(profiles.profiles):
        first.setdefault(p.entity, i)
    kept = tuple(dataclasses.replace(profiles.profiles[i], share=1.0) for i in first.values())
    return ProfileSet(kept, profiles.background)


def without_counts(table: RateTable) -> RateTable:
    return dataclasses.replace(table, cells={})


def without_expectations(profiles: ProfileSet) -> ProfileSet:
    """Counts alone: every uncounted stain has the same unknown rate everywhere; morphology and clinic stay."""

    def strip(p: Profile) -> Profile:
        context = ("arch_", "size_", "shape_", "chrom_", "nucleoli_", "feat_", "diff_", "necrosis")
        clinic = ("sym_", "img_", "lab_", "hist_", "growth_", "lesions_", "skin_", "immune", "heart_")
        kept = {k: x for k, x in p.rates.items() if k.startswith((*context, *clinic))}
        return dataclasses.replace(p, rates=kept)

    return ProfileSet(tuple(strip(p) for p in profiles.profiles), profiles.background)


def ablations(knowledge: KnowledgeBase) -> dict[str, Forecaster]:
    table, profiles, model = rate_table(knowledge), load_profiles(), load_model()
    untempered = dataclasses.replace(
        model, redundant_stains=1.0, other_stains=1.0, context=1.0, prior=1.0, sharpness=1.0
    )
    stains = ("stain", "panel", "dot")
    quantities = ("age", "ki67", "mitoses", "duration", "size")
    clinic = ("history", "symptoms", "imaging", "laboratory", "growth_rapid", "growth_slow", "lesions_multiple")

    def no_place(case: Case) -> Case:
        presentation = case.presentation.model_copy(update={"setting": None})
        specimens = tuple(s.model_copy(update={"setting": None}) for s in case.specimens)
        return case.model_copy(update={"presentation": presentation, "specimens": specimens})

    def is_clinic(f: Finding) -> bool:
        return f.group in clinic or f.id.startswith(("skin_", "immune", "heart_"))

    return {
        "all of it": full(knowledge),
        "without the prior by setting": full(knowledge, change=no_place),
        "without history, symptoms, imaging, laboratory": full(knowledge, keep=lambda f: not is_clinic(f)),
        "without morphology": full(knowledge, keep=lambda f: f.kind != "context" or is_clinic(f)),
        "without age, Ki-67, mitoses, duration, size": full(knowledge, keep=lambda f: f.kind not in quantities),
        "without region": full(knowledge, keep=lambda f: f.kind != "region"),
        "without stains": full(knowledge, keep=lambda f: f.kind not in stains),
        "stains only, no setting": full(knowledge, keep=lambda f: f.kind in stains, change=no_place),
        "without dots": full(knowledge, keep=lambda f: f.kind != "dot"),
        "without counted studies": full(knowledge, table=without_counts(table)),
        "without stain expectations": full(
            knowledge, table=rate_table(knowledge, profiles=without_expectations(profiles))
        ),
        "without components": full(knowledge, table=rate_table(knowledge, profiles=one_profile_each(profiles))),
        "without tempering": full(knowledge, table=dataclasses.replace(table, model=untempered)),
        "without the calibrating exponent": full(
            knowledge, table=dataclasses.replace(table, model=dataclasses.replace(model, sharpness=1.0))
        ),
        "neuroendocrine and keratin stains in full": full(
            knowledge,
            table=dataclasses.replace(table, model=dataclasses.replace(model, redundant_stains=model.other_stains)),
        ),
    }


def fit(cases: Sequence[Published], knowledge: KnowledgeBase) -> tuple[dict[str, float], Scores, dict[str, Counter]]:
    """Grid of five exponents; each case is scored with the setting that is best on the others."""
    table, model = rate_table(knowledge), load_model()
    settings = list(itertools.product(*GRID.values()))
    outcomes: list[list[Outcome]] = []
    for values in settings:
        changed = dataclasses.replace(model, **dict(zip(GRID, values, strict=True)))
        outcomes.append(run(cases, full(knowledge, table=dataclasses.replace(table, model=changed))))
    loss = np.array([[-np.log(max(o.right, 1e-12)) for o in row] for row in outcomes])
    left_out, chosen = [], defaultdict(Counter)
    for i in range(len(cases)):
        best = int(np.argmin(loss.sum(axis=1) - loss[:, i]))
        left_out.append(outcomes[best][i])
        for name, value in zip(GRID, settings[best], strict=True):
            chosen[name][value] += 1
    best = dict(zip(GRID, settings[int(np.argmin(loss.sum(axis=1)))], strict=True))
    return best, scores(left_out), chosen


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    bins = reliability([o.top[0][1] for o in outcomes], [o.first for o in outcomes], bins=5)
    figure, axes = plt.subplots(figsize=(4.2, 4.2), dpi=140)
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    for b in bins:
        low, high = (float(x) for x in wilson(round(b.observed * b.n), b.n))
        bars = [[b.observed - low], [high - b.observed]]
        axes.errorbar(b.mean_forecast, b.observed, yerr=bars, color="#2b6a6c", capsize=2, linewidth=1)
    axes.scatter(
        [b.mean_forecast for b in bins], [b.observed for b in bins], s=[14 + 5 * b.n for b in bins], color="#2b6a6c"
    )
    for b in bins:
        axes.annotate(f"n={b.n}", (b.mean_forecast, b.observed), (6, -14), textcoords="offset points", fontsize=7)
    axes.set(
        xlabel="posterior of the leading diagnosis",
        ylabel="share in which it is right",
        xlim=(0, 1.12),
        ylim=(0, 1.05),
        title=f"{len(outcomes)} published cases",
    )
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def show(title: str, rows: dict[str, Scores]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("cases", "top-1", "top-3", "log score", "calibration error"):
        table.add_column(name, justify="right")
    for name, s in rows.items():
        table.add_row(name, *s.row())
    Console(width=110).print(table)


def by_label(outcomes: Sequence[Outcome]) -> dict[str, Scores]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for o in outcomes:
        groups[o.case.label].append(o)
    return {label: scores(group) for label, group in sorted(groups.items())}


def from_prose(cases: Sequence[Published], knowledge: KnowledgeBase) -> list[Published]:
    return [
        dataclasses.replace(c, case=read_text(c.vignette_plain, source=c.id, knowledge=knowledge).case) for c in cases
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the tempering, leaving one case out")
    parser.add_argument("--cases", action="store_true", help="print one line a case")
    options = parser.parse_args()
    if not CASES.exists():
        raise SystemExit(f"{CASES} is not here: the published cases are needed")
    knowledge = load_knowledge()
    cases = load_cases()
    entities = rate_table(knowledge).entities
    if options.fit:
        best, left_out, chosen = fit(cases, knowledge)
        show("tempering fitted, each case scored by the fit on the others", {"leave one case out": left_out})
        print("best on all cases:", best)
        print("chosen when one is left out:", {k: dict(v) for k, v in chosen.items()})
        write_result("differential-fit", {"best": best, "left_out": dataclasses.asdict(left_out)}, data=[CASES])
        return

    run(cases[:1], full(knowledge))  # the table of rates is computed on the first call
    started = time.process_time()
    outcomes = run(cases, full(knowledge))
    per_case_ms = 1000 * (time.process_time() - started) / len(cases)
    prose = run(from_prose(cases, knowledge), full(knowledge))
    main_rows = {
        "from structured facts, all": scores(outcomes),
        "from structured facts, core": scores([o for o in outcomes if o.case.core]),
        "from prose, all": scores(prose),
        "from prose, core": scores([o for o in prose if o.case.core]),
        "with molecular results, all": scores(run(load_cases(molecular=True), full(knowledge))),
    }
    baselines = {
        "majority": scores(run(cases, majority(cases, entities))),
        "naive Bayes, pooled frequencies, uniform prior": scores(
            run(cases, naive_bayes(cases, knowledge, entities, prior="uniform"))
        ),
        "naive Bayes, pooled frequencies, majority prior": scores(
            run(cases, naive_bayes(cases, knowledge, entities, prior="majority"))
        ),
    }
    cut = {name: scores(run(cases, f)) for name, f in ablations(knowledge).items()}
    labels = by_label(outcomes)
    show("differential", main_rows)
    show("baselines (structured facts)", baselines)
    show("ablation (structured facts)", cut)
    show("by label (structured facts)", labels)
    print(f"{per_case_ms:.1f} ms of processor time a case without draws")
    if options.cases:
        for o in outcomes:
            print(o.case.id, o.case.label, f"{o.right:.3f}", [(e, round(p, 3)) for e, p in o.top])
    plot(outcomes, ROOT / "docs" / "images" / "differential-reliability.png")
    figures = {
        "differential": {k: dataclasses.asdict(s) for k, s in main_rows.items()},
        "baselines": {k: dataclasses.asdict(s) for k, s in baselines.items()},
        "ablation": {k: dataclasses.asdict(s) for k, s in cut.items()},
        "labels": {k: dataclasses.asdict(s) for k, s in labels.items()},
        "ms_per_case": per_case_ms,
        "knowledge_edition": knowledge.edition,
    }
    print(write_result("differential", figures, data=[CASES]))


if __name__ == "__main__":
    main()
