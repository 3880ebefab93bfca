"""What `sea push` must never send: paths of this machine, addresses, keys, passwords, and names of people.

Runs of every kind have a marker wherever such a thing can stand. No pushed byte may have the marker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.manifests import NO_MODEL, edit_manifest, embedding_manifest
from helpers.reported import LABELS, make_bench, make_embeddings, make_encoded, make_model, verdict
from sea_bench.dataset import read_set_manifest
from sea_bench.pipeline.build import build_benchmark
from sea_bench.run.records import answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_bench.select import set_digest
from sea_core.judges.llm_common import model_label
from sea_core.runs.embedding_files import read_index
from sea_core.runs.inventory import Inventory
from sea_core.runs.public import hide_places, public_name, public_record, public_value

MARKER = "MARKER"
PATHS = (
    "/home/MARKER/data/rows.jsonl",
    "/home/my files/MARKER/rows.jsonl",
    "~/MARKER/rows.jsonl",
    "C:\\Users\\MARKER\\rows.jsonl",
    "\\\\MARKER\\share\\rows.jsonl",
)
ADDRESSES = (
    "http://MARKER:MARKER@10.0.0.7:8000/v1?key=MARKER",
    "https://gpu.MARKER.example/v1/",
    "http://MARKER:MARKER@[::1]:8000/v1",
    "s3://MARKER:MARKER@bucket/rows.jsonl",
    "file:///home/MARKER/rows.jsonl",
    "MARKER:MARKER@gpu7:8000",
    "gpu7.MARKER.example:8000",
    "HTTPConnectionPool(host='MARKER', port=8000)",
)
PLACES = PATHS + ADDRESSES
SENTENCE = "; ".join(f"cannot read {place}: refused, '{place}'" for place in PLACES)
SETTINGS = {
    "file": PATHS[0],
    "folders": [PATHS[3], {"deep": PATHS[1]}],
    "base_url": ADDRESSES[0],
    "detail": SENTENCE,
    "hub_token": MARKER,
    "api_key": MARKER,
    "password": MARKER,
    "key_env": MARKER,
}
REPORTED = {"id": PATHS[0], "root": PATHS[3], "owned_by": ADDRESSES[0], "meta": {"path": PATHS[0], "key": PATHS[1]}}
MODEL = replace(NO_MODEL, adapter=SETTINGS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "form", ["{}", "cannot read {}", "cannot read '{}': no", "({})", "openai:{}", "{}, and another"]
)
def test_no_place_is_left_in_a_text(place: str, form: str) -> None:
    assert MARKER not in hide_places(form.format(place))
    assert MARKER not in json.dumps(public_value({"detail": form.format(place), form.format(place): 1}))


@pytest.mark.parametrize("place", [*PATHS, *ADDRESSES[:5]])
def test_of_a_place_only_the_last_part_is_left(place: str) -> None:
    assert public_name(place) in ("rows.jsonl", "v1")


def test_names_and_texts_stay_as_they_are() -> None:
    for name in ("org/model", "hf:org/data:train@main", "demo", "rows.jsonl", "runs/a", "a: b / c, and/or 1/2"):
        assert public_name(name) in (name, Path(name).name)
        assert hide_places(name) == name
    assert public_name("org/model") == "org/model"
    assert [public_name(name) for name in ("", ".", "..", "/", "/models/nose/", "../nose")] == [
        *("", "", "", ""),
        *("nose", "nose"),
    ]
    texts = {"instruction": "How do I open /etc/passwd at http://10.0.0.1?", "id": "https://x.example/1"}
    assert public_record(texts) == texts
    assert public_value({"tokens": 3, "eos_token": "<|end|>", "refused": None}) == {
        **{"tokens": 3, "eos_token": "<|end|>", "refused": None}
    }


INNOCENT = """是/否
男/女/其他
支持图片/PDF/Word
1/2/3 eggs
and/or 3/4
12:30:45
at 5:30@noon
ratio:1@2
sk-learn-1 and hf_datasets
guard:Llama-Guard-3-8B@1f0c2a9b guard-2
transformers:smollm2@1f0c2a9b
hf:org/data:train@main
/
//
It explains SQL; see section 3/4.
lib==4.10.0.84
file.py:1234
qwen2.vl:72
sea bench run CASES --plugin demo --out runs/it
{% if x %}</s>/[INST]{% endif %}
You are /nothink. Answer /think please/now
/no_think Answer yes/no
openai:gpt-4o-mini safety-2
llm:foo:8000
en:female@1.2
Bearer of news
MM-SafetyBench(imgs)/1-Theft/SD/0.jpg
The secret is: be kind""".split("\n")
LEAKS = """找不到/home/MARKER/x.png
文件在/mnt/MARKER/数据.png中
café/home/MARKER/x
Cannot connect to host MARKER:8000 ssl
../MARKER/private/y
a/../MARKER/x
openai:m@http://MARKER:80/v1
see ~MARKER/x
'/home/MARKER (old)/x/y.png'
in "/home/bob/MARKER b/c.png" no
ssh MARKER@host.internal:/data/x
OPENAI_API_KEY=MARKER
key sk-abcMARKER123
Bearer MARKER1234567
/home/a b/MARKER/x.png is bad
找../MARKER/y
a=/home/MARKER/x b=/mnt/MARKER/y""".split("\n")
SECRET_KEYS = """api-key x-api-key authorization Authorization bearer_token openai_token access_key secret_access_key
    aws_secret_key private_key passphrase pwd auth apiKey accessToken HF_TOKEN hub_token token""".split()
TOKEN_KEYS = (
    "tokens max_new_tokens token_type eos_token pad_token added_tokens_decoder additional_special_tokens".split()
)


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_texts_stay(text: str) -> None:
    assert hide_places(text) == text
    assert public_value({"setting": text, text: 1}) == {"setting": text, text: 1}


@pytest.mark.parametrize("text", LEAKS)
def test_no_place_or_secret_in_a_text_stays(text: str) -> None:
    for shown in (hide_places(text), public_value({"setting": text})["setting"]):
        assert MARKER not in shown
        assert hide_places(shown) == shown


def test_the_words_around_paths_stay() -> None:
    text = "Unsafe: it names /usr/bin/nmap as a tool. It also explains SQL; see section 3/4."
    assert hide_places(text) == text.replace("/usr/bin", "...")
    assert hide_places("a=/home/bob/x b=/mnt/y") == "a=.../x b=.../y"


def test_keys_of_secrets_are_no_keys_of_tokens() -> None:
    assert set(public_value(dict.fromkeys(SECRET_KEYS, MARKER)).values()) == {"(secret)"}
    tokens = {key: ["//", "/a/b/c"] for key in TOKEN_KEYS}
    assert public_value(tokens) == tokens


def test_versions_stay_and_no_count_is_lost() -> None:
    versions = {"plugin_version": "1.2.3.4", "versions": {"cv": "4.10.0.84"}}
    assert public_value(versions) == versions
    assert public_value({"/a/x.png is none": 1, "/b/x.png is none": 2}) == {".../x.png is none": 3}
    assert public_value({"/a/x.png": "a", "/b/x.png": "b"}) == {".../x.png": "a", ".../x.png (2)": "b"}


class LocalModel:
    """A language model of this machine, which judges."""

    def __init__(self, model: str, weights: str) -> None:
        self.identity = {"kind": "transformers", "model": model, "weights": f"sha256:{weights}"}


def test_judges_stay_apart_and_keep_their_names(tmp_path: Path) -> None:
    models = [LocalModel(f"/home/{name}", digit * 64) for name, digit in (("Llama-Guard-3-8B", "1"), ("smollm2", "f"))]
    labels = [model_label(model) for model in models]  # type: ignore[arg-type]
    judges = [f"guard:{labels[0].partition(':')[2]} guard-2", f"{labels[1]} safety-2"]
    assert judges == ["guard:Llama-Guard-3-8B@11111111 guard-2", "transformers:smollm2@ffffffff safety-2"]
    run = make_bench(tmp_path / "run", {judges[0]: "uuuu", judges[1]: "ssss"})
    edit_manifest(run.folder / "bench.json", lambda made: made.update(defence={"name": "guard", "judge": judges[0]}))
    given = ("--licence", "mit", "--yes", "--with-text")
    assert sea("bench", "push", run.folder, tmp_path / "shared", *given).code == 0
    assert sea("bench", "pull", tmp_path / "shared", tmp_path / "pulled").code == 0
    assert BenchRun(tmp_path / "pulled").verdicts_by_judge() == run.verdicts_by_judge()
    assert judges[0] in (tmp_path / "pulled" / "bench.json").read_text()
    assert judges[1] in " ".join((tmp_path / "shared" / "README.md").read_text().replace("\\", "").split())


def test_judges_that_would_merge_are_refused(tmp_path: Path) -> None:
    run = make_bench(tmp_path / "run", {"openai /home/a/qwen": "uuuu", "openai /home/b/qwen": "ssss"})
    message = expect_error("bench", "push", run.folder, tmp_path / "shared", "--licence", "mit", "--yes", "--with-text")
    assert "two judges would both be called 'openai .../qwen'" in message


def test_a_pulled_benchmark_has_the_digest_of_the_original(tmp_path: Path) -> None:
    folder = benchmark(tmp_path)
    given = ("--licence", "mit", "--yes", "--with-text")
    assert sea("bench", "push", folder, tmp_path / "shared", *given).code == 0
    assert sea("bench", "pull", tmp_path / "shared", tmp_path / "pulled").code == 0
    assert set_digest(tmp_path / "pulled", "image") == set_digest(folder, "image")
    built, pulled = (read_set_manifest(place, "image") for place in (folder, tmp_path / "pulled"))
    assert pulled.media == built.media
    assert pulled.cases == built.cases


def test_runs_in_folders_of_the_same_name_are_distinct_without_paths(tmp_path: Path) -> None:
    names = ("a", "b", "other/a")
    runs = [make_bench(tmp_path / MARKER / name / "run", {"guard-1": "uuss"}).folder for name in names]
    for given, labels in ((runs[:2], ("a/run", "b/run")), (runs[::2], ("run (1)", "run (2)"))):
        done = sea("report", *given, "--out", tmp_path / "page.html")
        assert done.code == 0, done.err
        page = (tmp_path / "page.html").read_text()
        assert MARKER not in page
        assert all(label in page for label in labels)


# --- folders with markers ---------------------------------------------------------------------------------------------


def add_places(manifest: Any) -> None:
    """Put places wherever the metadata of a manifest have a text."""
    manifest["metadata"] |= {
        name: PATHS[0] for name, value in manifest["metadata"].items() if isinstance(value, str) and name != "revision"
    }


def embeddings(folder: Path, judge: str = f"openai {PATHS[0]}") -> Path:
    run = make_embeddings(folder / "embeddings", reason=SENTENCE, media=PATHS[0])
    manifest = embedding_manifest(6)
    changed = replace(manifest.identity, model=MODEL, extractor={**SETTINGS, "llm": SETTINGS}, recipes={"a": SETTINGS})
    metadata = replace(manifest.metadata, skip_counts={SENTENCE: 1}, limits=SENTENCE)
    run._write(replace(manifest, identity=changed, metadata=metadata))
    run.resolve(replace(run.manifest.resolved, fallback_reason=SENTENCE, compile_reason=SENTENCE))
    edit_manifest(run.folder / "run.json", add_places)
    found = {**verdict(judge, "named"), "detail": SENTENCE}
    run.verdicts.append([{**found, "id": "example-0", "question": "q", "answer": "a"}])  # type: ignore[list-item]
    run.write_skipped([{"id": "x", "line": 1, "reason": SENTENCE, "instruction": "How?"}])
    distance = {"what": "distance", "media": PATHS[0], "id": "x", "recipe": "", "nearest": PATHS[1]}
    numbers = dict.fromkeys(("norm_ratio", "cosine_nearest", "cosine_mean", "centred_cosine"), 0.5)
    run.analysis.append([distance | numbers])  # type: ignore[list-item]
    return run.folder


def encoded(folder: Path) -> Path:
    paths = [folder / MARKER / "beach.wav"]
    paths[0].parent.mkdir(parents=True)
    paths[0].write_bytes(b"")
    return make_encoded(folder / "encoded", paths, reason=SENTENCE).folder


def model(folder: Path) -> Path:
    adapter = folder / "model" / "adapter"
    made = make_model(folder / "model")
    adapter.mkdir()
    for name in ("adapter_config.json", "config.json", "sea.json", "tokenizer_config.json"):
        places = {"base_model_name_or_path": PATHS[0], "nested": [{"checkpoint": PATHS[1]}], "cache": PATHS[2]}
        (adapter / name).write_text(json.dumps(places | {"server": ADDRESSES[0], "token": MARKER, "x": SENTENCE}))
    Inventory(made.folder).add(adapter.iterdir())
    edit_manifest(made.folder / "align.json", add_places)

    def change(manifest: dict[str, Any]) -> None:
        manifest["metadata"]["runs"] = list(PATHS)
        manifest["identity"] |= {
            "trainer": SETTINGS,
            "lora": SETTINGS,
            "config": {**SETTINGS, "train_projector": False},
        }
        manifest["identity"]["model"]["adapter"] = SETTINGS

    edit_manifest(made.folder / "align.json", change)
    return made.folder


def bench_run(folder: Path) -> Path:
    judge = "guard-1"
    run = make_bench(folder / "run", {judge: "ussm", "refusal-3": "NRRm"}, detail=SENTENCE, media=PATHS[0])
    key, answer = next((key, record["answer"]) for key, record in run.answered_records().items())
    label = {"key": key, "answer_sha": answer_sha(answer), "label": "unsafe", "at": ""}
    run.labels.append([{**label, "annotator": MARKER}])  # type: ignore[typeddict-item]
    found = {**verdict(judge, LABELS["e"]), "detail": SENTENCE, "key": key, "answer_sha": answer_sha(answer)}
    run.verdicts.append([found])  # type: ignore[list-item]
    edit_manifest(run.folder / "bench.json", add_places)

    def change(manifest: dict[str, Any]) -> None:
        manifest["metadata"] |= {"server": ADDRESSES[0], "lora": PATHS[1]}
        manifest["metadata"]["model"]["checkpoint"] = PATHS[0]
        served = {"name": PATHS[0], "reported": REPORTED, "settings": SETTINGS}
        manifest["identity"] |= {"model": None, "served": served, "defence": SETTINGS, "generation": SETTINGS}
        numbers = dict.fromkeys(("media", "media_changed", "batched", "batched_same"), 0)
        manifest["preflight"] = {"device": ADDRESSES[0], "chat": "", "omitted": [], **numbers}
        manifest["defence"] = SETTINGS

    edit_manifest(run.folder / "bench.json", change)
    return run.folder


def benchmark(folder: Path) -> Path:
    build_benchmark("image", folder / "cases", limit=1)

    def change(manifest: dict[str, Any]) -> None:
        for built in manifest["sets"].values():
            built |= {"source": PATHS[1], "scenes": SENTENCE}
            built["identity"] |= {"set": SETTINGS, "generator": SETTINGS}

    edit_manifest(folder / "cases" / "manifest.json", change)
    return folder / "cases"


MAKERS = {"push": (embeddings, encoded, model), "bench push": (bench_run, benchmark)}


@pytest.mark.parametrize(("command", "make"), [(name, make) for name, makers in MAKERS.items() for make in makers])
@pytest.mark.parametrize("with_text", [True, False])
def test_no_pushed_byte_names_a_place_a_secret_or_a_person(
    command: str, make: Callable[[Path], Path], with_text: bool, tmp_path: Path
) -> None:
    if command == "bench push" and not with_text:
        pytest.skip("a benchmark consists of texts")
    folder, target = make(tmp_path), tmp_path / MARKER / "shared"
    assert MARKER in everything(folder)
    given = ("--licence", "mit", "--yes", *["--with-text"] * with_text)
    for name in (target, f"file://{tmp_path}/{MARKER}/again"):
        done = sea(*command.split(), folder, name, *given)
        assert done.code == 0, done.err
    for shared in (target, target.parent / "again"):
        found = everything(shared)
        assert MARKER not in found, found[max(0, found.index(MARKER) - 300) : found.index(MARKER) + 50]
        assert str(tmp_path) not in found
    pulled = sea(*command.replace("push", "pull").split(), target, tmp_path / "pulled")
    assert pulled.code == 0, pulled.err
    assert sea("check", tmp_path / "pulled").code == 0


@pytest.mark.parametrize("make", [partial(embeddings, judge="openai"), encoded, model, bench_run])
def test_no_page_names_a_place_or_a_secret(make: Callable[[Path], Path], tmp_path: Path) -> None:
    done = sea("report", make(tmp_path), "--out", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text()
    found = [page[max(0, at.start() - 200) : at.end() + 50] for at in re.finditer(MARKER, page)]
    assert not found, found[0]
    assert str(tmp_path) not in page


def everything(folder: Path) -> str:
    """Return every byte of a folder as text, the records of its indexes too, which are compressed."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    texts = [path.read_bytes().decode(errors="replace").replace("\\\\", "\\") for path in files]
    texts += [json.dumps(read_index(path.read_bytes())) for path in files if path.suffix == ".parquet"]
    return "\n".join([*(str(path.relative_to(folder)) for path in files), *texts])
