"""How the published sets are laid out: names as published, misspelt or not, and how many cases there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

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
"""VA-SafetyBench, 972 cases in each set."""
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
"""MM-SafetyBench, 1,680 cases."""
MM_TO_VA: Mapping[str, str] = dict(
    zip([name for name in MM_SCENARIOS if name[:2] not in ("08", "10", "11", "12", "13")], VA_SCENARIOS, strict=True)
)
"""The eight scenarios that the video and the audio set were made of."""
MM_QUESTIONS = "processed_questions"
MM_IMAGE_FOLDERS = ("MM-SafetyBench(imgs)", "imgs")
"""What the folder of images is called; the first one is written."""
MM_TEXT_KEY: Mapping[str, str] = {
    "Text_only": "Question",
    "SD": "Rephrased Question(SD)",
    "SD_TYPO": "Rephrased Question",
    "TYPO": "Rephrased Question",
}
"""Which text goes with which variant (PyRIT#1790); public scripts mix them up."""
QUESTIONS_SUFFIX = "_questions"
BENIGN_FOLDER = "benign"
"""The folder of the benign twin, in the same layout."""
MANIFEST = "manifest.json"


def set_folder(modality: str) -> str:
    """Return the name of a set's media folder: `Video`, `Audio`, `Eeg`."""
    return modality[:1].upper() + modality[1:]


def questions_folder(modality: str) -> str:
    """Return the name of a set's folder of question files."""
    return MM_QUESTIONS if modality == "image" else set_folder(modality) + QUESTIONS_SUFFIX


def media_folder(root: Path, modality: str) -> Path:
    """Return the folder of a set's media. For images it is whichever of the two names is there."""
    if modality != "image":
        return root / set_folder(modality)
    return next((root / name for name in MM_IMAGE_FOLDERS if (root / name).is_dir()), root / MM_IMAGE_FOLDERS[0])


def find_sets(root: Path) -> dict[str, Path]:
    """Return each set of a folder with its question files' folder, by modality."""
    folders = (
        sorted(p for p in root.iterdir() if p.is_dir() and p.name.endswith(QUESTIONS_SUFFIX)) if root.is_dir() else []
    )
    return {"image" if p.name == MM_QUESTIONS else p.name.removesuffix(QUESTIONS_SUFFIX).lower(): p for p in folders}


def published_counts(modality: str) -> Mapping[str, int]:
    """Return the scenarios of the published set of a modality with their counts; none where nothing is published."""
    return {"image": MM_SCENARIOS, "video": VA_SCENARIOS, "audio": VA_SCENARIOS}.get(modality, {})


def natural_order(name: str) -> tuple[int, str]:
    """Sort names that begin with a number by it, and ids that are numbers as numbers."""
    number = re.match(r"\d+", name)
    return (int(number[0]) if number else 1 << 60, name)
