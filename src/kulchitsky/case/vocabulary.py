"""The closed vocabularies of a case. Ids of entities and markers are data (floor ``knowledge``), not enumerations.

Every value is lower-case with underscores, as written in a case file. Synonyms as people write them belong to the
narrative reader and to the knowledge base.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What is known of a finding. *Not tested* and *unknown* are answers, never the same as *absent*."""

    PRESENT = "present"
    ABSENT = "absent"
    EQUIVOCAL = "equivocal"
    NOT_TESTED = "not_tested"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"
    BILATERAL = "bilateral"


class Setting(StrEnum):
    """Where the tissue at hand comes from: decides the prior."""

    SKIN = "skin"
    SOFT_TISSUE = "soft_tissue"
    LYMPH_NODE = "lymph_node"
    LIVER = "liver"
    LUNG = "lung"
    MEDIASTINUM = "mediastinum"
    PLEURA = "pleura"
    BONE = "bone"
    BONE_MARROW = "bone_marrow"
    BRAIN = "brain"
    HEAD_AND_NECK = "head_and_neck"
    SINONASAL = "sinonasal"
    THYROID = "thyroid"
    BREAST = "breast"
    PANCREAS = "pancreas"
    OESOPHAGUS = "oesophagus"
    STOMACH = "stomach"
    SMALL_BOWEL = "small_bowel"
    APPENDIX = "appendix"
    COLORECTUM = "colorectum"
    BILIARY = "biliary"
    PERITONEUM = "peritoneum"
    RETROPERITONEUM = "retroperitoneum"
    KIDNEY = "kidney"
    ADRENAL = "adrenal"
    URINARY_TRACT = "urinary_tract"
    PROSTATE = "prostate"
    TESTIS = "testis"
    OVARY = "ovary"
    UTERUS_VAGINA = "uterus_vagina"
    HEART = "heart"
    OTHER = "other"


class Region(StrEnum):
    """Body region of the lesion, as incidence by site is published."""

    HEAD_NECK = "head_neck"
    EYELID = "eyelid"
    SCALP = "scalp"
    FACE = "face"
    NECK = "neck"
    TRUNK = "trunk"
    UPPER_LIMB = "upper_limb"
    LOWER_LIMB = "lower_limb"
    GROIN = "groin"
    AXILLA = "axilla"
    PERINEUM = "perineum"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    PELVIS = "pelvis"
    SPINE = "spine"
    OTHER = "other"


class Layer(StrEnum):
    """Deepest layer in which the lesion is centred."""

    EPIDERMIS = "epidermis"
    DERMIS = "dermis"
    SUBCUTIS = "subcutis"
    FASCIA = "fascia"
    MUSCLE = "muscle"
    BONE = "bone"
    MUCOSA = "mucosa"
    SUBMUCOSA = "submucosa"
    MUSCULARIS_PROPRIA = "muscularis_propria"
    SUBSEROSA = "subserosa"
    SEROSA = "serosa"
    VISCERAL = "visceral"


class Lesions(StrEnum):
    SINGLE = "single"
    MULTIPLE = "multiple"


class Growth(StrEnum):
    RAPID = "rapid"
    MODERATE = "moderate"
    SLOW = "slow"
    STABLE = "stable"


class Architecture(StrEnum):
    """Growth pattern under the microscope."""

    INSULAR = "insular"
    TRABECULAR = "trabecular"
    NESTED = "nested"
    SOLID = "solid"
    DIFFUSE = "diffuse"
    ORGANOID = "organoid"
    ROSETTES = "rosettes"
    PSEUDOROSETTES = "pseudorosettes"
    GLANDULAR = "glandular"
    CRIBRIFORM = "cribriform"
    PAPILLARY = "papillary"
    CYSTIC = "cystic"
    SPINDLE_FASCICULAR = "spindle_fascicular"
    ALVEOLAR = "alveolar"
    ZELLBALLEN = "zellballen"
    BASALOID = "basaloid"
    PERIPHERAL_PALISADING = "peripheral_palisading"
    PAGETOID = "pagetoid"
    SINGLE_FILE = "single_file"
    LOBULAR = "lobular"
    BIPHASIC = "biphasic"
    CORDS_IN_MYXOID = "cords_in_myxoid"


class CellSize(StrEnum):
    SMALL = "small"
    INTERMEDIATE = "intermediate"
    LARGE = "large"


class CellShape(StrEnum):
    ROUND = "round"
    OVAL = "oval"
    SPINDLE = "spindle"
    CUBOIDAL = "cuboidal"
    EPITHELIOID = "epithelioid"
    PLASMACYTOID = "plasmacytoid"
    RHABDOID = "rhabdoid"
    POLYGONAL = "polygonal"
    PLEOMORPHIC = "pleomorphic"


class Chromatin(StrEnum):
    SALT_AND_PEPPER = "salt_and_pepper"
    FINELY_GRANULAR = "finely_granular"
    DUSTY = "dusty"
    VESICULAR = "vesicular"
    HYPERCHROMATIC = "hyperchromatic"
    COARSE = "coarse"


class Nucleoli(StrEnum):
    ABSENT = "absent"
    INCONSPICUOUS = "inconspicuous"
    PROMINENT = "prominent"


class NecrosisExtent(StrEnum):
    ABSENT = "absent"
    PUNCTATE = "punctate"
    FOCAL = "focal"
    EXTENSIVE = "extensive"
    PRESENT = "present"
    """Present, extent not stated."""


class Differentiation(StrEnum):
    WELL = "well"
    MODERATE = "moderate"
    POOR = "poor"


class Feature(StrEnum):
    """Other morphological findings, each present or absent."""

    NUCLEAR_MOULDING = "nuclear_moulding"
    CRUSH_ARTEFACT = "crush_artefact"
    ATYPICAL_MITOSES = "atypical_mitoses"
    APOPTOSIS = "apoptosis"
    SCANT_CYTOPLASM = "scant_cytoplasm"
    ABUNDANT_CYTOPLASM = "abundant_cytoplasm"
    CLEAR_CYTOPLASM = "clear_cytoplasm"
    EOSINOPHILIC_CYTOPLASM = "eosinophilic_cytoplasm"
    GRANULAR_CYTOPLASM = "granular_cytoplasm"
    INTRACELLULAR_MUCIN = "intracellular_mucin"
    EXTRACELLULAR_MUCIN = "extracellular_mucin"
    MYXOID_STROMA = "myxoid_stroma"
    DESMOPLASTIC_STROMA = "desmoplastic_stroma"
    FIBROVASCULAR_STROMA = "fibrovascular_stroma"
    HYALINISED_STROMA = "hyalinised_stroma"
    AMYLOID = "amyloid"
    NEUROPIL = "neuropil"
    SCHWANNIAN_STROMA = "schwannian_stroma"
    MELANIN = "melanin"
    KERATINISATION = "keratinisation"
    SQUAMOUS_DIFFERENTIATION = "squamous_differentiation"
    GLANDULAR_DIFFERENTIATION = "glandular_differentiation"
    RHABDOMYOBLASTS = "rhabdomyoblasts"
    GANGLION_CELLS = "ganglion_cells"
    SUSTENTACULAR_CELLS = "sustentacular_cells"
    RETRACTION_CLEFTS = "retraction_clefts"
    EPIDERMOTROPISM = "epidermotropism"
    GRENZ_ZONE = "grenz_zone"
    ULCERATION = "ulceration"
    IN_SITU_COMPONENT = "in_situ_component"
    CALCIFICATION = "calcification"
    HAEMORRHAGE = "haemorrhage"
    MULTINUCLEATED_CELLS = "multinucleated_cells"
    STARRY_SKY = "starry_sky"
    LYMPHOVASCULAR_INVASION = "lymphovascular_invasion"
    PERINEURAL_INVASION = "perineural_invasion"
    EXTRANODAL_EXTENSION = "extranodal_extension"
    TUMOUR_INFILTRATING_LYMPHOCYTES = "tumour_infiltrating_lymphocytes"
    MONOMORPHIC_CELLS = "monomorphic_cells"
    MARKED_ATYPIA = "marked_atypia"


class Extent(StrEnum):
    """Share of tumour cells stained, in words; a percentage goes beside it where one is given."""

    FOCAL = "focal"
    PATCHY = "patchy"
    DIFFUSE = "diffuse"


class Intensity(StrEnum):
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"


class Compartment(StrEnum):
    NUCLEAR = "nuclear"
    CYTOPLASMIC = "cytoplasmic"
    MEMBRANOUS = "membranous"
    NUCLEAR_AND_CYTOPLASMIC = "nuclear_and_cytoplasmic"
    CYTOPLASMIC_AND_MEMBRANOUS = "cytoplasmic_and_membranous"


class Pattern(StrEnum):
    """Distribution inside the compartment."""

    DIFFUSE = "diffuse"
    GRANULAR = "granular"
    PERINUCLEAR_DOT = "perinuclear_dot"
    GLOBULAR = "globular"
    WILD_TYPE = "wild_type"
    OVEREXPRESSED = "overexpressed"
    NULL = "null"
    LOST = "lost"
    RETAINED = "retained"


class IndexSource(StrEnum):
    """Where a proliferation figure comes from."""

    REPORT = "report"
    SLIDE = "slide"


class Modality(StrEnum):
    CT = "ct"
    MRI = "mri"
    ULTRASOUND = "ultrasound"
    XRAY = "xray"
    FDG_PET = "fdg_pet"
    SSTR_PET = "sstr_pet"
    OCTREOTIDE_SCAN = "octreotide_scan"
    MIBG_SCAN = "mibg_scan"
    BONE_SCAN = "bone_scan"
    MAMMOGRAPHY = "mammography"
    ENDOSCOPY = "endoscopy"
    BRONCHOSCOPY = "bronchoscopy"
    OTHER = "other"


class ProcedureKind(StrEnum):
    BIOPSY = "biopsy"
    CORE_BIOPSY = "core_biopsy"
    FINE_NEEDLE_ASPIRATION = "fine_needle_aspiration"
    EXCISION = "excision"
    WIDE_EXCISION = "wide_excision"
    RESECTION = "resection"
    SENTINEL_NODE_BIOPSY = "sentinel_node_biopsy"
    NODE_DISSECTION = "node_dissection"
    OTHER = "other"


class MarginStatus(StrEnum):
    NEGATIVE = "negative"
    CLOSE = "close"
    POSITIVE = "positive"
    NOT_STATED = "not_stated"


class SpecimenKind(StrEnum):
    PRIMARY = "primary"
    LYMPH_NODE = "lymph_node"
    METASTASIS = "metastasis"
    RECURRENCE = "recurrence"
    BACKGROUND = "background"
    """Cells beside the tumour (lymphocytes, stroma, another component): never its own result."""
    OTHER_TUMOUR = "other_tumour"
    """An earlier or other tumour of the same patient, of another kind."""
    UNKNOWN = "unknown"


class TreatmentKind(StrEnum):
    SURGERY = "surgery"
    RADIOTHERAPY = "radiotherapy"
    CHEMOTHERAPY = "chemotherapy"
    IMMUNOTHERAPY = "immunotherapy"
    SOMATOSTATIN_ANALOGUE = "somatostatin_analogue"
    PRRT = "prrt"
    TARGETED = "targeted"
    LIVER_DIRECTED = "liver_directed"
    OBSERVATION = "observation"
    OTHER = "other"


class DiseaseStatus(StrEnum):
    NO_EVIDENCE_OF_DISEASE = "no_evidence_of_disease"
    ALIVE_WITH_DISEASE = "alive_with_disease"
    RECURRENCE = "recurrence"
    PROGRESSION = "progression"
    DEAD_OF_DISEASE = "dead_of_disease"
    DEAD_OF_OTHER_CAUSE = "dead_of_other_cause"
    DEAD = "dead"
    ALIVE = "alive"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"


class LabInterpretation(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class ClaimKind(StrEnum):
    """A statement the case's own text makes, kept apart from facts so that it can be checked."""

    PROGNOSIS = "prognosis"
    TEST_PERFORMANCE = "test_performance"
    DIAGNOSIS_ARGUMENT = "diagnosis_argument"
    TREATMENT = "treatment"
