"""The second view: distances that are exact on real media themselves, and a probe that can fail."""

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
from sea_core.errors import DataError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.media_folder import encode_files
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog
from sea_core.verification.analysis.comparison import MediaComparison
from sea_core.verification.analysis.config import AnalysisConfig
from sea_core.verification.analysis.labels import LIST, make_label, read_labelled_media
from sea_toy.llava.tiny import TinyLlavaStudent

VERBS = ("clean", "wrap", "carry", "polish")
SEEN, HELD_OUT = ("a lamp", "a book", "a bike"), ("a cake", "a chair")
STYLES = 2


def render(folder: Path, objects: Sequence[str]) -> Path:
    """Draw each verb with each object, and list what is shown."""
    folder.mkdir()
    rng, lines = random.Random(7), []
    for verb in VERBS:
        for style in TinyLlavaStudent.adapter.styles[:STYLES]:
            for thing in objects:
                name = f"{verb}-{thing}-{style}.png".replace(" ", "-")
                TinyLlavaStudent().render(f"{verb} {thing}", style, rng).save(folder / name)
                lines.append({"file_name": name, "phrase": f"{verb} {thing}"})
    write(folder, lines)
    return folder


def write(folder: Path, lines: Sequence[dict[str, Any]]) -> None:
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def listed(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("media") / "seen", SEEN)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("media") / "held-out", HELD_OUT)


@pytest.fixture(scope="module")
def made(seeing: MLLM, seen: Path) -> dict[str, Embedding]:
    """What the encoder gives for the seen media, to stand for the embeddings of a run."""
    media = read_labelled_media(seen).media
    embeddings = encode_files(seeing, [medium.path for medium in media])
    return {medium.name: embedding for medium, embedding in zip(media, embeddings, strict=True)}


def view_of(made: dict[str, Embedding], folder: Path, kept: Path, **changed: Any) -> MediaComparison:
    records = [
        {"id": name, "sha256": name, "status": "succeeded", "kind": "activity", "phrase": name, **one}
        for name, one in zip(made, changed.pop("records", [{}] * len(made)), strict=True)
    ]
    return MediaComparison(
        records, made.__getitem__, read_labelled_media(folder), JsonlLog(kept / "quality.jsonl"), **changed
    )


def look(view: MediaComparison, mllm: MLLM) -> dict[str, Any]:
    left = view.remaining()
    assert sum(view.compute(mllm)) == left
    assert view.remaining() == 0
    return view.metrics()


# --- distances --------------------------------------------------------------------------------------------------------


def test_real_media_lie_at_no_distance_from_themselves(
    seeing: MLLM, made: dict[str, Embedding], seen: Path, tmp_path: Path
) -> None:
    view = view_of(made, seen, tmp_path)
    figures = look(view, seeing)["distances"]["all"]
    assert figures["embeddings"] == len(made) == len(VERBS) * len(SEEN) * STYLES
    rows = list(view.distance_rows().values())
    for row in rows:
        assert row["cosine_nearest"] == pytest.approx(1, abs=1e-12)
        assert row["centred_cosine"] == pytest.approx(1, abs=1e-12)
        assert row["id"] == row["nearest"]
    assert sum(row["norm_ratio"] for row in rows) / len(rows) == pytest.approx(1, abs=1e-12)
    assert figures["centred_cosine"]["p10"] == pytest.approx(1, abs=1e-12)


def test_distances_by_hand_and_other_row_counts(seeing: MLLM, seen: Path, tmp_path: Path) -> None:
    two = tmp_path / "two"
    two.mkdir()
    names = sorted(path.name for path in seen.glob("*.png"))[:2]
    for name in names:
        shutil.copy(seen / name, two / name)
    first, second = (e.features.double() for e in encode_files(seeing, [two / name for name in names]))
    twice = Embedding(2 * torch.cat([first, first]).float())
    nothing = Embedding(torch.zeros(3, first.shape[1]))
    view = view_of({"polish twice": twice, "polish nothing": nothing}, two, tmp_path)
    look(view, seeing)
    row, empty = view.distance_rows().values()
    middle = (first.mean(0) + second.mean(0)) / 2
    norms = [rows.norm(dim=1).mean() for rows in (first, second)]
    cosine = torch.nn.functional.cosine_similarity
    assert row["nearest"] == names[0]
    assert row["norm_ratio"] == pytest.approx(float(2 * norms[0] / (sum(norms) / 2)), rel=1e-6)
    assert row["cosine_nearest"] == pytest.approx(1)
    assert row["cosine_mean"] == pytest.approx(float(cosine(first.mean(0), middle, dim=0)), rel=1e-6)
    centred = [cosine(2 * first.mean(0) - middle, rows.mean(0) - middle, dim=0) for rows in (first, second)]
    assert row["centred_cosine"] == pytest.approx(float(max(centred)), rel=1e-6)
    assert (empty["norm_ratio"], empty["cosine_nearest"], empty["cosine_mean"]) == (0, None, None)


def test_what_is_not_defined_is_no_number(seeing: MLLM, made: dict[str, Embedding], seen: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    shutil.copy(next(iter(sorted(seen.glob("*.png")))), tmp_path / "one" / "one.png")
    view = view_of(made, tmp_path / "one", tmp_path)
    figures = look(view, seeing)
    assert figures["distances"]["all"]["centred_cosine"] is None
    cosines = [row["cosine_nearest"] for row in view.distance_rows().values()]
    assert max(cosines) == pytest.approx(1, abs=1e-12)
    assert cosines == [row["cosine_mean"] for row in view.distance_rows().values()]
    assert (figures["labelled"], figures["probes"]) == (0, {})


# --- the probe --------------------------------------------------------------------------------------------------------


def test_a_probe_fitted_on_real_embeddings_reads_other_real_media(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    view = view_of(made, held_out, tmp_path)
    probe = look(view, seeing)["probes"]["all"]
    count = len(VERBS) * len(HELD_OUT) * STYLES
    assert (probe["tested"], probe["labels"], probe["chance"], probe["classes"]) == (count, 4, 0.25, 4)
    assert probe["accuracy"] >= 0.8
    rows = view.probe_rows()
    assert probe["right"] == sum(row["predicted"] == row["label"] for row in rows)
    low, high = probe["interval"]
    assert low < probe["accuracy"] <= high


def test_a_probe_fitted_on_shuffled_labels_is_at_chance(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    shares = []
    for seed in range(4):
        phrases = [{"phrase": name, "sha256": f"{name}{seed}"} for name in made]
        told = [one["phrase"] for one in phrases]
        random.Random(seed).shuffle(told)
        records = [one | {"phrase": phrase} for one, phrase in zip(phrases, told, strict=True)]
        shares.append(look(view_of(made, held_out, tmp_path, records=records), seeing)["probes"]["all"]["accuracy"])
    assert 0.05 < sum(shares) / 4 < 0.45


def test_only_benign_media_count_where_harm_is_told(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "told"
    shutil.copytree(held_out, folder)
    lines = listed(folder)
    harmful = {0: {"harmful": True}, 1: {}}
    write(folder, [line | harmful.get(i, {"harmful": False}) for i, line in enumerate(lines)])
    view = view_of(made, folder, tmp_path)
    probe = look(view, seeing)["probes"]["all"]
    assert (probe["tested"], probe["not_benign"]) == (len(lines) - 2, 2)
    assert len(view.probe_rows()) == len(lines)


def test_labels_that_no_embedding_has_are_told_and_not_tested(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(held_out, folder)
    lines = listed(folder)
    write(folder, [{"file_name": lines[0]["file_name"], "label": " Juggle "}, *lines[1:]])
    view = view_of(made, folder, tmp_path)
    probe = look(view, seeing)["probes"]["all"]
    assert (probe["tested"], probe["unknown"]) == (len(lines) - 1, ["juggle"])
    assert [row["predicted"] for row in view.probe_rows() if row["label"] == "juggle"] == [None]


def test_recipes_are_looked_at_together_and_one_by_one(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    recipes = [{"recipe": ("plain", "noise")[i % 2]} for i in range(len(made))]
    figures = look(view_of(made, held_out, tmp_path, records=recipes), seeing)
    assert list(figures["distances"]) == list(figures["probes"]) == ["all", "plain", "noise"]
    assert [of["embeddings"] for of in figures["probes"].values()] == [len(made), len(made) // 2, len(made) // 2]


def test_what_is_stored_is_not_looked_at_again(
    seeing: MLLM, made: dict[str, Embedding], held_out: Path, seen: Path, tmp_path: Path
) -> None:
    view = view_of(made, held_out, tmp_path)
    figures = look(view, seeing)
    before = view.journal.path.read_bytes()
    assert look(view, seeing) == figures
    assert view.journal.path.read_bytes() == before

    lines = before.splitlines(keepends=True)
    view.journal.path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])  # a kill in the last write
    assert view.metrics()["probes"] == {}
    assert look(view, seeing) == figures

    first = dict(list(made.items())[:-1])
    assert view_of(first, held_out, tmp_path).remaining() > 0  # the run has other embeddings: another probe
    relabelled = view_of(made, held_out, tmp_path, records=[{"phrase": "juggle"}, *[{}] * (len(made) - 1)])
    assert relabelled.metrics()["probes"] == {}
    deeper = view_of(made, held_out, tmp_path, config=AnalysisConfig(layer=1))
    assert deeper.metrics()["distances"] == figures["distances"]
    assert deeper.metrics()["probes"] == {}
    other = view_of(made, seen, tmp_path)
    assert other.metrics()["distances"]["all"]["embeddings"] == 0
    assert look(other, seeing)["digest"] != figures["digest"]
    assert view.metrics() == figures


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
def test_labels_of_phrases(phrase: str, kind: str, label: str) -> None:
    assert make_label(phrase, kind) == label


def test_a_phrase_is_read_as_a_product_where_the_run_has_it_as_one(
    made: dict[str, Embedding], held_out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "products"
    shutil.copytree(held_out, folder)
    name, other = (line["file_name"] for line in listed(folder)[:2])
    first = {"file_name": name, "phrase": "A wool  scarf", "label": " "}
    write(folder, [first, {"file_name": f"./{other}", "phrase": "wrap a hat"}])
    records = [{"phrase": "a wool scarf", "kind": "product"}, *[{}] * (len(made) - 1)]
    labels = view_of(made, folder, tmp_path, records=records).labels
    assert labels == {name: "a wool scarf", other: "wrap"}


# --- what is wrong with a folder --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"file_name": "none.png", "label": "wrap"}', "names no medium of this folder: none.png"),
        ('{"label": "wrap"}', '"file_name" is missing'),
        ('{"file_name": "a.png", "label": 3}', '"label" holds 3'),
        ('{"file_name": "a.png", "harmful": "no"}', '"harmful" holds "no"'),
        ('{"file_name": "a.png"}\n{"file_name": "./a.png"}', "a.png is listed twice"),
        ("[1]", "is not a JSON object"),
        ('{"file_name": ', "not JSON"),
    ],
)
def test_a_bad_line_is_told_with_its_place(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "metadata.jsonl").write_text("\n" + line + "\n")
    with pytest.raises(DataError, match=LIST) as caught:
        read_labelled_media(tmp_path)
    assert told in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("layer", -1), ("l2", 0.0)])
def test_settings_without_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(SeaError, match=f"quality.{name}"):
        AnalysisConfig(**{name: value})


# --- as a person types it ---------------------------------------------------------------------------------------------


def test_the_command(seeing: MLLM, held_out: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    quick = ("-o", "loss=0.5", "-o", "margin=0", "-o", "steps=60", "--no-verify")
    assert (
        sea("optimize", "--plugin", "llava", "--limit", "3", "--out", out, *quick, "--recipe", "plain,noise").code == 0
    )
    plain = sea("verify", out, "--json").json()
    assert "quality" not in plain
    figures = sea("verify", out, "--compare-with", held_out, "--json").json()
    assert {name: figures[name] for name in plain} == plain
    quality = figures["quality"]
    assert quality["distances"]["noise"]["embeddings"] == 3
    probe = quality["probes"]["all"]
    assert (probe["tested"], probe["classes"], probe["embeddings"]) == (len(HELD_OUT) * STYLES, 2, 6)
    assert probe["unknown"] == ["carry", "polish", "wrap"]
    kept = (out / "quality.jsonl").read_bytes()
    table = sea("verify", out, "--compare-with", held_out)
    assert "medians, noise" in table.out
    assert "probe, plain" in table.out
    assert "not tested on labels that no embedding has: carry, polish, wrap" in table.err
    assert (out / "quality.jsonl").read_bytes() == kept

    bare = tmp_path / "bare"
    bare.mkdir()
    assert "there are no media in this folder" in expect_error("verify", out, "--compare-with", bare)
    (bare / "broken.png").write_bytes(b"no picture")
    assert "broken.png" in expect_error("verify", out, "--compare-with", bare)
    (bare / "broken.png").unlink()
    shutil.copy(next(held_out.glob("*.png")), bare / "a.png")
    said = sea("verify", out, "--compare-with", bare)
    assert said.code == 0
    assert f'Write {bare / "metadata.jsonl"}, a line for each medium: {{"file_name"' in said.err
    assert "probe" not in said.out
    assert "'quality.layer'" in expect_error("verify", out, "--compare-with", bare, "-o", "quality.layre=1")

    about = json.loads((out / "run.json").read_text())
    about["identity"]["model"] = "another"
    (out / "run.json").write_text(json.dumps(about))
    assert "was made with another model" in expect_error("verify", out, "--compare-with", held_out)
    assert len(EmbeddingRun(out).store.ids()) == 6
