"""Published cases as records: the structured facts of ``../shared/data/cases`` turned into a :class:`Case`.

Rules, not a list of cases: a result in words becomes a state, a phrase of morphology a vocabulary value, the history
a list of statements. What a rule doesn't know is left out, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.knowledge.aliases import resolve_marker
from provenance import SHARED

CASES = SHARED / "data" / "cases" / "cases.jsonl"


@dataclass(frozen=True, slots=True)
class Published:
    """A published case: the record, its prose, and which entities count as right."""

    id: str
    label: str
    core: bool
    entities: tuple[str, ...]
    case: Case
    vignette: str
    vignette_plain: str


def load_cases(path: Path = CASES, *, molecular: bool = False) -> tuple[Published, ...]:
    """Every published case; molecular results, which give the answer away, stay out unless asked for."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return tuple(
        Published(
            id=row["id"],
            label=row["label"],
            core=row["fit"] == "core",
            entities=tuple(row["entities"]),
            case=to_case(row, molecular=molecular),
            vignette=row["vignette"],
            vignette_plain=row["vignette_plain"],
        )
        for row in rows
    )


def to_case(row: dict[str, Any], *, molecular: bool = False) -> Case:
    """The record of one case from its structured facts."""
    site, history = row["site"].lower(), row["setting"]
    text = f"{row['site']}; {history}"
    settings = list(_settings(site)) or list(_settings(history.lower()))
    presentation: dict[str, Any] = {
        "setting": settings[0] if settings else None,
        "site": {"text": row["site"], "region": _region(site)},
        "duration_months": _duration_months(history),
        "growth": _growth(history.lower()),
        "lesions": "multiple" if re.search(_MULTIPLE, text.lower()) else None,
        "skin_over": _skin(history.lower()),
        "symptoms": list(_symptoms(text)),
        "known_other_tumour": "; ".join(_other_tumours(history)),
    }
    size = _size_cm(text + "; " + "; ".join(row["morphology"]))
    if size:
        presentation["size"] = {"greatest_cm": size}
    record: dict[str, Any] = {
        "id": row["id"],
        "patient": {"age_years": row["age"], "sex": {"M": "male", "F": "female"}.get(row["sex"], "unknown")},
        "presentation": {k: x for k, x in presentation.items() if x not in (None, "", [])},
        "specimens": [{"id": f"s{i}", "setting": s} for i, s in enumerate(settings)],
        "laboratory": list(_labs(history)),
        "morphology": _morphology("; ".join(row["morphology"])),
        "markers": list(_markers(row["markers"])),
        "ki67": [{"percent": row["ki67_percent"]}] if row["ki67_percent"] is not None else [],
    }
    if molecular:
        record["molecular"] = [
            {"test": m, "state": "absent" if re.search(_NEGATED, m.lower()) else "present"} for m in row["molecular"]
        ]
    return Case.model_validate(record)


_NEGATED = r"\b(no|not|without|negative|normal|absent|never|denies|denied|clear|unremarkable|excluded)\b"
_MULTIPLE = r"multiple[^.;]{0,25}(nodule|lesion|tumou?r|mass|deposit)|satellite nodules|generali[sz]ed"

_SETTING_WORDS = {
    "sinonasal": r"nasal cavity|sinonasal|ethmoid|maxillary sinus|nasopharyn",
    "head_and_neck": r"laryn|epiglott|buccal|oral|tongue|pharyn|parotid|salivary|carotid|tonsil|neck, carotid|orbit",
    "thyroid": r"thyroid",
    "breast": r"\bbreast\b",
    "bone_marrow": r"marrow",
    "lymph_node": r"lymph node|\bnodes?\b",
    "pancreas": r"pancrea",
    "stomach": r"stomach|gastric",
    "biliary": r"bile duct|biliary|gallbladder",
    "colorectum": r"colon|rect(um|al)\b|caec|sigmoid|appendi",
    "small_bowel": r"ile(um|al)\b|jejun|duoden|small bowel",
    "liver": r"\bliver\b|hepatic",
    "adrenal": r"adrenal",
    "kidney": r"kidney|renal",
    "urinary_tract": r"bladder|ureter|urethra",
    "prostate": r"prostat",
    "testis": r"testic|testis|scrot",
    "ovary": r"ovar",
    "uterus_vagina": r"vagin|uter(us|ine)|cervi(x|cal uter)|vulv",
    "pleura": r"pleura",
    "mediastinum": r"mediastin",
    "lung": r"\blung\b|bronch|pulmon",
    "heart": r"heart|cardiac|atri(um|al)",
    "retroperitoneum": r"retroperit|presacral",
    "peritoneum": r"mesenter|omentum|periton|abdominal mass|abdomen mass|upper abdomen|iliac fossa|mesocol",
    "skin": r"\bskin\b|eyelid|papule|epidermis|cutaneous|wound|abdominal wall|scalp",
    "soft_tissue": r"soft tissue|subcut|thigh|groin|axilla|perine|muscle|extradural|chest wall",
    "bone": r"humer|femur|tibia|vertebr|\bbone\b|extradural",
    "brain": r"brain|intracran|cerebell",
}


def _settings(text: str) -> Iterator[str]:
    for setting, words in _SETTING_WORDS.items():
        if re.search(words, text):
            yield setting


_REGION_WORDS = (
    ("eyelid", r"eyelid|\blid\b"),
    ("scalp", r"scalp|parietal|occipital"),
    ("face", r"face|facial|nasolabial|cheek|temple|temporal|nose|lip\b|chin|forehead|ear\b|orbit"),
    ("groin", r"groin|inguinal"),
    ("axilla", r"axilla"),
    ("perineum", r"perine|vulv"),
    ("neck", r"neck|cervical|submandib|carotid"),
    ("lower_limb", r"thigh|leg\b|foot|knee|calf|buttock|ankle|toe\b"),
    ("upper_limb", r"\barm\b|hand|forearm|finger|elbow|shoulder|humer|wrist"),
    ("chest", r"chest|thora|sternal|breast|pleura|mediast|scapul"),
    ("pelvis", r"pelvi|presacral|iliac"),
    ("spine", r"spin|extradural|vertebr"),
    ("abdomen", r"abdom|mesenter|liver|pancrea|kidney|renal"),
    ("trunk", r"trunk|back\b|flank|buttock"),
    ("head_neck", r"head|laryn|buccal|oral|sinonasal|nasal|oropharyn"),
)


def _region(site: str) -> str | None:
    return next((name for name, words in _REGION_WORDS if re.search(words, site)), None)


_NUMBER = r"(\d+(?:\.\d+)?|one|two|three|four|five|six|several|few)"
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "several": 5, "few": 3}
_UNIT_MONTHS = {"day": 1 / 30, "week": 0.23, "month": 1.0, "year": 12.0, "y": 12.0}


def _duration_months(history: str) -> float | None:
    """How long the lesion was known: a span joined to a growth or symptom word, not to an earlier disease."""
    for chunk in re.split(r"[;.]", history.lower()):
        if re.search(r"leuk|cll|lymphocytosis|carcinoma|pack|gefitinib|untreated|later|ago", chunk):
            continue
        match = re.search(rf"\b{_NUMBER}[- ]?(day|week|month|year)s?\b", chunk)
        if match and not re.search(r"-year-old|years old", chunk):
            count = _NUMBERS.get(match[1]) or float(match[1])
            return count * _UNIT_MONTHS[match[2]]
    return None


def _growth(history: str) -> str | None:
    if re.search(
        r"slow(ly)?[- ]grow|gradual(ly)? (grow|enlarg)|gradual growth|slow growth|for (many|\d\d) years", history
    ):
        return "slow"
    if re.search(r"rapid|fast[- ]grow|quickly", history):
        return "rapid"
    return None


def _skin(history: str) -> str | None:
    for name, words in (
        ("violaceous", "violaceous|purple"),
        ("ulcerated", "ulcerat"),
        ("red", r"\bred\b|erythem|reddish"),
    ):
        if re.search(words, history):
            return name
    return None


def _size_cm(text: str) -> float | None:
    found = []
    for match in re.finditer(
        r"(\d+(?:\.\d+)?)(?:\s*x\s*(\d+(?:\.\d+)?))*(?:\s*x\s*(\d+(?:\.\d+)?))?\s*(cm|mm)\b", text
    ):
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", match[0])]
        found.append(max(numbers) / (10 if match[4] == "mm" else 1))
    sizes = [s for s in found if 0 < s <= 60]
    return sizes[0] if sizes else None


def _symptoms(text: str) -> Iterator[dict[str, str]]:
    """Each statement of the history, present or denied."""
    for chunk in re.split(r"[;,.](?=\s|$)", text):
        name = chunk.strip()
        if name:
            denied = re.search(_NEGATED, name.lower()) and not re.search(r"normal (lung|liver)", name.lower())
            yield {"name": name[:400], "state": "absent" if denied else "present"}
            if denied and re.search(r"(lung|chest|thora)", name.lower()):
                yield {"name": "lungs clear", "state": "present"}


_EARLIER = (
    r"histor|previous|prior|earlier|treated|removed|resect|for \d+ (y|years)|\bsince\b|on gefitinib|"
    r"chronic lymphocytic|\bcll\b|lymphocytosis|\d{4}|carcinoma|adenocarcinoma|melanoma|lymphoma|actinic|"
    r"smok|pack-years|copd|asbestos"
)


def _other_tumours(history: str) -> Iterator[str]:
    for chunk in re.split(r";", history):
        if re.search(_EARLIER, chunk.lower()) and not re.search(r"\buncle|family", chunk.lower()):
            yield chunk.strip()


_LAB = (
    r"\b(calcitonin|cea|cga|chromogranin|ldh|afp|hcg|ca[- ]?125|ca[- ]?19[-.]9|hva|vma|dopamine|5-?hiaa|psa|nse|"
    r"lipase|gastrin|insulin|metanephrines?|catecholamines?)\b"
)


def _labs(history: str) -> Iterator[dict[str, Any]]:
    for chunk in re.split(r"[;.](?=\s|$)", history):
        low = chunk.lower()
        normal = "normal" in low or "negative" in low
        raised = re.search(r"rais|elevat|high|increas", low)
        for match in re.finditer(_LAB, low):
            number = re.match(r"[^a-z\d]{0,6}>?\s*(\d[\d,]*(?:\.\d+)?)", low[match.end() :])
            if normal:
                yield {"test": match[1], "interpretation": "normal"}
            elif number:
                value = float(number[1].replace(",", ""))
                yield {"test": match[1], "value": value, "unit": "as stated", "interpretation": None}
            elif raised:
                yield {"test": match[1], "interpretation": "high"}


_MORPHOLOGY: tuple[tuple[str, str, str], ...] = (
    ("architecture", "insular", r"insular|islands"),
    ("architecture", "trabecular", r"trabecula|cords|bands"),
    ("architecture", "nested", r"\bnest|nesting"),
    ("architecture", "solid", r"\bsolid\b|sheet"),
    ("architecture", "diffuse", r"diffuse (growth|arrange|sheet|infilt|prolif|dermal)|\bdiffuse\b"),
    ("architecture", "organoid", r"organoid"),
    ("architecture", "rosettes", r"(?<!pseudo)rosette"),
    ("architecture", "pseudorosettes", r"pseudorosette"),
    ("architecture", "glandular", r"gland|acin"),
    ("architecture", "cribriform", r"cribriform"),
    ("architecture", "papillary", r"(?<!\w)papillary(?! and reticular)|pseudopapill"),
    ("architecture", "cystic", r"\bcyst"),
    ("architecture", "alveolar", r"alveolar"),
    ("architecture", "zellballen", r"zellballen"),
    ("architecture", "basaloid", r"basaloid"),
    ("architecture", "peripheral_palisading", r"palisad"),
    ("architecture", "pagetoid", r"pagetoid"),
    ("architecture", "lobular", r"lobul|multinodular"),
    ("architecture", "biphasic", r"biphasic"),
    ("architecture", "spindle_fascicular", r"fascic|spindle cell (prolif|mesench|areas)|dense spindle"),
    ("cell_shape", "round", r"round (cell|blue|nuclei|to)|small round"),
    ("cell_shape", "oval", r"\boval\b"),
    ("cell_shape", "spindle", r"spindle"),
    ("cell_shape", "epithelioid", r"epithelioid"),
    ("cell_shape", "polygonal", r"polygonal"),
    ("cell_shape", "rhabdoid", r"rhabdoid"),
    ("cell_shape", "plasmacytoid", r"plasmacytoid"),
    ("cell_shape", "pleomorphic", r"pleomorph|polymorphic|cytomegaly"),
    ("chromatin", "salt_and_pepper", r"salt[- ]and[- ]pepper"),
    ("chromatin", "finely_granular", r"fine(ly)? (granular )?chromatin|fine chromatin"),
    ("chromatin", "hyperchromatic", r"hyperchrom"),
    ("chromatin", "vesicular", r"vesicular"),
    ("chromatin", "coarse", r"coarse chromatin"),
)
_FEATURES: tuple[tuple[str, str], ...] = (
    ("nuclear_moulding", r"mou?lding"),
    ("crush_artefact", r"crush"),
    ("atypical_mitoses", r"atypical mitos"),
    ("apoptosis", r"apopto"),
    ("scant_cytoplasm", r"scant|high n/c|scarce cytoplasm"),
    ("clear_cytoplasm", r"clear (microvac|cells|cytopl|or eosin)|clear cell"),
    ("eosinophilic_cytoplasm", r"eosinophilic (cyto|and clear|cells)"),
    ("extracellular_mucin", r"stromal mucin|mucin[- ]filled|extracellular mucin|mucin pool"),
    ("myxoid_stroma", r"myxoid"),
    ("desmoplastic_stroma", r"desmoplas|fibrous stroma"),
    ("fibrovascular_stroma", r"thin-walled capillar|fibrovascular"),
    ("hyalinised_stroma", r"hyalini[sz]|sclero|thick fibrous"),
    ("amyloid", r"amyloid"),
    ("neuropil", r"neuropil|neurofibrill|eosinophilic matrix"),
    ("melanin", r"melanin"),
    ("squamous_differentiation", r"squamous"),
    ("rhabdomyoblasts", r"rhabdomyoblast"),
    ("ganglion_cells", r"ganglion"),
    ("epidermotropism", r"epidermotrop"),
    ("grenz_zone", r"grenz"),
    ("ulceration", r"ulcerat"),
    ("in_situ_component", r"in situ"),
    ("calcification", r"calcif"),
    ("haemorrhage", r"haemorrhag|hemorrhag"),
    ("monomorphic_cells", r"monomorph|homogeneous cells"),
    ("marked_atypia", r"markedly atypical|anaplas|marked atypia"),
    ("perineural_invasion", r"perineural"),
    ("lymphovascular_invasion", r"vascular invasion|lymphatic invasion"),
)


def _negated(phrase: str, at: int) -> bool:
    return bool(re.search(r"\b(no|without|absent|not)\b[^,;]{0,25}$", phrase[:at]))


def _morphology(text: str) -> dict[str, Any]:
    low = text.lower()
    record: dict[str, Any] = {"architecture": [], "cell_shape": [], "chromatin": [], "features": []}
    for field, value, words in _MORPHOLOGY:
        match = re.search(words, low)
        if match and not _negated(low, match.start()):
            record[field].append(value)
    for feature, words in _FEATURES:
        match = re.search(words, low)
        if match:
            state = "absent" if _negated(low, match.start()) else "present"
            record["features"].append({"feature": feature, "state": state})
    record["cell_size"] = _cell_size(low)
    record["nucleoli"] = _nucleoli(low)
    necrosis = re.search(r"necro", low)
    if necrosis:
        record["necrosis"] = "absent" if _negated(low, necrosis.start()) else "present"
    record["differentiation"] = _differentiation(low)
    record["mitoses"] = _mitoses(low)
    return {k: x for k, x in record.items() if x not in (None, [])}


def _cell_size(low: str) -> str | None:
    if re.search(r"medium|intermediate|moderate-sized|small to medium", low):
        return "intermediate"
    if re.search(r"small (cell|round|blue|mono|homog|undiff)|small-cell|small cells", low):
        return "small"
    if re.search(r"large (cell|poly)", low):
        return "large"
    return None


def _nucleoli(low: str) -> str | None:
    if re.search(r"no (prominent )?nucleoli|absent nucleoli|(indistinct|inconspicuous) nucleoli", low):
        return "inconspicuous"
    return "prominent" if re.search(r"prominent nucleoli", low) else None


def _differentiation(low: str) -> str | None:
    if re.search(r"poorly differ|undifferent|high-grade|immature|small cell carcinoma", low):
        return "poor"
    return "well" if re.search(r"well differentiated|well-differentiated|grade 1", low) else None


_HPF_MM2 = 0.2
"""Area of one high-power field where a report gives none, in mm2: the usual 10 fields for 2 mm2."""


def _mitoses(low: str) -> dict[str, Any] | None:
    match = re.search(r"(\d+)(?:-(\d+))?\s*mitos\w*/(\d*)\s*hpf", low)
    if match:
        ends = [float(x) for x in (match[1], match[2]) if x]
        return {"per_2mm2": sum(ends) / len(ends) * 2 / (float(match[3] or 1) * _HPF_MM2)}
    match = re.search(r"(\d+)\s*mitos\w*/mm2", low)
    return {"per_2mm2": 2 * float(match[1])} if match else None


def _markers(told: dict[str, str]) -> Iterator[dict[str, Any]]:
    for name, result in told.items():
        low = result.lower()
        marker = resolve_marker(name)
        if marker is None or marker == "ki67" or re.search(r"background|lymphocytes\b", low):
            continue
        state = _state(low)
        if state is None:
            continue
        record: dict[str, Any] = {"marker": marker, "state": state}
        if state == "present":
            record["pattern"] = "perinuclear_dot" if re.search(r"dot", low) else None
            record["extent"] = _extent(low)
            record["intensity"] = (
                "weak" if "weak" in low else ("strong" if re.search("strong|intense", low) else None)
            )
        yield {k: x for k, x in record.items() if x is not None}


def _state(low: str) -> str | None:
    if "equivocal" in low:
        return "equivocal"
    if re.search(r"negative", low):
        return "absent"
    percent = re.match(r"[<>]?\s*(\d+)\s*%", low)
    if percent:
        return "present" if float(percent[1]) > 1 else "absent"
    return "present" if re.search(r"positive|minimal|weak", low) else None


def _extent(low: str) -> str | None:
    if re.search(r"focal|rare|few|scattered|minimal", low):
        return "focal"
    if re.search(r"partial|patchy|variab|<50", low):
        return "patchy"
    return "diffuse" if re.search(r"diffuse|100%", low) else None


STATES = tuple(s.value for s in v.State)
