"""The contract holds for the bundled audio plugin, and each rule catches an adapter that is broken in just that way."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sea_core import MLLM, PluginError
from sea_core.plugin import loader
from sea_core.plugin.contract.check import RULES, RuleResult, check, check_rule
from sea_core.plugin.contract.noise import noise_like
from sea_core.plugin.contract.rule import AdapterUnderTest
from sea_core.plugin.testing import AdapterContract
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

SOUND = Qwen2AudioAdapter(seconds=2)
NAMED = {rule.name: rule for rule in RULES}
SIGNAL = (0.3 * np.sin(np.arange(16_000) / 7)).astype(np.float32)


@cache
def sound() -> tuple[Any, Any]:
    return SOUND.load(SOUND.checkpoint, dtype=torch.float32, device="cpu")


def subject(adapter: Any, mend: Callable[[Any], None] = lambda model: None) -> AdapterUnderTest:
    """Return an adapter with the bundled model, or with a copy of it that `mend` has spoilt."""

    def load() -> MLLM:
        model = copy.deepcopy(sound()[0])
        mend(model)
        return MLLM(adapter, model, sound()[1])

    return AdapterUnderTest(adapter, load, lambda: SIGNAL)


# --- adapters, each broken in one way --------------------------------------------------------------------------------


class Braces(Qwen2AudioAdapter):
    noun = "{audio}"


class NoProduct(Qwen2AudioAdapter):
    prefixes = {"activity": "In the audio,"}  # noqa: RUF012


class TwiceDeep(Qwen2AudioAdapter):
    styles = ("deep", "slow", "deep")


class AnotherProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> Any:
        return copy.deepcopy(super().projector(model))


class RandomBlank(Qwen2AudioAdapter):
    def blank_input(self, processor: Any) -> Any:
        return np.random.default_rng().standard_normal(16_000).astype(np.float32)


class ReadsAnything(Qwen2AudioAdapter):
    def read_media(self, path: Path, processor: Any) -> Any:
        return np.frombuffer(path.read_bytes(), np.uint8).astype(np.float32)


class OnePlaceTooMany(Qwen2AudioAdapter):
    def placeholders(self, n_rows: int) -> int:
        return n_rows + 1


class Louder(Qwen2AudioAdapter):
    def split(self, crossed: Any, inputs: Any) -> Any:
        return [1.1 * e for e in super().split(crossed, inputs)]


class Deaf(Qwen2AudioAdapter):
    def inputs(self, processor: Any, texts: Any, media: Any) -> Any:
        return super().inputs(processor, texts, [np.zeros_like(wave) for wave in media])


class LeavesHooks(Qwen2AudioAdapter):
    def projector(self, model: Any) -> Any:
        found = super().projector(model)
        found.register_forward_hook(lambda *_: None)
        return found


class FirstForAll(Qwen2AudioAdapter):
    def split(self, crossed: Any, inputs: Any) -> Any:
        found = super().split(crossed, inputs)
        return [found[0]] * len(found)


class LoadsHalf(Qwen2AudioAdapter):
    def load(self, checkpoint: str, **where: Any) -> Any:
        model, processor = super().load(checkpoint, **where)
        model.lm_head.weight.data.mul_(0.5)
        return model, processor


class Everything(Qwen2AudioAdapter):
    def language_model(self, model: Any) -> Any:
        return model.model


# --- models, each spoilt in one way ----------------------------------------------------------------------------------


class Around(nn.Module):
    """The projector, with something around it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


class Cutting(Around):
    def forward(self, rows: Any) -> Any:
        return self.inner(rows[..., : self.inner.linear.in_features])


class Graphless(Around):
    @torch.no_grad()
    def forward(self, rows: Any) -> Any:
        return self.inner(rows)


def around(kind: type[Around]) -> Callable[[Any], None]:
    def mend(model: Any) -> None:
        model.model.multi_modal_projector = kind(model.model.multi_modal_projector)

    return mend


def mute(model: Any) -> None:
    model.model.multi_modal_projector.linear.weight.data.zero_()


def always_encode(model: Any) -> None:
    class Eager(type(model.model)):  # type: ignore[misc]
        def forward(self, **given: Any) -> Any:
            if given.get("input_features") is None:
                self.audio_tower(torch.zeros(1, 80, 200))
            return super().forward(**given)

    model.model.__class__ = Eager


def whisper_in_generate(model: Any) -> None:
    class Picky(type(model)):  # type: ignore[misc]
        def generate(self, **given: Any) -> Any:
            given["generation_config"].suppress_tokens = list(range(6, 400))
            return super().generate(**given)

    model.__class__ = Picky


def ignore_media_in_generate(model: Any) -> None:
    class Inattentive(type(model)):  # type: ignore[misc]
        def generate(self, input_features: Any = None, **given: Any) -> Any:
            if input_features is not None:
                given["input_features"] = torch.zeros_like(input_features)
            return super().generate(**given)

    model.__class__ = Inattentive


def scale_in_the_backbone(model: Any) -> None:
    class Scaling(type(model.model)):  # type: ignore[misc]
        def forward(self, inputs_embeds: Any = None, **given: Any) -> Any:
            return super().forward(inputs_embeds=None if inputs_embeds is None else 2 * inputs_embeds, **given)

    model.model.__class__ = Scaling


def mix_rows(model: Any) -> None:
    class Mixing(type(model.model.language_model.norm)):  # type: ignore[misc]
        def forward(self, hidden: Any) -> Any:
            return super().forward(hidden + hidden.mean(0, keepdim=True))

    model.model.language_model.norm.__class__ = Mixing


BROKEN: dict[str, tuple[AdapterUnderTest, str]] = {
    "noun": (subject(Braces()), "the noun '{audio}' has braces in it"),
    "prefixes": (subject(NoProduct()), "`prefixes` has nothing for product"),
    "styles": (subject(TwiceDeep()), "`styles` has deep more than once"),
    "parts": (subject(AnotherProjector()), "`projector` returned no module of the model"),
    "blank": (subject(RandomBlank()), "two blanks have two embeddings"),
    "files": (subject(ReadsAnything()), "`read_media` took a text file for a medium"),
    "prompt": (subject(OnePlaceTooMany()), r"rows of E make 251 placeholders, the ordinary prompt has 250|51 .* 50"),
    "put_back": (subject(Louder(2)), "embedding put back: the logits differ by"),
    "other": (subject(SOUND, mute), "another embedding gave the same logits"),
    "media": (subject(Deaf(1)), "the logits after a signal are the blank's"),
    "gradient": (subject(SOUND, around(Graphless)), "no gradient comes back"),
    "skipped": (subject(SOUND, always_encode), "without the encoder's weights the model fails"),
    "shape": (subject(SOUND, around(Cutting)), "a wider embedding is taken"),
    "hooks": (subject(LeavesHooks(2)), "there were . hooks on the model's modules, now"),
    "batch": (subject(FirstForAll(2)), "the signal has 25 rows alone and 50 in a batch"),
    "greedy": (subject(SOUND, whisper_in_generate), "was generated, but a token of it is .* logits behind"),
    "media_answer": (subject(SOUND, ignore_media_in_generate), "from the embedding, .* from the medium"),
    "save": (subject(LoadsHalf(2)), "after saving and loading: the logits differ by"),
    "packed": (
        subject(SOUND, scale_in_the_backbone),
        "logits of answer 1 have a relative error of .* Check the positions",
    ),
    "apart": (subject(SOUND, mix_rows), "packed beside another: the logits differ"),
    "lora": (subject(Everything(2)), "what `language_model` returns holds the projector"),
}


def test_bundled_plugin_keeps_the_contract() -> None:
    findings = list(check(subject(SOUND)))
    assert [(f.rule.name, f.state, f.seen) for f in findings] == [(rule.name, "pass", "") for rule in RULES]
    assert len(NAMED) == len(RULES)


@pytest.mark.parametrize("name", BROKEN)
def test_rule_catches_what_breaks_it(name: str) -> None:
    broken, seen = BROKEN[name]
    if NAMED[name].needs_model:
        assert broken.mllm  # loaded before, it runs on one thread
    finding = check_rule(NAMED[name], broken)
    assert finding.state == "fail"
    assert re.search(seen, finding.seen), finding.seen
    assert finding.advice


def test_every_rule_is_broken_by_somebody() -> None:
    assert {*BROKEN, "light"} == set(NAMED)


def test_adapter_that_imports_torch(tmp_path: Path) -> None:
    file = tmp_path / "heavy.py"
    file.write_text(
        "import torch\nfrom sea_core import hookimpl\nfrom sea_qwen2_audio.adapter import Qwen2AudioAdapter\n"
        "class Heavy(Qwen2AudioAdapter): modality = 'heavy'\n@hookimpl\ndef sea_adapters(): return [Heavy()]\n"
    )
    _, adapter = loader.adapter(str(file))
    finding = check_rule(NAMED["light"], subject(adapter))
    assert finding.state == "fail"
    assert finding.seen.endswith("imports torch")


def test_sentences_and_advice_read_well() -> None:
    for rule in RULES:
        assert rule.sentence[0].isupper(), rule.name
        assert rule.sentence.endswith("."), rule.name
        assert "\n" not in rule.sentence
        assert rule.advice.endswith("."), rule.name


def test_without_a_model_the_other_rules_are_still_run() -> None:
    def no_model() -> MLLM:
        raise PluginError("There is no model.", hint="Make one.")

    findings = {finding.rule.name: finding for finding in check(AdapterUnderTest(SOUND, no_model))}
    assert {name for name, finding in findings.items() if finding.state == "pass"} == {
        "noun",
        "prefixes",
        "styles",
        "light",
    }
    assert findings["parts"].state == "fail"
    assert findings["parts"].seen == "There is no model."
    assert findings["parts"].advice.startswith("Make one.")
    assert {finding.state for name, finding in findings.items() if NAMED[name].needs_model and name != "parts"} == {
        "not run"
    }


def test_whatever_an_adapter_raises_is_a_finding() -> None:
    class Crash(Qwen2AudioAdapter):
        def split(self, crossed: Any, inputs: Any) -> Any:
            raise KeyError("mel")

    finding: RuleResult = check_rule(NAMED["blank"], subject(Crash()))
    assert re.search(r"it raised KeyError: 'mel' \(.*test_testing\.py:\d+\)", finding.seen)


def test_class_without_adapter_says_what_to_write() -> None:
    with pytest.raises(PluginError, match="AdapterContract has no adapter: write `adapter = MyAdapter"):
        AdapterContract().mllm()


@dataclass(frozen=True)
class Film:
    frames: np.ndarray
    rate: float


class Sheet(NamedTuple):
    ink: np.ndarray
    name: str


@pytest.mark.parametrize(
    "blank",
    [
        np.zeros((2, 3), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        torch.zeros(5),
        [np.zeros(3)],
        {"a": np.zeros(2)},
        (np.zeros(3), 24.0),
        Film(np.zeros((2, 4)), 24.0),
        Sheet(np.zeros(2), "a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_noise_has_the_form_of_the_blank(blank: Any) -> None:
    noise, again = noise_like(blank), noise_like(blank)
    assert type(noise) is type(blank)
    assert str(noise) == str(again)
    assert str(noise) != str(blank)
    assert getattr(noise, "rate", 24.0) == 24.0


def test_noise_for_a_picture_and_for_what_is_not_known() -> None:
    image = Image.new("RGB", (5, 4))
    noise = noise_like(image)
    assert (noise.size, noise.mode) == ((5, 4), "RGB")
    assert noise.tobytes() != image.tobytes()
    with pytest.raises(PluginError, match="type bytes") as refusal:
        noise_like(b"")
    assert "--media FILE" in refusal.value.hint
