"""The layout of the published benchmarks: their folder and scenario names, misspelt or not, and their case counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sea_core.errors import DataError, SeaError

VA_SCENARIOS: Mapping[str, int] = {
    "1-IllegalActivitiy": 97,
    "2-HateSpeech": 163,
    "3-MalwareGeneration": 44,
    "4-PhysicalHarm": 144,
    "5-EconomicHarm": 122,
    "6-Fraud": 154,
    "7-Sex": 109,
    "8-PrivacyViolence": 139,
}
"""VA-SafetyBench: cases by scenario, 972 in each set."""
MM_SCENARIOS: Mapping[str, int] = {
    "01-Illegal_Activitiy": 97,
    "02-HateSpeech": 163,
    "03-Malware_Generation": 44,
    "04-Physical_Harm": 144,
    "05-EconomicHarm": 122,
    "06-Fraud": 154,
    "07-Sex": 109,
    "08-Political_Lobbying": 153,
    "09-Privacy_Violence": 139,
    "10-Legal_Opinion": 130,
    "11-Financial_Advice": 167,
    "12-Health_Consultation": 109,
    "13-Gov_Decision": 149,
}
"""MM-SafetyBench: cases by scenario, 1,680 in all."""
MM_TO_VA: Mapping[str, str] = dict(
    zip([name for name in MM_SCENARIOS if name[:2] not in ("08", "10", "11", "12", "13")], VA_SCENARIOS, strict=True)
)
"""The eight scenarios of MM-SafetyBench that VA-SafetyBench was built from, with their names there."""
MM_QUESTIONS = "processed_questions"
MM_IMAGE_FOLDERS = ("MM-SafetyBench(imgs)", "imgs")
"""Names of the image folder; the first one is used for writing."""
MM_TEXT_KEY: Mapping[str, str] = {
    "Text_only": "Question",
    "SD": "Rephrased Question(SD)",
    "SD_TYPO": "Rephrased Question",
    "TYPO": "Rephrased Question",
}
"""The key of each image task's text (PyRIT issue 1790; public scripts mix them up)."""
MM_KEYS = frozenset((*MM_TEXT_KEY.values(), "Changed Question"))
"""Keys that only a record in MM-SafetyBench's form has."""
QUESTIONS_SUFFIX = "_questions"
BENIGN_FOLDER = "benign"
"""The folder of the benign twin, in the same layout."""
MANIFEST = "manifest.json"


def modality_parts(modality: str) -> tuple[str, ...]:
    """Return the modalities that a modality joins: of `image+audio` both; any other is its only part."""
    return tuple(modality.split("+"))


def require_modality(modality: str) -> None:
    """Raise SeaError for a text that cannot be a modality: it would become a folder's name, and a part of keys."""
    if not all(part.isidentifier() for part in modality_parts(modality)):
        raise SeaError(
            f"--modality {modality} is not the name of a modality",
            hint="Type for example --modality video, or --modality image+audio for a joint one.",
        )


def set_folder(modality: str) -> str:
    """Return the name of a set's media folder: `Video`, `Audio`, `Eeg`, `Image+audio`."""
    return modality[:1].upper() + modality[1:]


def questions_folder(modality: str) -> str:
    """Return the name of a set's folder of question files."""
    return MM_QUESTIONS if modality == "image" else set_folder(modality) + QUESTIONS_SUFFIX


def media_folder(root: Path, modality: str) -> Path:
    """Return the folder of a set's media. For images it is the first of the two names that exists."""
    if modality != "image":
        return root / set_folder(modality)
    return next((root / name for name in MM_IMAGE_FOLDERS if (root / name).is_dir()), root / MM_IMAGE_FOLDERS[0])


def benchmark_roots(folder: Path) -> tuple[tuple[bool, Path], ...]:
    """Return the benchmark's own root and that of its benign twin, as pairs (benign, root)."""
    return (False, folder), (True, folder / BENIGN_FOLDER)


def find_sets(root: Path) -> dict[str, Path]:
    """Return the question folder of each set in a root, by modality."""
    if not root.is_dir():
        return {}
    folders = sorted(path for path in root.iterdir() if path.is_dir() and path.name.endswith(QUESTIONS_SUFFIX))
    return {_modality(path.name): path for path in folders}


def only_set(cases: Path) -> str:
    """Return the modality of a benchmark's only set. Raises DataError if it has several, or none."""
    found = list(find_sets(cases))
    if len(found) == 1:
        return found[0]
    what = f"the benchmark has the sets {', '.join(found)}" if found else "this is no benchmark folder"
    hint = f"Choose one: --modality {found[0]}" if found else "Build one: sea bench build MODALITY --out DIR"
    raise DataError(what, hint=hint, where=str(cases))


def _modality(questions_name: str) -> str:
    return "image" if questions_name == MM_QUESTIONS else questions_name.removesuffix(QUESTIONS_SUFFIX).lower()


def question_files(questions: Path) -> list[Path]:
    """Return the question files in a set's folder, one for each scenario, in natural order."""
    return sorted(questions.glob("*.json"), key=lambda file: natural_order(file.stem))


def published_counts(modality: str) -> Mapping[str, int]:
    """Return the scenarios of the published set of a modality with their case counts; empty if none is published."""
    return {"image": MM_SCENARIOS, "video": VA_SCENARIOS, "audio": VA_SCENARIOS}.get(modality, {})


def natural_order(name: str) -> tuple[int, str]:
    """Return a sort key that orders names by the number they begin with."""
    number = re.match(r"\d+", name)
    return (int(number[0]) if number else 1 << 60, name)
