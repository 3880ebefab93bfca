"""The contract holds for the bundled audio plugin, and each rule detects an adapter or a model that violates it."""

from __future__ import annotations

import copy
import re
import warnings
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
from transformers import Qwen2AudioForConditionalGeneration

from sea_core import MLLM, PluginError
from sea_core.model.noise import noise_like
from sea_core.plugin import loader
from sea_core.plugin.contract.check import RULES, RuleResult, check_adapter, check_rule
from sea_core.plugin.contract.rule import AdapterUnderTest
from sea_core.plugin.testing import AdapterContract
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

ADAPTER = Qwen2AudioAdapter(seconds=2)
RULES_BY_NAME = {rule.name: rule for rule in RULES}
SAMPLE = (0.3 * np.sin(np.arange(16_000) / 7)).astype(np.float32)


@cache
def load_bundled() -> tuple[Any, Any]:
    return ADAPTER.load(ADAPTER.checkpoint, dtype=torch.float32, device="cpu")


def under_test(adapter: Any, damage: Callable[[Any], None] = lambda model: None) -> AdapterUnderTest:
    """Return an adapter with a copy of the bundled model that `damage` has changed."""

    def load() -> MLLM:
        model = copy.deepcopy(load_bundled()[0])
        damage(model)
        return MLLM(adapter, model, load_bundled()[1])

    return AdapterUnderTest(adapter, load, lambda: SAMPLE)


# --- adapters, each with one fault -----------------------------------------------------------------------------------


class NounWithBraces(Qwen2AudioAdapter):
    noun = "{audio}"


class NoProduct(Qwen2AudioAdapter):
    prefixes = {"activity": "In the audio,"}  # noqa: RUF012


class RepeatedStyle(Qwen2AudioAdapter):
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


class ExtraPlaceholder(Qwen2AudioAdapter):
    def placeholders(self, n_features: int) -> int:
        return n_features + 1


class AllowsNoPlaceholder(Qwen2AudioAdapter):
    def conversation(self, question: str, media: bool) -> Any:
        if self.placeholder in question:
            raise ValueError("the question has a placeholder already")
        return super().conversation(question, media)


class ScaledFeatures(Qwen2AudioAdapter):
    def split(self, crossed: Any, inputs: Any) -> Any:
        return [1.1 * e for e in super().split(crossed, inputs)]


class IgnoresMedia(Qwen2AudioAdapter):
    def inputs(self, processor: Any, texts: Any, media: Any) -> Any:
        return super().inputs(processor, texts, [np.zeros_like(wave) for wave in media])


class LeavesHooks(Qwen2AudioAdapter):
    def projector(self, model: Any) -> Any:
        value = super().projector(model)
        value.register_forward_hook(lambda *_: None)
        return value


class FirstForAll(Qwen2AudioAdapter):
    def split(self, crossed: Any, inputs: Any) -> Any:
        value = super().split(crossed, inputs)
        return [value[0]] * len(value)


class LoadsHalvedWeights(Qwen2AudioAdapter):
    def load(self, checkpoint: str, **where: Any) -> Any:
        model, processor = super().load(checkpoint, **where)
        model.lm_head.weight.data.mul_(0.5)
        return model, processor


class AcceptsMissingWeights(Qwen2AudioAdapter):
    def load(self, checkpoint: str, **where: Any) -> Any:
        with warnings.catch_warnings(action="ignore"):
            return Qwen2AudioForConditionalGeneration.from_pretrained(checkpoint), load_bundled()[1]


class LoadsItsOwnCheckpoint(Qwen2AudioAdapter):
    def load(self, checkpoint: str, **where: Any) -> Any:
        return load_bundled()


class WholeModelAsLanguageModel(Qwen2AudioAdapter):
    def language_model(self, model: Any) -> Any:
        return model.model


# --- models, each with one fault -------------------------------------------------------------------------------------


class WrappedProjector(nn.Module):
    """The projector, with something around it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


class TruncatingProjector(WrappedProjector):
    def forward(self, rows: Any) -> Any:
        return self.inner(rows[..., : self.inner.linear.in_features])


class ProjectorWithoutGraph(WrappedProjector):
    @torch.no_grad()
    def forward(self, rows: Any) -> Any:
        return self.inner(rows)


def wrap_projector(kind: type[WrappedProjector]) -> Callable[[Any], None]:
    def damage(model: Any) -> None:
        model.model.multi_modal_projector = kind(model.model.multi_modal_projector)

    return damage


def zero_projector(model: Any) -> None:
    model.model.multi_modal_projector.linear.weight.data.zero_()


def leak_past_the_projector(model: Any) -> None:
    """Add the mean of the encoder's output to the first layer's, as deep features do."""
    means: list[torch.Tensor] = []

    def collect(_module: Any, _args: Any, output: Any) -> None:
        means.append(output.last_hidden_state.mean())

    model.model.audio_tower.register_forward_hook(collect)
    first = model.model.language_model.layers[0]
    first.register_forward_hook(lambda _module, _args, output: output + means.pop() if means else output)


def always_encode(model: Any) -> None:
    class Eager(type(model.model)):  # type: ignore[misc]
        def forward(self, **kwargs: Any) -> Any:
            if kwargs.get("input_features") is None:
                self.audio_tower(torch.zeros(1, 80, 200))
            return super().forward(**kwargs)

    model.model.__class__ = Eager


def whisper_in_generate(model: Any) -> None:
    class Picky(type(model)):  # type: ignore[misc]
        def generate(self, **kwargs: Any) -> Any:
            kwargs["generation_config"].suppress_tokens = list(range(6, 400))
            return super().generate(**kwargs)

    model.__class__ = Picky


def ignore_media_in_generate(model: Any) -> None:
    class Inattentive(type(model)):  # type: ignore[misc]
        def generate(self, input_features: Any = None, **kwargs: Any) -> Any:
            if input_features is not None:
                kwargs["input_features"] = torch.zeros_like(input_features)
            return super().generate(**kwargs)

    model.__class__ = Inattentive


def scale_in_the_backbone(model: Any) -> None:
    class Scaling(type(model.model)):  # type: ignore[misc]
        def forward(self, inputs_embeds: Any = None, **kwargs: Any) -> Any:
            return super().forward(inputs_embeds=None if inputs_embeds is None else 2 * inputs_embeds, **kwargs)

    model.model.__class__ = Scaling


def ignore_the_mask(model: Any) -> None:
    class Careless(type(model.model)):  # type: ignore[misc]
        def forward(self, inputs_embeds: Any = None, attention_mask: Any = None, **kwargs: Any) -> Any:
            mask = attention_mask if inputs_embeds is None else torch.ones_like(attention_mask)
            return super().forward(inputs_embeds=inputs_embeds, attention_mask=mask, **kwargs)

    model.model.__class__ = Careless


def scale_in_bfloat16(model: Any) -> None:
    class Scaling(type(model.model)):  # type: ignore[misc]
        def forward(self, inputs_embeds: Any = None, **kwargs: Any) -> Any:
            if inputs_embeds is not None and inputs_embeds.dtype == torch.bfloat16:
                inputs_embeds = 2 * inputs_embeds
            return super().forward(inputs_embeds=inputs_embeds, **kwargs)

    model.model.__class__ = Scaling


def mix_rows(model: Any) -> None:
    class Mixing(type(model.model.language_model.norm)):  # type: ignore[misc]
        def forward(self, hidden: Any) -> Any:
            return super().forward(hidden + hidden.mean(0, keepdim=True))

    model.model.language_model.norm.__class__ = Mixing


BROKEN: dict[str, tuple[AdapterUnderTest, str]] = {
    "noun": (under_test(NounWithBraces()), "the noun '{audio}' contains braces"),
    "prefixes": (under_test(NoProduct()), "`prefixes` has no entry for product"),
    "styles": (under_test(RepeatedStyle()), "`styles` contains deep more than once"),
    "parts": (under_test(AnotherProjector()), "`projector` does not return a module of the model"),
    "blank": (under_test(RandomBlank()), "two blank inputs have different embeddings"),
    "files": (under_test(ReadsAnything()), "a text file given to `read_media` raises no error"),
    "prompt": (
        under_test(ExtraPlaceholder()),
        r"an E of 250 vectors makes 251 placeholders, the ordinary prompt has 250|51 .* 50",
    ),
    "literals": (under_test(AllowsNoPlaceholder(2)), "it raised ValueError: the question has a placeholder already"),
    "injection": (
        under_test(ScaledFeatures(2)),
        "injecting the audio's own embedding [(]blank[)] changes the hidden states by",
    ),
    "leak": (under_test(ADAPTER, leak_past_the_projector), "the audio reaches the language model past the seam too"),
    "padding": (under_test(ADAPTER, ignore_the_mask), "a batch padded on the left: the logits differ by"),
    "perturbation": (under_test(ADAPTER, zero_projector), "another embedding changes nothing"),
    "media": (under_test(IgnoresMedia(1)), "the logits for the sample are those for the blank input"),
    "gradient": (under_test(ADAPTER, wrap_projector(ProjectorWithoutGraph)), "the logits have no graph"),
    "encoder_skipped": (under_test(ADAPTER, always_encode), "the model still uses its encoder"),
    "shape": (under_test(ADAPTER, wrap_projector(TruncatingProjector)), "a wider embedding raises no error"),
    "hooks": (under_test(LeavesHooks(2)), "the model's modules had . hooks before, and . after"),
    "batch_encoding": (under_test(FirstForAll(2)), "the sample's embedding has 25 vectors alone and 50 in a batch"),
    "batch": (under_test(ADAPTER, mix_rows), "prompt 1 in a batch of 3: the logits differ by"),
    "mixed_batch": (under_test(ADAPTER, mix_rows), "plain text in a batch with media: the logits differ by"),
    "greedy": (
        under_test(ADAPTER, whisper_in_generate),
        "was generated, but one of its tokens is .* logits below the best",
    ),
    "media_answer": (under_test(ADAPTER, ignore_media_in_generate), "from the embedding, .* from the medium"),
    "beam_search": (under_test(ADAPTER, ignore_media_in_generate), "from the embeddings, .* from the media"),
    "save": (under_test(LoadsHalvedWeights(2)), "after saving and loading: the logits differ by"),
    "missing_weights": (under_test(AcceptsMissingWeights(2)), "the projector's weights raises no error"),
    "other_architecture": (under_test(LoadsItsOwnCheckpoint(2)), "of another model class raises no error"),
    "bfloat16": (under_test(ADAPTER, scale_in_bfloat16), "changes the hidden states by"),
    "packed": (
        under_test(ADAPTER, scale_in_the_backbone),
        "logits of answer 1 have a relative error of .* Check the positions",
    ),
    "independence": (under_test(ADAPTER, mix_rows), "an embedding in a batch with another: the logits differ"),
    "lora": (under_test(WholeModelAsLanguageModel(2)), "what `language_model` returns contains the projector"),
}


def test_bundled_plugin_fulfils_the_contract() -> None:
    results = list(check_adapter(under_test(ADAPTER)))
    assert [(f.rule.name, f.state, f.problem) for f in results] == [(rule.name, "pass", "") for rule in RULES]
    assert len(RULES_BY_NAME) == len(RULES)


@pytest.mark.parametrize("name", BROKEN)
def test_rule_detects_a_violation(name: str) -> None:
    broken, problem = BROKEN[name]
    if RULES_BY_NAME[name].needs_model:
        assert broken.mllm  # loaded before, it runs on one thread
    result = check_rule(RULES_BY_NAME[name], broken)
    assert result.state == "fail"
    assert re.search(problem, result.problem), result.problem
    assert result.advice


def test_every_rule_has_a_violation() -> None:
    assert {*BROKEN, "light_import"} == set(RULES_BY_NAME)


def test_adapter_that_imports_torch_violates_a_rule(tmp_path: Path) -> None:
    file = tmp_path / "heavy.py"
    file.write_text(
        "import torch\nfrom sea_core import hookimpl\nfrom sea_qwen2_audio.adapter import Qwen2AudioAdapter\n"
        "class Heavy(Qwen2AudioAdapter): modality = 'heavy'\n@hookimpl\ndef sea_adapters(): return [Heavy()]\n"
    )
    _, adapter = loader.get_adapter(str(file))
    result = check_rule(RULES_BY_NAME["light_import"], under_test(adapter))
    assert result.state == "fail"
    assert result.problem.endswith("imports torch")


def test_sentences_and_advice_are_whole_sentences() -> None:
    for rule in RULES:
        assert rule.sentence[0].isupper(), rule.name
        assert rule.sentence.endswith("."), rule.name
        assert "\n" not in rule.sentence
        assert rule.advice.endswith("."), rule.name


def test_rules_that_need_no_model_run_without_one() -> None:
    def no_model() -> MLLM:
        raise PluginError("There is no model.", hint="Make one.")

    results = {result.rule.name: result for result in check_adapter(AdapterUnderTest(ADAPTER, no_model))}
    assert {name for name, result in results.items() if result.state == "pass"} == {
        "noun",
        "prefixes",
        "styles",
        "light_import",
    }
    assert results["parts"].state == "fail"
    assert results["parts"].problem == "There is no model."
    assert results["parts"].advice.startswith("Make one.")
    assert {
        result.state for name, result in results.items() if RULES_BY_NAME[name].needs_model and name != "parts"
    } == {"not run"}


def test_whatever_an_adapter_raises_is_reported() -> None:
    class Crash(Qwen2AudioAdapter):
        def split(self, crossed: Any, inputs: Any) -> Any:
            raise KeyError("mel")

    result: RuleResult = check_rule(RULES_BY_NAME["blank"], under_test(Crash()))
    assert re.search(r"it raised KeyError: 'mel' \(.*test_testing\.py:\d+\)", result.problem)


class NoOtherSize(Qwen2AudioAdapter):
    def other_size(self, processor: Any) -> None:
        return None


class OneShape(NoOtherSize):
    one_shape = True


@pytest.mark.parametrize("rule", ["padding", "batch_encoding"])
def test_padding_that_was_not_tested_is_no_pass(rule: str) -> None:
    """Without a sample of another length, an adapter that keeps padding would pass."""

    def result(adapter: Qwen2AudioAdapter, sample: Any) -> RuleResult:
        subject = AdapterUnderTest(adapter, lambda: MLLM(adapter, *load_bundled()), lambda: sample)
        return check_rule(RULES_BY_NAME[rule], subject)

    same = result(NoOtherSize(seconds=2), None)
    assert same.state == "not tested"
    assert "padding was not tested: the blank audio and the sample have 50 vectors each" in same.problem
    assert result(ADAPTER, SAMPLE).state == "pass"
    assert result(ADAPTER, None).state == "pass"
    assert result(OneShape(seconds=2), None).state == "pass"


def test_an_error_that_many_rules_meet_is_reported_once() -> None:
    class Crash(Qwen2AudioAdapter):
        def split(self, crossed: Any, inputs: Any) -> Any:
            raise KeyError("mel")

    results = list(check_adapter(under_test(Crash())))
    assert sum("KeyError" in result.problem for result in results) == 1
    same = [result.problem for result in results if result.state == "not run"]
    assert len(same) > 5
    assert set(same) == {"it meets the same error as the rule blank"}


class TextAround(Qwen2AudioAdapter):
    def inputs(self, processor: Any, texts: Any, media: Any) -> Any:
        start = "<|audio_bos|>"
        return super().inputs(processor, [text.replace(start, f"Hear: {start}") for text in texts], media)


def test_text_that_the_processor_adds_is_shown_and_what_needs_the_prompt_is_not_run() -> None:
    results: dict[str, RuleResult] = {}
    for result in check_adapter(under_test(TextAround(seconds=2))):
        results[result.rule.name] = result
        if result.rule.name == "injection":
            break
    assert re.search(
        r"'.*<\|audio_bos\|><\|AUDIO\|> x \d+<.*' instead of '.*Hear: <\|audio_bos\|><\|AUDIO\|> x \d+<.*'\. "
        r"The processor adds text around the placeholders: use `replay`",
        results["prompt"].problem,
    ), results["prompt"].problem
    assert (results["injection"].state, results["injection"].problem) == ("not run", "it needs the rule prompt")


def test_class_without_adapter_raises() -> None:
    with pytest.raises(PluginError, match="AdapterContract has no adapter: set `adapter = MyAdapter"):
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
def test_noise_has_the_form_of_the_blank_input(blank: Any) -> None:
    noise, again = noise_like(blank), noise_like(blank)
    assert type(noise) is type(blank)
    assert str(noise) == str(again)
    assert str(noise) != str(blank)
    assert getattr(noise, "rate", 24.0) == 24.0


def test_noise_for_images_and_unknown_types() -> None:
    image = Image.new("RGB", (5, 4))
    noise = noise_like(image)
    assert (noise.size, noise.mode) == ((5, 4), "RGB")
    assert noise.tobytes() != image.tobytes()
    with pytest.raises(PluginError, match="type bytes") as error:
        noise_like(b"")
    assert "--sample FILE" in error.value.hint
