"""Which rows are trained on, in which proportions and question shapes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from sea_core.alignment.config import AlignConfig, Method
from sea_core.alignment.dataset import EmbeddingSource, TrainingExample
from sea_core.data.examples import Example, Extraction, Kind
from sea_core.errors import SeaError
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.runs.store import EmbeddingRecord

POOL = 3
"""Ways to synthesise that make a pool: from fewer, real benign media teach a model to comply with whatever is real."""


@dataclass(frozen=True)
class Mixture:
    """What is trained on, and what is not.

    Attributes:
        examples: in a drawn order.
        held_out: the records and keys that were kept out of training, for the look.
        counts: examples of each kind; `benign` counts those of harmless rows among them.
        left_out: rows that could not be used, by reason.
        warnings: what the user should know of this mixture.
    """

    examples: tuple[TrainingExample, ...]
    held_out: tuple[tuple[str, EmbeddingRecord], ...]
    counts: dict[str, int]
    left_out: dict[str, int]
    warnings: tuple[str, ...]


def mix(
    adapter: Adapter, embeddings: EmbeddingSource, texts: Sequence[Example], method: Method, config: AlignConfig
) -> Mixture:
    """Draw the training set: by the seed and the rows' ids, so that the same command draws the same.

    Args:
        texts: more text rows than those of the runs.

    Raises:
        SeaError: nothing is left to train on.
    """
    stored = [(key, record) for key, record in embeddings.records() if training_answers(record, method)]
    left_out = Counter({"no answer for this method": len(embeddings.records()) - len(stored)})
    stored = rebalance(stored, config)
    kept_out = held_out_rows([record for _, record in stored], config)
    trained = [(key, record) for key, record in stored if original_example(record) not in kept_out]
    made = _about_media(adapter, trained, method, config)
    made += _as_text(trained, texts, method, config, kept_out, len(trained))
    if not made:
        raise SeaError(
            f"no row is left to train on with {method}",
            hint="DPO needs rows with a chosen and a rejected answer, SFT a response; --data says which kinds to take.",
        )
    random.Random(f"{config.seed}:order").shuffle(made)
    counts = Counter(example.kind for example, _ in made) + Counter({"benign": sum(not harm for _, harm in made)})
    return Mixture(
        tuple(example for example, _ in made),
        tuple((key, record) for key, record in stored if original_example(record) in kept_out),
        dict(counts),
        {reason: n for reason, n in left_out.items() if n},
        tuple(_warnings([record for _, record in trained], made, config)),
    )


def original_example(record: EmbeddingRecord | Mapping[str, object]) -> str:
    """Return the id of the text row that an embedding was made for: one row may have several."""
    return str(record["example_id"])


def is_real(record: EmbeddingRecord) -> bool:
    """Tell a medium that `sea encode` stored from a synthetic embedding."""
    return record["source"] == "media"


def training_answers(record: EmbeddingRecord | Mapping[str, object], method: Method) -> tuple[str, str | None] | None:
    """Return (answer, None) for SFT, (chosen, rejected) for DPO, or None where the row lacks them."""
    if method == "sft":
        answer = record["response"] or record["chosen"]
        return (str(answer), None) if answer else None
    return (str(record["chosen"]), str(record["rejected"])) if record["chosen"] and record["rejected"] else None


def stored_extraction(record: EmbeddingRecord) -> Extraction:
    return Extraction(record["phrase"], cast(Kind, record["kind"]), record["sentence"], record["detoxified"])


def question_shapes(adapter: Adapter, record: EmbeddingRecord, which: str) -> tuple[str, ...]:
    """Return the questions that may go with a record's embedding."""
    if is_real(record):
        return (record["instruction"],)
    extraction = stored_extraction(record)
    prefixed, bare = prompts.multimodal_prompt(adapter, extraction), extraction.detoxified
    if which == "prefixed":
        return (prefixed,)
    return (bare,) if which == "bare" else (prefixed, bare, *prompts.multimodal_prompt_variants(adapter, extraction))


def rebalance(stored: list[tuple[str, EmbeddingRecord]], config: AlignConfig) -> list[tuple[str, EmbeddingRecord]]:
    """Thin the more numerous of harmful and benign rows until the benign share is what was asked for."""
    if config.benign_ratio == "given":
        return stored
    rows = {original_example(record): bool(record["harmful"]) for _, record in stored}
    sides = {harmful: [row for row in rows if rows[row] is harmful] for harmful in (True, False)}
    harm, benign = len(sides[True]), len(sides[False])
    share = config.benign_ratio
    most = {
        True: round(benign * (1 - share) / share) if share else harm,
        False: round(harm * share / (1 - share)) if share < 1 else benign,
    }
    kept = {row for side, ids in sides.items() for row in _drawn(ids, config.seed)[: most[side]]}
    return [(key, record) for key, record in stored if original_example(record) in kept]


def held_out_rows(records: Sequence[EmbeddingRecord], config: AlignConfig) -> set[str]:
    """Return the ids of the rows that are kept out of training: as many harmful ones as benign ones."""
    rows = {original_example(record): bool(record["harmful"]) for record in records}
    count = min(config.held_out, len(rows) // 10)
    sides = [_drawn([row for row in rows if rows[row] is harmful], config.seed + 1) for harmful in (True, False)]
    return {row for side in sides for row in side[: count // 2]}


def _drawn(ids: Iterable[str], seed: int) -> list[str]:
    return sorted(ids, key=lambda row: random.Random(f"{seed}:{row}").random())


def _about_media(
    adapter: Adapter, trained: Sequence[tuple[str, EmbeddingRecord]], method: Method, config: AlignConfig
) -> list[tuple[TrainingExample, bool]]:
    """Return the examples about embeddings, each with whether its row is harmful."""
    made: list[tuple[TrainingExample, bool]] = []
    described = [record for _, record in trained if not is_real(record)]
    for key, record in trained:
        kind, harmful = "real" if is_real(record) else "synthetic", bool(record["harmful"])
        said = training_answers(record, method)
        assert said is not None  # `mix` leaves such rows out
        shapes = [(shape, *said) for shape in question_shapes(adapter, record, config.prompts)]
        drawn = [(kind, *triple) for triple in _repeat(shapes, getattr(config, kind), f"{config.seed}:{kind}:{key}")]
        if kind == "synthetic":
            triples = retention(adapter, record, described, method, config.seed)
            kept = _repeat(triples, config.retention, f"{config.seed}:retention:{key}")
            drawn += [("retention", *triple) for triple in kept]
        made += [
            (TrainingExample(k, record["id"], q, a, r, key, record["n_features"], record["sha256"]), harmful)
            for k, q, a, r in drawn
        ]
    return made


def retention(
    adapter: Adapter, record: EmbeddingRecord, others: Sequence[EmbeddingRecord], method: Method, seed: int
) -> list[tuple[str, str, str | None]]:
    """Return (question, answer, rejected) about what an embedding shows. What is rejected is true of another one."""
    rng = random.Random(f"{seed}:other:{record['id']}")
    content = prompts.content_goal(adapter, stored_extraction(record))
    asked = (content.prompt, *prompts.content_questions(adapter, stored_extraction(record).kind))
    drawn = (rng.choice(others) for _ in range(20))
    unlike = next((other for other in drawn if other["phrase"] != record["phrase"]), None)
    wrong = prompts.content_goal(adapter, stored_extraction(unlike)).answer if unlike else None
    found: list[tuple[str, str, str | None]] = [(question, content.answer, wrong) for question in asked]
    if record["style"]:
        style = prompts.style_goal(adapter, record["style"])
        other = [prompts.style_goal(adapter, s).answer for s in adapter.styles if s != record["style"]]
        found.append((style.prompt, style.answer, rng.choice(other) if other else None))
    if method == "sft":
        return [(question, answer, None) for question, answer, _ in found]
    return [triple for triple in found if triple[2] is not None]


def _as_text(
    trained: Sequence[tuple[str, EmbeddingRecord]],
    more: Sequence[Example],
    method: Method,
    config: AlignConfig,
    kept_out: set[str],
    media: int,
) -> list[tuple[TrainingExample, bool]]:
    """Return the examples in plain text; rows of one wording count once, however many embeddings they have."""
    rows: dict[str, tuple[str, tuple[str, str | None], bool]] = {}
    from_runs = [record for _, record in trained if not is_real(record)]
    from_file = [{"example_id": row.id, **asdict(row)} for row in more if row.id not in kept_out]
    for record in (*from_runs, *from_file):
        said, harmful = training_answers(record, method), bool(record["harmful"])
        if said and not (config.text_examples == "benign" and harmful):
            rows.setdefault(record["instruction"], (original_example(record), said, harmful))
    taken = config.synthetic or config.real or config.retention
    weight = config.text * media / len(rows) if rows and taken and config.text_examples == "all" else config.text
    return [
        (TrainingExample("text", row_id, *drawn), harmful)
        for question, (row_id, said, harmful) in rows.items()
        for drawn in _repeat([(question, *said)], weight, f"{config.seed}:text:{row_id}")
    ]


def _repeat(
    choices: Sequence[tuple[str, str, str | None]], weight: float, seed: str
) -> list[tuple[str, str, str | None]]:
    """Draw `weight` of the choices, all of them before one comes again; a fraction is drawn that often."""
    rng = random.Random(seed)
    order = list(choices)
    rng.shuffle(order)
    count = int(weight) + (rng.random() < weight % 1)
    return [order[i % len(order)] for i in range(count)] if order else []


def _warnings(
    records: Sequence[EmbeddingRecord], made: Sequence[tuple[TrainingExample, bool]], config: AlignConfig
) -> Iterable[str]:
    if all(harmful for _, harmful in made):
        yield "no benign row is trained on: a model that is only shown refusals learns to refuse everything"
    real = [bool(record["harmful"]) for record in records if is_real(record)] if config.real else []
    ways = {record.get("recipe", "") for record in records if not is_real(record)} if config.synthetic else set()
    if real and not any(real) and ways and len(ways) < POOL:
        yield (
            f"the real media are all benign, and the synthetic embeddings come from {len(ways)} recipe(s): what is "
            "then learnt is that real media are to be answered, harmful ones too. Use a pool of recipes "
            "(sea optimize --recipe pool), or leave the real media out (--data synthetic,text,retention)"
        )
