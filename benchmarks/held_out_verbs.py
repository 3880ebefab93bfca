"""Does refusal carry over to real media of new phrases and verbs? Arms are chosen on one split, reported on another.

The toy world's phrases are split by a fixed seed, with whole verbs in each part. A model is aligned by SFT on synthetic
embeddings of the training phrases and asked about real renderings of the others. There are three groups of phrases:
`object` (a verb of the training embeddings, with another object or product), `text` (a verb that is trained on in plain
text only), and `verb` (a verb that is not trained on: a toy model cannot know whether it is harmful).

Answers about both splits are stored in OUT. Those of `test` are printed only with --test, when the choice is made.
Re-run the same command to resume.
"""

from __future__ import annotations

import random
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from bundled import STUDENTS, load_bundled, load_student
from transfer import discrimination, of_shape, refusal_rate

from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig, AlignRequest, parse_weights
from sea_core.alignment.dataset import make_dataset
from sea_core.alignment.embedding_source import EmbeddingSource, StoredEmbedding
from sea_core.alignment.mixture import mix
from sea_core.alignment.train import train
from sea_core.config import override, parse_overrides, reject_unknown, setting_names
from sea_core.data.examples import Example, PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.judges.lexical import names_content
from sea_core.judges.refusal_patterns import refuses
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import multimodal_prompt
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.optimization.record import make_record
from sea_core.runs.embedding_record import EmbeddingRecord, read_grid
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.store import Store
from sea_toy.world import (
    BENIGN_PRODUCTS,
    BENIGN_VERBS,
    HARMFUL_PRODUCTS,
    HARMFUL_VERBS,
    OBJECTS,
    QUESTIONS,
    REFUSAL,
    Phrase,
    phrases,
)

SPLIT_SEED, MEDIA_SEED = 41, 4100
DRAWS, STYLES, RENDERINGS, BATCH_SIZE, MAX_NEW_TOKENS = 6, 3, 2, 16, 128
SHAPES = ("prefixed", "bare")
Part = Literal["train", "text", "validation", "test"]


@dataclass(frozen=True)
class Arm:
    """What a model is aligned on.

    Attributes:
        recipe: of the embeddings; `real` for real media in their place, empty for text alone.
        settings: of the alignment.
        draws: embeddings of each phrase.
    """

    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    draws: int = DRAWS


READ_FIRST = {"answers": "read-first"}
ARMS = {
    "text": Arm(""),
    "direct": Arm("plain"),
    "direct, one": Arm("plain", draws=1),
    "benign start": Arm("benign-start"),
    "benign start, one": Arm("benign-start", draws=1),
    "read-first": Arm("plain", READ_FIRST),
    "read-first, one": Arm("plain", READ_FIRST, draws=1),
    "both": Arm("benign-start", READ_FIRST),
    "both, one": Arm("benign-start", READ_FIRST, draws=1),
    "oracle": Arm("real"),
}


@dataclass(frozen=True)
class Place:
    """Where a phrase is in the split.

    Attributes:
        part: `train` (embeddings and text), `text` (text only), `validation` or `test`.
        group: for media that are asked about: what of the phrase is new. Empty for the other phrases.
    """

    phrase: Phrase
    part: Part
    group: str = ""


class MemorySource(EmbeddingSource):
    """Embeddings with their records, by key."""

    def __init__(self, embeddings: Mapping[str, tuple[EmbeddingRecord, Embedding]]) -> None:
        super().__init__(())
        self.embeddings = embeddings

    def stored(self) -> list[StoredEmbedding]:
        return [StoredEmbedding(key, record) for key, (record, _) in self.embeddings.items()]

    def load(self, key: str, sha256: str = "") -> Embedding:
        return self.embeddings[key][1]


def split() -> list[Place]:
    """Split the phrases: of eight verbs on each side, five are trained on, one is for validation, two are for the test.

    The verb for validation and one for the test are trained on as text. Of a verb that is trained on, four objects are
    trained on, one is for validation, one for the test; of four products, two, one and one.
    """
    rng, by_text = random.Random(SPLIT_SEED), {phrase.text: phrase for phrase in phrases()}
    places = []
    for verbs, products in ((HARMFUL_VERBS, HARMFUL_PRODUCTS), (BENIGN_VERBS, BENIGN_PRODUCTS)):
        *seen, validation, with_text, new = rng.sample(verbs, len(verbs))
        for verb in seen:
            things = rng.sample(OBJECTS, len(OBJECTS))
            places += [Place(by_text[f"{verb} {thing}"], "train") for thing in things[:4]]
            places += [Place(by_text[f"{verb} {things[4]}"], "validation", "object")]
            places += [Place(by_text[f"{verb} {things[5]}"], "test", "object")]
        for verb, part in ((validation, "validation"), (with_text, "test")):
            places += [Place(by_text[f"{verb} {thing}"], part, "text") for thing in OBJECTS]
        places += [Place(by_text[f"{new} {thing}"], "test", "verb") for thing in OBJECTS]
        first, second, third, fourth = rng.sample(products, len(products))
        places += [Place(by_text[first], "train"), Place(by_text[second], "train")]
        places += [Place(by_text[third], "validation", "object"), Place(by_text[fourth], "test", "object")]
    return places


def make_examples(places: Iterable[Place]) -> list[Example]:
    """Return an example of each phrase, with a question drawn by seed, and the responses of the demo examples."""
    rng, examples = random.Random(SPLIT_SEED + 1), []
    for phrase in (place.phrase for place in places):
        question = rng.choice(QUESTIONS[phrase.kind]).format(phrase.text)
        chosen, rejected = (REFUSAL, phrase.compliance) if phrase.harmful else (phrase.compliance, REFUSAL)
        name = phrase.text.replace(" ", "-")
        examples.append(Example(name, question, chosen, chosen, rejected, harmful=phrase.harmful))
    return examples


def synthesize(
    student: Any, mllm: MLLM, places: Sequence[Place], recipe: str, draws: int, folder: Path
) -> MemorySource:
    """Make the embeddings of the training phrases, or read what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    examples = prepare(make_examples(p for p in places if p.part == "train"), student.adapter).prepared
    used = [each for each in RECIPES if each.name == recipe]
    wanted = {each.id: each for each in expand(examples, used, student.adapter, draws)}
    if missing := [example for name, example in wanted.items() if name not in store.ids()]:
        benign = benign_embeddings(student, mllm, places) if recipe == "benign-start" else ()
        for result in Optimization(mllm, missing, OptimizeConfig(), benign=benign).run():
            features = result.embedding.features if result.embedding else None
            store.append(make_record(wanted[result.id], result), features)
    made = [record for record in store.records() if record["id"] in wanted]
    steps = sorted(record["steps"] for record in made)
    succeeded = [record for record in made if record["sha256"]]
    print(recipe, len(succeeded), "of", len(wanted), "succeeded, median steps", steps[len(steps) // 2], flush=True)
    return MemorySource({r["id"]: (r, Embedding(store.load(r["id"]), read_grid(r))) for r in succeeded})


def benign_embeddings(student: Any, mllm: MLLM, places: Sequence[Place]) -> list[Embedding]:
    """Return real embeddings of benign training phrases, in two styles each."""
    rng = random.Random(MEDIA_SEED + 1)
    benign = [place.phrase.text for place in places if place.part == "train" and not place.phrase.harmful]
    drawn = [(text, style) for text in benign for style in rng.sample(student.adapter.styles, RENDERINGS)]
    return [mllm.encode([student.render(text, style, rng)])[0] for text, style in drawn]


def render_oracle(student: Any, mllm: MLLM, places: Sequence[Place]) -> MemorySource:
    """Return real embeddings of all training phrases in place of synthetic ones, as many."""
    rng, embeddings = random.Random(MEDIA_SEED + 2), {}
    examples = prepare(make_examples(p for p in places if p.part == "train"), student.adapter).prepared
    plain = [recipe for recipe in RECIPES if recipe.name == "plain"]
    for example in expand(examples, plain, student.adapter, DRAWS):
        (embedding,) = mllm.encode([student.render(example.extraction.phrase, example.style, rng)])
        record = make_record(example, _real_result(example, embedding))
        tensor = {"n_features": len(embedding), "d_encoder": 0, "dtype": "", "sha256": example.id, "shard": ""}
        embeddings[example.id] = ({**record, **tensor}, embedding)
    return MemorySource(embeddings)  # type: ignore[arg-type]


def _real_result(example: PreparedExample, embedding: Embedding) -> OptimizationResult:
    return OptimizationResult(example.id, "succeeded", "", 0, 0.0, 0.0, 0.0, embedding)


@dataclass(frozen=True)
class Question:
    """A question about a rendering."""

    place: Place
    shape: str
    prompt: str
    embedding: Embedding


def make_questions(student: Any, mllm: MLLM, places: Sequence[Place]) -> list[Question]:
    """Render the phrases of validation and test in random styles, and ask about each in every shape."""
    rng, questions = random.Random(MEDIA_SEED), []
    for place in (place for place in places if place.group):
        phrase = place.phrase
        for style in rng.sample(student.adapter.styles, STYLES):
            (embedding,) = mllm.encode([student.render(phrase.text, style, rng)])
            extraction = phrase.extraction(rng.choice(QUESTIONS[phrase.kind]))
            prompts = (multimodal_prompt(student.adapter, extraction), extraction.detoxified)
            questions += [Question(place, *each, embedding) for each in zip(SHAPES, prompts, strict=True)]
    return questions


def ask(mllm: MLLM, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    for begin in range(0, len(questions), BATCH_SIZE):
        batch = questions[begin : begin + BATCH_SIZE]
        generated = mllm.generate([q.prompt for q in batch], [q.embedding for q in batch], MAX_NEW_TOKENS)
        for question, ids in zip(batch, generated, strict=True):
            answer, place = mllm.detokenize(ids), question.place
            yield {
                "part": place.part,
                "group": place.group,
                "phrase": place.phrase.text,
                "harmful": place.phrase.harmful,
                "shape": question.shape,
                "answer": answer,
                "refused": refuses(answer),
                "named": names_content(answer, place.phrase.text),
            }


def run_arm(student: Any, arm: Arm, config: AlignConfig, folder: Path) -> dict[str, Any]:
    """Align a fresh model on an arm's embeddings and ask it the questions; return the record to store."""
    places = split()
    mllm = load_bundled(student.adapter)
    questions = make_questions(student, mllm, places)
    texts = make_examples(place for place in places if place.part == "train" or place.group == "text")
    if arm.recipe == "real":
        source = render_oracle(student, mllm, places)
    else:
        recipe = arm.recipe or "plain"
        source = synthesize(student, mllm, places, recipe, arm.draws, folder / recipe)
    mixture = mix(student.adapter, source, texts, "sft", config)
    with tempfile.TemporaryDirectory() as scratch:
        data, collator = make_dataset(mllm, mixture.examples), Collator(mllm, source)
        _, trace = train(mllm, data, collator, AlignRequest("sft", config), Path(scratch))
    return {"counts": mixture.counts, "trace": trace, "answers": list(ask(mllm, questions))}


def read_config(arm: Arm, seed: int, steps: int, options: Sequence[str]) -> AlignConfig:
    """Return the settings of an arm's alignment. Nothing is held out by the alignment itself."""
    base = AlignConfig(seed=seed, held_out=0, steps=steps)
    weights: Mapping[str, Any] = {} if arm.recipe else parse_weights("text", base)
    config, unknown = override(replace(base, **weights, **arm.settings), parse_overrides(None, options))
    reject_unknown(unknown, setting_names(config))
    return config


def print_table(records: Sequence[Mapping[str, Any]], part: str) -> None:
    """Print a row for each arm and setting, over all its seeds: all phrases, then each group."""
    print(f"| arm | seeds | steps | loss | {part}: ASR, over-refusal, discrimination (per seed), named | groups |")
    print("|---|---|---|---|---|---|")
    for label in dict.fromkeys(record["label"] for record in records):
        own = [record for record in records if record["label"] == label]
        per_seed = [[a for a in record["answers"] if a["part"] == part] for record in own]
        answers: list[Any] = [answer for each in per_seed for answer in each]
        cells = []
        for shape in SHAPES:
            found = of_shape(answers, shape)
            asr, over_refusal = 1 - refusal_rate(found, harmful=True), refusal_rate(found, harmful=False)
            seeds = "/".join(f"{discrimination(of_shape(each, shape)):.2f}" for each in per_seed)  # type: ignore[arg-type]
            cells.append(f"{shape} {asr:.2f}, {over_refusal:.2f}, **{discrimination(found):.2f}** ({seeds})")
        groups = dict.fromkeys(answer["group"] for answer in answers)
        by_group = [f"{g} {discrimination([a for a in answers if a['group'] == g]):.2f}" for g in groups]
        named = sum(answer["named"] for answer in answers) / len(answers)
        steps, loss = ("/".join(f"{record['trace'][-1][key]:.3g}" for record in own) for key in ("step", "loss"))
        print(f"| {label} | {len(own)} | {steps} | {loss} | {'; '.join(cells)}; {named:.2f} | {', '.join(by_group)} |")


def parse_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=STUDENTS)
    parser.add_argument("out", type=Path, help="where embeddings and answers are stored")
    parser.add_argument("arms", nargs="?", default=";".join(ARMS), help="names, separated by semicolons; default: all")
    parser.add_argument("options", nargs="*", metavar="KEY=VALUE", help="settings of `sea align`")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="of the alignment; default: 0")
    parser.add_argument("--steps", type=int, default=1000, help="of training, at most; default: 1000")
    parser.add_argument("--test", action="store_true", help="print the figures of the test too")
    arguments = parser.parse_args()
    arguments.arms = [name for name in arguments.arms.split(";") if name]
    if unknown := set(arguments.arms) - set(ARMS):
        parser.error(f"unknown arm: {', '.join(sorted(unknown))}; known: {', '.join(ARMS)}")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    student = load_student(arguments.model)
    folder = arguments.out / arguments.model
    folder.mkdir(parents=True, exist_ok=True)
    log: JsonlLog[Any] = JsonlLog(folder / "arms.jsonl")
    for seed in arguments.seeds:
        for name in arguments.arms:
            config = read_config(ARMS[name], seed, arguments.steps, arguments.options)
            done = [(record["arm"], record["config"]) for record in log.read()]
            if (name, asdict(config)) not in done:
                made = run_arm(student, ARMS[name], config, folder)
                label = " ".join([name, f"steps={arguments.steps}", *arguments.options])
                log.append([{"label": label, "arm": name, "config": asdict(config), **made}])
                print_table(log.read()[-1:], "validation")
    records = log.read()
    print(f"{arguments.model}: {len({record['label'] for record in records})} settings tried")
    for part in ("validation", "test") if arguments.test else ("validation",):
        print_table(records, part)


if __name__ == "__main__":
    main()
