"""The study file: what is not known is an error on its line; `--quick` changes what its section says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_bench.study.arms import ARMS, StudyArm, known_arms
from sea_bench.study.file import read_study
from sea_bench.study.study import Study
from sea_core.errors import SeaError

TEXT = """\
folder: study
data: train.jsonl
models:
  first: {plugin: llava, validation: cases, media: {real: real.jsonl}}
  second: {plugin: qwen2_audio, validation: spoken, media: {real: spoken.jsonl}}
arms:
  - unaligned
  - sea
  - name: oracle
    role: real
    media: [real]
    align: {text: 0.5}
seeds: [3, 4]
embedding_seeds: [7]
align: {steps: 20}
quick: {models: [second], arms: [oracle], seeds: [3], methods: [sft]}
"""


def read(tmp_path: Path, text: str = TEXT, *, quick: bool = False) -> Study:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return read_study(path, quick=quick)


def test_settings_of_an_arm_come_before_those_of_the_study(tmp_path: Path) -> None:
    study = read(tmp_path)
    assert [arm.name for arm in study.arms] == ["unaligned", "sea", "oracle"]
    oracle = study.arms[2]
    config = study.align_request(oracle, "sft", seed=4).config
    assert (config.steps, config.text, config.seed, config.held_out) == (20, 0.5, 4, 0)
    assert study.align_request(study.arms[1], "sft", 3).config.text != 0.5
    assert study.embedding_seed(3) == study.embedding_seed(4) == 7
    assert study.optimize_config(ARMS.get("draws"), 7).draws == 6


def test_an_unaligned_model_with_a_defence_is_not_what_others_are_compared_with(tmp_path: Path) -> None:
    guarded = "- {base: unaligned, name: guarded, defence: self-check}\n"
    assert [arm.role for arm in read(tmp_path, TEXT.replace("- sea\n", guarded)).arms][:2] == ["unaligned", "defence"]
    for wrong in (guarded.replace("name", "role: unaligned, name"), "- {base: sea, name: a, role: unaligned}\n"):
        with pytest.raises(SeaError, match="is no unaligned model as it is") as caught:
            read(tmp_path, TEXT.replace("- sea\n", wrong))
        assert caught.value.where == f"{tmp_path / 'study.yaml'}:8"


def test_settings_of_a_method_are_added_to_those_of_all_however_they_are_written(tmp_path: Path) -> None:
    both = "align: {trainer: {learning_rate: 0.001}}\nsft: {trainer: {weight_decay: 0.1}}\n"
    study = read(tmp_path, TEXT.replace("align: {steps: 20}\n", both))
    assert study.align_request(study.arms[1], "sft", 3).trainer == {"learning_rate": 0.001, "weight_decay": 0.1}


def test_an_arm_for_one_method_is_checked_for_that_one_alone(tmp_path: Path) -> None:
    arm = "- {base: read-first, name: rf, methods: [sft], align: {sft_weight: 0}}\n"
    study = read(tmp_path, TEXT.replace("- sea\n", arm))
    assert study.methods_of(study.arms[1]) == ("sft",)


def test_arm_with_a_base_differs_in_what_it_names(tmp_path: Path) -> None:
    study = read(
        tmp_path, TEXT.replace("- sea\n", "- {base: draws, name: four, optimize: {draws: 4}, methods: [sft]}\n")
    )
    arm, base = study.arms[1], ARMS.get("draws")
    assert (arm.name, arm.optimize, arm.methods) == ("four", {"draws": 4}, ["sft"])
    assert (arm.role, arm.recipe, arm.summary) == (base.role, base.recipe, "")  # it is not the arm that its base is
    with pytest.raises(SeaError, match="no arm 'drawz'") as caught:
        read(tmp_path, TEXT.replace("- sea\n", "- {base: drawz}\n"))
    assert caught.value.where == f"{tmp_path / 'study.yaml'}:8"


def test_text_arm_trains_on_text_alone(tmp_path: Path) -> None:
    config = read(tmp_path).align_request(ARMS.get("text"), "sft", 0).config
    assert (config.synthetic, config.real, config.retention) == (0, 0, 0)
    assert config.text > 0


@pytest.mark.parametrize("section", ["align", "sft"])
def test_settings_of_the_study_do_not_change_what_an_arm_trains_on(tmp_path: Path, section: str) -> None:
    wide = f"{section}: {{synthetic: 1.0, retention: 1.0, text: 3.0}}"
    arms = "- {name: half, role: text, recipe: plain, data: text, align: {real: 0.5}}\n  - text\n"
    text = TEXT.replace("- sea\n", arms).replace("align: {steps: 20}", wide)
    study = read(tmp_path, text)
    half, plain = (
        study.align_request(study.arms[1], "sft", 0).config,
        study.align_request(study.arms[2], "sft", 0).config,
    )
    assert (plain.synthetic, plain.retention, plain.text, plain.real) == (0, 0, 3.0, 0)
    assert (half.synthetic, half.retention, half.text, half.real) == (0, 0, 3.0, 0.5)


def test_mixture_comes_before_all_other_settings(tmp_path: Path) -> None:
    arm = "- {base: sea, align: {mixture: paper, text: 0.5}}\n"
    study = read(tmp_path, TEXT.replace("- sea\n", arm).replace("align: {steps: 20}", "align: {epochs: 7.0}"))
    config = study.align_request(study.arms[1], "sft", 0).config
    assert (config.prompts, config.epochs, config.text, config.held_out) == ("prefixed", 7.0, 0.5, 0)


@pytest.mark.parametrize(
    "align", ["{trainer.learning_rate: 1e-3, lora.r: 4}", "{trainer: {learning_rate: 1e-3}, lora: {r: 4}}"]
)
def test_settings_of_the_trainer_and_of_lora_are_passed_on(tmp_path: Path, align: str) -> None:
    arm = "- {base: sea, align: {lora.r: 2}}\n"
    text = TEXT.replace("align: {steps: 20}", f"align: {align}") + "dpo: {trainer.beta: 0.2}\n"
    study = read(tmp_path, text.replace("- sea\n", arm))
    sea, oracle = study.arms[1:]
    request = study.align_request(sea, "dpo", 0)
    assert (request.lora, float(request.trainer["learning_rate"]), request.trainer["beta"]) == ({"r": 2}, 1e-3, 0.2)
    assert study.align_request(oracle, "sft", 0).lora == {"r": 4}
    assert "beta" not in study.align_request(oracle, "sft", 0).trainer


SPLIT = TEXT.replace("embedding_seeds: [7]\n", "")
for name in ("train.jsonl", "cases", "spoken", "real.jsonl"):
    SPLIT = SPLIT.replace(f" {name}", f" 'split-{{seed}}/{name}'")
SPLIT = SPLIT.replace("'.jsonl", ".jsonl'")


def test_each_seed_has_its_data(tmp_path: Path) -> None:
    study = read(tmp_path, SPLIT)
    assert study.has_splits
    assert study.data(4) == tmp_path / "split-4/train.jsonl"
    assert study.path(study.file.models["first"].media["real"], 3) == tmp_path / "split-3/real.jsonl"
    assert not read(tmp_path).has_splits


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("data: 'split-{seed}/", "data: '", 2, "models.first.media.real has {seed}, and data has not"),
        ("split-{seed}/spoken.jsonl", "spoken.jsonl", 5, "data has {seed}, and models.second.media.real has not"),
        ("validation: 'split-{seed}/cases", "validation: 'cases", 4, "and models.first.validation has not"),
        ("align: {steps", "embedding_seeds: [0]\nalign: {steps", 14, "embedding_seeds cannot be used"),
    ],
)
def test_seed_is_in_all_paths_or_in_none(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    assert old in SPLIT
    with pytest.raises(SeaError) as caught:
        read(tmp_path, SPLIT.replace(old, new))
    assert problem in caught.value.what
    assert caught.value.where == f"{tmp_path / 'study.yaml'}:{line}"


def test_settings_of_a_method_come_between_those_of_the_study_and_of_an_arm(tmp_path: Path) -> None:
    study = read(tmp_path, TEXT + "dpo: {steps: 9, text: 0.25}\n")
    oracle, sea = study.arms[2], study.arms[1]
    steps = [(study.align_request(sea, "sft", 0).config.steps, study.align_request(sea, "dpo", 0).config.steps)]
    assert steps == [(20, 9)]
    assert (study.align_request(sea, "dpo", 0).config.text, study.align_request(oracle, "dpo", 0).config.text) == (
        0.25,
        0.5,
    )


def test_quick_study_has_a_folder_of_its_own(tmp_path: Path) -> None:
    study = read(tmp_path, quick=True)
    assert study.folder == tmp_path / "study-quick"
    assert list(study.file.models) == ["second"]
    assert [(arm.name, arm.align) for arm in study.arms] == [("oracle", {"text": 0.5})]
    assert (study.file.seeds, study.file.methods) == ((3,), ("sft",))


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "hint"),
    [
        ("data: train", "dta: train", None, "the key data is missing", ""),
        ("seeds: [3, 4]", "sedes: [3, 4]", 13, "there is no key 'sedes'", "'seeds'"),
        ("align: {text: 0.5}", "algin: {text: 0.5}", 12, "there is no key 'algin'", "'align'"),
        ("{plugin: llava, ", "{plugin: llava, modalty: image, ", 4, "there is no key 'modalty'", "'modality'"),
        ("- sea\n", "- see\n", 8, "there is no arm 'see'", "'sea'"),
        ("- sea\n", "- unaligned\n", 8, "there cannot be an arm 'unaligned'", "a name of its own"),
        ("media: [real]", "media: [drawn]", 4, "needs the media 'drawn'", "media: {drawn: FILE.jsonl}"),
        ("seeds: [3, 4]", "seeds: []", 13, "seeds", ""),
        ("seeds: [3, 4]", "seeds: [3, 4, 3]", 13, "3 occurs twice", ""),
        ("seeds: [3, 4]", "methods: [sft, sft]", 13, "sft occurs twice", ""),
        ("media: [real]", "media: [real]\n    methods: [dpo, dpo]", 12, "dpo occurs twice", ""),
        ("media: [real]", "media: [real]\n    methods: [stf]", 12, "methods.0: expected", ""),
        ("align: {steps: 20}", "align: {seed: 7}", 15, "a study has `seeds`", "seeds: [0, 1, 2]"),
        ("align: {steps: 20}", "align: {stesp: 20}", None, "there is no setting 'stesp'", "'steps'"),
        ("align: {steps: 20}", "align: {trainer.seed: 7}", 15, "a study has `seeds`", "seeds: [0, 1, 2]"),
        ("align: {steps: 20}", "sft: {trainer: {data_seed: 7}}", 15, "a study has `seeds`", "seeds: [0, 1, 2]"),
        ("align: {steps: 20}", "align: {trainer.learning_rat: 1.0}", None, "'trainer.learning_rat'", "learning_rate"),
        ("align: {steps: 20}", "align: {lora: {rr: 1}}", None, "there is no setting 'lora.rr'", "lora.r"),
        ("align: {steps: 20}", "align: {llm.model: x}", None, "there is no setting 'llm.model'", ""),
        ("align: {steps: 20}", "align: {mixture: papper}", None, "there is no mixture 'papper'", "'paper'"),
        ("align: {steps: 20}", "align: {steps: 0}", None, "steps is 0", ""),
        ("align: {steps: 20}", "dpo: {steps: 0}", None, "steps is 0", ""),
        ("align: {steps: 20}", "answers: {workers: 0}", None, "would go on without its results", "{workers: auto}"),
        ("align: {steps: 20}", "optimize: {workers: 0}", None, "would go on without its results", "{workers: auto}"),
        ("align: {steps: 20}", "sft: {seed: 1}", 15, "a study has `seeds`", ""),
        ("seeds: [3, 4]", "judge: refusl", 13, "there is no judge 'refusl'", "'refusal'"),
        ("seeds: [3, 4]", "claims: {sea: see}", 13, "there is no arm 'see'", "'sea'"),
        ("- sea\n", "- {base: sea, recipe: plan}\n", 8, "there is no recipe 'plan'", "'plain'"),
        ("text: 0.5", "seed: 1", 12, "a study has `seeds`", ""),
        ("models: [second]", "models: [third]", None, "a model that the study does not have", "first, second"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, line: int | None, problem: str, hint: str
) -> None:
    assert old in TEXT
    with pytest.raises(SeaError) as caught:
        read(tmp_path, TEXT.replace(old, new), quick="quick" in problem or "third" in new)
    assert problem in caught.value.what
    assert hint in caught.value.hint
    path = tmp_path / "study.yaml"
    assert caught.value.where == (f"{path}:{line}" if line else str(path))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("models: [second]", "models: [[a]]", None),
        ("arms: [oracle]", "arms: []", 16),
        ("arms: [oracle]", "arms: [orakel]", 16),
        ("name: oracle", "name: [oracle]", 9),
        ("seeds: [3], methods", "seeds: [-3], methods", 16),
    ],
)
def test_what_is_wrong_with_a_quick_study_is_said(tmp_path: Path, old: str, new: str, line: int | None) -> None:
    assert old in TEXT
    with pytest.raises(SeaError) as caught:
        read(tmp_path, TEXT.replace(old, new), quick=True)
    assert caught.value.where == f"{tmp_path / 'study.yaml'}" + (f":{line}" if line else "")


def test_arms_of_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SeaError, match="arms"):
        read(tmp_path, TEXT[: TEXT.index("  - unaligned")] + "seeds: [3]\nquick: {seeds: [3]}\n", quick=True)


def test_arm_that_no_method_of_the_study_is_for_is_refused(tmp_path: Path) -> None:
    text = TEXT.replace("- sea\n", "- {base: sea, methods: [dpo]}\n").replace("seeds: [3, 4]", "methods: [sft]")
    with pytest.raises(SeaError, match="the arm sea is for dpo only") as caught:
        read(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'study.yaml'}:8"


def test_arms_of_plugins_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = StudyArm("mine", "sea", "plain", align={"steps": 1})
    monkeypatch.setattr("sea_core.plugin.loader.offers", lambda kind, built_in: (mine,))
    assert known_arms().get("mine") is mine
    assert known_arms().names()[0] == "unaligned"
