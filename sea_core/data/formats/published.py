"""Published sets, most of them prompts without answers: each is a row of one table, which names its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.record import Record, SkipRecord

NEEDS_MEDIUM = "the question is about a medium, which is not read"
HARMFUL_WITH_MEDIUM = "the text is harmful only with its medium, which is not read"
NEEDS_CONTEXT = "the question has a context, which is not read"


def every_prompt_is_harmful(record: Record) -> bool | None:
    """Label a set that holds nothing else."""
    return True


def label_of_file(record: Record) -> bool | None:
    """Label a set that keeps benign prompts in a file, or a split, of their own; None if no name says which it is."""
    name = f"{record.place.path.name} {record.split}".lower()
    return False if "benign" in name else True if "harmful" in name else None


def label_of_or_bench(record: Record) -> bool | None:
    """Label OR-Bench: prompts that only seem harmful, and the file of toxic ones."""
    return "toxic" in f"{record.place.path.name} {record.split}".lower()


def label_of_video_safetybench(record: Record) -> bool | None:
    """Label Video-SafetyBench: half of its questions are benign as they stand, and only their video is harmful."""
    kind = str(record.peek("question_type") or "") or f"{record.place.path.name} {record.split}"
    return "benign" not in kind.lower()


def label_of_xstest(record: Record) -> bool | None:
    """Label XSTest: by its column "label", or in its second version by the type."""
    if (label := record.harm_label()) is not None:
        return label
    return record.text("type").startswith("contrast")


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """A published set.

    Attributes:
        names: SEA's column names to the set's.
        needed: the columns by which the set is recognised.
        label: whether the instruction is harmful; None if the set does not say.
        notes: columns of the set that are not used, and what to say of records that have them.
        skips: columns whose records are skipped, and the rule.
        file: a regular expression that the name of the file must have, for a set with columns that many have.
    """

    name: str
    names: Mapping[str, str]
    needed: tuple[str, ...]
    label: Callable[[Record], bool | None] = every_prompt_is_harmful
    notes: Mapping[str, str] = field(default_factory=dict)
    skips: Mapping[str, str] = field(default_factory=dict)
    file: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """SEA's names of the columns; `--columns` renames them for a copy of the set with other names."""
        return (*self.names, "harmful")

    def matches(self, record: Record) -> bool:
        """Return whether the record has the columns of the set."""
        has_columns = record.renamed(self.names).has("instruction") and set(self.needed) <= record.values.keys()
        return has_columns and re.search(self.file, record.place.path.name.lower()) is not None

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        for column, rule in self.skips.items():
            if record.values.get(column):
                raise SkipRecord(rule)
        named = record.renamed(self.names)
        pair = ("chosen", "rejected") if "chosen" in self.names else ()
        needed = ("instruction", *pair)
        if not named.has(*needed):
            raise named.missing_error(needed, f"The format {self.name} needs it in every record.")
        answers = (named.text_or_empty("chosen"), named.text_or_empty("rejected")) if pair else None
        example = build_example(named, named.text("instruction"), pair=answers)
        for column, note in self.notes.items():
            if record.values.get(column):
                record.note(note)
        label = named.harm_label() if named.has("harmful") else self.label(named)
        return [replace(example, harmful=label is not False, labelled=label is not None)]


PUBLISHED_SETS = (
    PublishedSet("xstest", {"instruction": "prompt"}, ("prompt", "type", "focus", "note"), label_of_xstest),
    PublishedSet("advbench", {"instruction": "goal"}, ("goal", "target")),
    PublishedSet(
        "harmbench",
        {"instruction": "Behavior", "id": "BehaviorID"},
        ("Behavior", "BehaviorID"),
        notes={"ContextString": NEEDS_CONTEXT, "ImageFileName": NEEDS_MEDIUM},
    ),
    PublishedSet("jailbreakbench", {"instruction": "Goal"}, ("Goal", "Target", "Behavior"), label_of_file),
    PublishedSet("strongreject", {"instruction": "forbidden_prompt"}, ("forbidden_prompt", "category")),
    PublishedSet("do-not-answer", {"instruction": "question"}, ("question", "risk_area", "types_of_harm")),
    PublishedSet("figstep", {"instruction": "question"}, ("question", "instruction", "task_id", "category_name")),
    PublishedSet(
        "beavertails-evaluation", {"instruction": "prompt", "id": "qid"}, ("prompt", "category", "category_id")
    ),
    PublishedSet("salad-bench", {"instruction": "question", "id": "qid"}, ("question", "1-category")),
    PublishedSet("salad-bench-attack", {"instruction": "baseq", "id": "aid"}, ("baseq", "augq")),
    PublishedSet("salad-bench-defense", {"instruction": "baseq", "id": "did"}, ("baseq", "daugq")),
    PublishedSet("jailbreakv", {"instruction": "redteam_query"}, ("redteam_query", "jailbreak_query")),
    PublishedSet("redteam-2k", {"instruction": "question"}, ("question", "policy", "from")),
    PublishedSet(
        "or-bench",
        {"instruction": "prompt"},
        ("prompt", "category"),
        label_of_or_bench,
        file="(?<![a-z])or[-_ ]?bench",
    ),
    PublishedSet("omni-safetybench", {"instruction": "corresponding_text"}, ("corresponding_text", "harmful_category")),
    PublishedSet(
        "video-safetybench",
        {"instruction": "question", "id": "question_id"},
        ("question", "harmful_intention", "video_path"),
        label_of_video_safetybench,
        notes={"video_path": NEEDS_MEDIUM},
    ),
    PublishedSet("va-safetybench", {"instruction": "Text_only"}, ("Text_only", "TYPO")),
    PublishedSet("va-safetybench-audio", {"instruction": "Text_only"}, ("Text_only", "KPT")),
    PublishedSet("mm-safetybench", {"instruction": "Question"}, ("Question", "Changed Question", "Key Phrase")),
    PublishedSet(
        "msts",
        {"instruction": "prompt_text", "id": "prompt_id"},
        ("prompt_text", "prompt_type", "hazard_category"),
        skips={"unsafe_image_id": HARMFUL_WITH_MEDIUM},
    ),
    PublishedSet("flames", {"instruction": "prompt"}, ("prompt", "dimension", "subcomponent")),
    PublishedSet("jade", {"instruction": "问题", "id": "ID"}, ("问题", "违规类型")),
    PublishedSet(
        "jade-alignment",
        {"instruction": "问题", "chosen": "安全有用回答", "rejected": "违规回答", "id": "ID"},
        ("问题", "安全有用回答", "违规回答"),
    ),
)
"""The columns are those of the files that the authors publish."""
