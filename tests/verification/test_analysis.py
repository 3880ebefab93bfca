"""The comparison with real media: distances that are exact on the media themselves, and a probe that can fail."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cli import expect_error, sea
from helpers.manifests import edit_manifest
from sea_core.errors import DataError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.media_folder import encode_files
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog
from sea_core.verification.analysis.comparison import ComparisonMetrics, MediaComparison
from sea_core.verification.analysis.config import AnalysisConfig
from sea_core.verification.analysis.labels import METADATA_FILE, make_label, read_labelled_media
from sea_toy.llava.tiny import TinyLlavaStudent

VERBS = ("clean", "wrap", "carry", "polish")
SEEN, HELD_OUT = ("a lamp", "a book", "a bike"), ("a cake", "a chair")
STYLES = 2


def draw_media(folder: Path, objects: Sequence[str]) -> Path:
    """Draw each verb with each object, and write what is shown to metadata.jsonl."""
    folder.mkdir()
    rng, lines = random.Random(7), []
    for verb in VERBS:
        for style in TinyLlavaStudent.adapter.styles[:STYLES]:
            for thing in objects:
                name = f"{verb}-{thing}-{style}.png".replace(" ", "-")
                TinyLlavaStudent().render(f"{verb} {thing}", style, rng).save(folder / name)
                lines.append({"file_name": name, "phrase": f"{verb} {thing}"})
    write_metadata(folder, lines)
    return folder


def write_metadata(folder: Path, lines: Sequence[dict[str, Any]]) -> None:
    (folder / METADATA_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))


def read_metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / METADATA_FILE).read_text().splitlines()]


@pytest.fixture(scope="module")
def seen_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_media(tmp_path_factory.mktemp("media") / "seen", SEEN)


@pytest.fixture(scope="module")
def held_out_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_media(tmp_path_factory.mktemp("media") / "held-out", HELD_OUT)


@pytest.fixture(scope="module")
def embeddings(seeing: MLLM, seen_media: Path) -> dict[str, Embedding]:
    """Return the encoder's output for the seen media, in place of the embeddings of a run."""
    media = read_labelled_media(seen_media).media
    encoded = encode_files(seeing, [medium.path for medium in media])
    return {medium.name: embedding for medium, embedding in zip(media, encoded, strict=True)}


def compare(embeddings: dict[str, Embedding], media: Path, out: Path, **changed: Any) -> MediaComparison:
    """Compare embeddings with a folder of media. `records` overrides entries of their records."""
    overrides = changed.pop("records", [{}] * len(embeddings))
    records = [
        {
            "id": name,
            "sha256": name,
            "status": "succeeded",
            "kind": "activity",
            "phrase": name,
            "recipe": "plain",
            **override,
        }
        for name, override in zip(embeddings, overrides, strict=True)
    ]
    log = JsonlLog(out / "analysis.jsonl")
    return MediaComparison(records, embeddings.__getitem__, read_labelled_media(media), log, **changed)


def compute(comparison: MediaComparison, mllm: MLLM) -> ComparisonMetrics:
    remaining = comparison.remaining()
    assert sum(comparison.compute(mllm)) == remaining
    assert comparison.remaining() == 0
    return comparison.metrics()


# --- distances --------------------------------------------------------------------------------------------------------


def test_the_distance_of_real_media_to_themselves_is_zero(
    seeing: MLLM, embeddings: dict[str, Embedding], seen_media: Path, tmp_path: Path
) -> None:
    comparison = compare(embeddings, seen_media, tmp_path)
    metrics = compute(comparison, seeing)["distances"]["all"]
    assert metrics["embeddings"] == len(embeddings) == len(VERBS) * len(SEEN) * STYLES
    records = list(comparison.stored_distances().values())
    for record in records:
        assert record["cosine_nearest"] == pytest.approx(1, abs=1e-12)
        assert record["centred_cosine"] == pytest.approx(1, abs=1e-12)
        assert record["id"] == record["nearest"]
    assert sum(record["norm_ratio"] for record in records) / len(records) == pytest.approx(1, abs=1e-12)
    assert metrics["centred_cosine"]["p10"] == pytest.approx(1, abs=1e-12)


def test_distances_match_hand_computed_values_for_other_numbers_of_features(
    seeing: MLLM, seen_media: Path, tmp_path: Path
) -> None:
    two = tmp_path / "two"
    two.mkdir()
    names = sorted(path.name for path in seen_media.glob("*.png"))[:2]
    for name in names:
        shutil.copy(seen_media / name, two / name)
    first, second = (e.features.double() for e in encode_files(seeing, [two / name for name in names]))
    twice = Embedding(2 * torch.cat([first, first]).float())
    nothing = Embedding(torch.zeros(3, first.shape[1]))
    comparison = compare({"polish twice": twice, "polish nothing": nothing}, two, tmp_path)
    compute(comparison, seeing)
    twice_record, zero_record = comparison.stored_distances().values()
    middle = (first.mean(0) + second.mean(0)) / 2
    norms = [features.norm(dim=1).mean() for features in (first, second)]
    cosine = torch.nn.functional.cosine_similarity
    assert twice_record["nearest"] == names[0]
    assert twice_record["norm_ratio"] == pytest.approx(float(2 * norms[0] / (sum(norms) / 2)), rel=1e-6)
    assert twice_record["cosine_nearest"] == pytest.approx(1)
    assert twice_record["cosine_mean"] == pytest.approx(float(cosine(first.mean(0), middle, dim=0)), rel=1e-6)
    centred = [cosine(2 * first.mean(0) - middle, features.mean(0) - middle, dim=0) for features in (first, second)]
    assert twice_record["centred_cosine"] == pytest.approx(float(max(centred)), rel=1e-6)
    assert (zero_record["norm_ratio"], zero_record["cosine_nearest"], zero_record["cosine_mean"]) == (0, None, None)


def test_an_undefined_distance_is_none(
    seeing: MLLM, embeddings: dict[str, Embedding], seen_media: Path, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    shutil.copy(next(iter(sorted(seen_media.glob("*.png")))), tmp_path / "one" / "one.png")
    comparison = compare(embeddings, tmp_path / "one", tmp_path)
    metrics = compute(comparison, seeing)
    assert metrics["distances"]["all"]["centred_cosine"] is None
    cosines = [record["cosine_nearest"] for record in comparison.stored_distances().values()]
    assert max(cosines) == pytest.approx(1, abs=1e-12)
    assert cosines == [record["cosine_mean"] for record in comparison.stored_distances().values()]
    assert (metrics["labelled"], metrics["probes"]) == (0, {})


# --- the probe --------------------------------------------------------------------------------------------------------


def test_a_probe_fitted_on_real_embeddings_classifies_other_real_media(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    comparison = compare(embeddings, held_out_media, tmp_path)
    probe = compute(comparison, seeing)["probes"]["all"]
    count = len(VERBS) * len(HELD_OUT) * STYLES
    assert (probe["tested"], probe["labels"], probe["chance"], probe["classes"]) == (count, 4, 0.25, 4)
    assert probe["accuracy"] >= 0.8
    predictions = comparison.stored_predictions()
    assert probe["right"] == sum(record["predicted"] == record["label"] for record in predictions)
    low, high = probe["interval"]
    assert low < probe["accuracy"] <= high


def test_a_probe_fitted_on_shuffled_labels_is_at_chance(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    accuracies = []
    for seed in range(4):
        phrases = list(embeddings)
        random.Random(seed).shuffle(phrases)
        digests = (f"{name}{seed}" for name in embeddings)
        records = [{"phrase": phrase, "sha256": sha256} for phrase, sha256 in zip(phrases, digests, strict=True)]
        metrics = compute(compare(embeddings, held_out_media, tmp_path, records=records), seeing)
        accuracies.append(metrics["probes"]["all"]["accuracy"])
    assert 0.05 < sum(accuracies) / 4 < 0.45


def test_only_benign_media_are_tested_if_the_metadata_say_what_is_harmful(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "labelled"
    shutil.copytree(held_out_media, folder)
    lines = read_metadata(folder)
    harmful = {0: {"harmful": True}, 1: {}}
    write_metadata(folder, [line | harmful.get(i, {"harmful": False}) for i, line in enumerate(lines)])
    comparison = compare(embeddings, folder, tmp_path)
    probe = compute(comparison, seeing)["probes"]["all"]
    assert (probe["tested"], probe["not_benign"]) == (len(lines) - 2, 2)
    assert len(comparison.stored_predictions()) == len(lines)


def test_labels_that_no_embedding_has_are_listed_and_not_tested(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(held_out_media, folder)
    lines = read_metadata(folder)
    write_metadata(folder, [{"file_name": lines[0]["file_name"], "label": " Juggle "}, *lines[1:]])
    comparison = compare(embeddings, folder, tmp_path)
    probe = compute(comparison, seeing)["probes"]["all"]
    assert (probe["tested"], probe["unknown"]) == (len(lines) - 1, ["juggle"])
    assert [record["predicted"] for record in comparison.stored_predictions() if record["label"] == "juggle"] == [None]


def test_recipes_are_compared_together_and_separately(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    recipes = [{"recipe": ("plain", "noise")[i % 2]} for i in range(len(embeddings))]
    metrics = compute(compare(embeddings, held_out_media, tmp_path, records=recipes), seeing)
    assert list(metrics["distances"]) == list(metrics["probes"]) == ["all", "plain", "noise"]
    count = len(embeddings)
    assert [probe["embeddings"] for probe in metrics["probes"].values()] == [count, count // 2, count // 2]


def test_stored_results_are_reused(
    seeing: MLLM, embeddings: dict[str, Embedding], held_out_media: Path, seen_media: Path, tmp_path: Path
) -> None:
    comparison = compare(embeddings, held_out_media, tmp_path)
    metrics = compute(comparison, seeing)
    before = comparison.log.path.read_bytes()
    assert compute(comparison, seeing) == metrics
    assert comparison.log.path.read_bytes() == before

    lines = before.splitlines(keepends=True)
    comparison.log.path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])  # a kill in the last write
    assert comparison.metrics()["probes"] == {}
    assert compute(comparison, seeing) == metrics

    first = dict(list(embeddings.items())[:-1])
    assert compare(first, held_out_media, tmp_path).remaining() > 0  # the run has other embeddings: another probe
    relabelled = compare(
        embeddings, held_out_media, tmp_path, records=[{"phrase": "juggle"}, *[{}] * (len(embeddings) - 1)]
    )
    assert relabelled.metrics()["probes"] == {}
    deeper = compare(embeddings, held_out_media, tmp_path, config=AnalysisConfig(layer=1))
    assert deeper.metrics()["distances"] == metrics["distances"]
    assert deeper.metrics()["probes"] == {}
    other = compare(embeddings, seen_media, tmp_path)
    assert other.metrics()["distances"]["all"]["embeddings"] == 0
    assert compute(other, seeing)["digest"] != metrics["digest"]
    assert comparison.metrics() == metrics


@pytest.mark.parametrize(
    ("phrase", "kind", "label"),
    [
        ("steal a lamp", "activity", "steal"),
        ("Stealing the lamp", "activity", "steal"),
        ("left a cake", "activity", "leave"),
        ("secretly pick a lock", "activity", "pick"),
        ("Quickly picking the lock", "activity", "pick"),
        ("fast forward a tape", "activity", "forward"),  # "fast" may be a verb, but not before one
        ("a person is stealing a lamp", "activity", "steal"),
        ("supply a lamp", "activity", "supply"),  # the dictionary has it as an adverb too
        ("defenestrate a lamp", "activity", "defenestrate"),  # the dictionary lacks it
        ("hotwired a car", "activity", "hotwire"),
        ("secretly", "activity", "secretly"),
        ("A  skeleton key", "product", "a skeleton key"),
        ("on it", "activity", "on it"),
    ],
)
def test_the_label_of_a_phrase(phrase: str, kind: str, label: str) -> None:
    assert make_label(phrase, kind) == label


def test_a_phrase_is_a_product_if_it_is_one_in_the_run(
    embeddings: dict[str, Embedding], held_out_media: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "products"
    shutil.copytree(held_out_media, folder)
    name, other = (line["file_name"] for line in read_metadata(folder)[:2])
    first = {"file_name": name, "phrase": "A wool  scarf", "label": " "}
    write_metadata(folder, [first, {"file_name": f"./{other}", "phrase": "wrap a hat"}])
    records = [{"phrase": "a wool scarf", "kind": "product"}, *[{}] * (len(embeddings) - 1)]
    labels = compare(embeddings, folder, tmp_path, records=records).labels
    assert labels == {name: "a wool scarf", other: "wrap"}


# --- invalid metadata and settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"file_name": "none.png", "label": "wrap"}', "is not a medium of this folder: none.png"),
        ('{"label": "wrap"}', '"file_name" is missing'),
        ('{"file_name": "a.png", "label": 3}', '"label" is 3'),
        ('{"file_name": "a.png", "harmful": "no"}', '"harmful" is "no"'),
        ('{"file_name": "a.png"}\n{"file_name": "./a.png"}', "a.png is listed twice"),
        ("[1]", "is not a JSON object"),
        ('{"file_name": ', "not JSON"),
    ],
)
def test_an_invalid_line_is_reported_with_its_place(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / METADATA_FILE).write_text("\n" + line + "\n")
    with pytest.raises(DataError, match=METADATA_FILE) as caught:
        read_labelled_media(tmp_path)
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("layer", -1), ("l2", 0.0)])
def test_settings_out_of_bounds_are_rejected(name: str, value: float) -> None:
    with pytest.raises(SeaError, match=f"analysis.{name}"):
        AnalysisConfig(**{name: value})


# --- the command ------------------------------------------------------------------------------------------------------


def test_verify_compares_with_a_folder_and_reuses_what_is_stored(
    seeing: MLLM, held_out_media: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    quick = ("-o", "loss=0.5", "-o", "margin=0", "-o", "steps=60", "--no-verify")
    assert (
        sea("optimize", "--plugin", "llava", "--limit", "3", "--out", out, *quick, "--recipe", "plain,noise").code == 0
    )
    plain = sea("verify", out, "--json").json()
    assert "comparison" not in plain
    metrics = sea("verify", out, "--compare-with", held_out_media, "--json").json()
    assert {name: metrics[name] for name in plain} == plain
    comparison = metrics["comparison"]
    assert comparison["distances"]["noise"]["embeddings"] == 3
    probe = comparison["probes"]["all"]
    assert (probe["tested"], probe["classes"], probe["embeddings"]) == (len(HELD_OUT) * STYLES, 2, 6)
    assert probe["unknown"] == ["carry", "polish", "wrap"]
    stored = (out / "analysis.jsonl").read_bytes()
    table = sea("verify", out, "--compare-with", held_out_media)
    assert "medians, noise" in table.out
    assert "probe, plain" in table.out
    assert "not tested on labels that no embedding has: carry, polish, wrap" in table.err
    assert (out / "analysis.jsonl").read_bytes() == stored

    bare = tmp_path / "bare"
    bare.mkdir()
    assert "there are no media in this folder" in expect_error("verify", out, "--compare-with", bare)
    (bare / "broken.png").write_bytes(b"no picture")
    assert "broken.png" in expect_error("verify", out, "--compare-with", bare)
    (bare / "broken.png").unlink()
    shutil.copy(next(held_out_media.glob("*.png")), bare / "a.png")
    result = sea("verify", out, "--compare-with", bare)
    assert result.code == 0
    assert f'Write {bare / "metadata.jsonl"}, one line per medium: {{"file_name"' in result.err
    assert "probe" not in result.out
    assert "'analysis.layer'" in expect_error("verify", out, "--compare-with", bare, "-o", "analysis.layre=1")

    edit_manifest(out / "run.json", lambda run: run["identity"]["model"].update(fingerprint="another"))
    assert "was made with another model" in expect_error("verify", out, "--compare-with", held_out_media)
    assert len(EmbeddingRun(out).store.ids()) == 6
