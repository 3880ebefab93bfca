"""The audio seam on the real class: bit-equal to the ordinary forward, and loud about everything that does not fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from sea_qwen2_audio.adapter import RATE, Qwen2AudioAdapter, rows_of
from torch import Tensor, nn
from transformers import GenerationConfig, Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

from sea_core import DataError, ModelError, SeaError
from sea_core.embedding import Embedding, stack
from sea_core.mllm import MLLM
from sea_core.probe import check_seam

QUESTIONS = ("What is the style of the audio?", "Which activity do you notice here?", "Hm?")
HEARD = {
    "steal-a-lamp-deep.flac": ("activity", "In the audio, a person is stealing a lamp.", "deep"),
    "polish-a-bike-whispered.flac": ("activity", "In the audio, a person is polishing a bike.", "whispered"),
    "a-wool-scarf-slow.flac": ("product", "The audio is about a wool scarf.", "slow"),
}


@pytest.fixture(scope="module")
def waves(mllm: MLLM, media: Path) -> list[np.ndarray]:
    """Three audios of unequal length."""
    read = [mllm.adapter.read_media(media / name, mllm.processor) for name in HEARD]
    assert len({len(wave) for wave in read}) == 3
    return read


@pytest.fixture(scope="module")
def embeddings(mllm: MLLM, waves: list[np.ndarray]) -> list[Embedding]:
    return mllm.encode(waves)


@pytest.fixture
def padding_side(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda side: monkeypatch.setattr(mllm.processor.tokenizer, "padding_side", side)


@pytest.fixture
def deaf(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder raises when it is run."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the encoder ran")

    monkeypatch.setattr(mllm.model.model.audio_tower, "forward", refuse)


def hooks(mllm: MLLM) -> int:
    return sum(len(module._forward_pre_hooks) for module in mllm.model.modules())


# --- the seam is the ordinary forward ---------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_from_the_encoders_own_output_is_bit_equal(
    mllm: MLLM, waves: list[np.ndarray], embeddings: list[Embedding], padding_side: Callable[[str], None], side: str
) -> None:
    padding_side(side)
    inputs = mllm.media_inputs(QUESTIONS, waves)
    assert (inputs["attention_mask"] == 0).any()
    with torch.no_grad():
        ordinary = mllm.model(**inputs).logits
        with mllm.replaced():
            spliced = mllm.model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
            ).logits
    assert torch.equal(spliced, ordinary)


def test_generation_from_the_encoders_own_output_is_the_same(
    mllm: MLLM, waves: list[np.ndarray], embeddings: list[Embedding], padding_side: Callable[[str], None]
) -> None:
    padding_side("left")
    inputs = mllm.media_inputs(QUESTIONS, waves)
    out = mllm.model.generate(
        **inputs, max_new_tokens=20, do_sample=False, eos_token_id=mllm.end_id, pad_token_id=mllm.pad_id
    )
    answers = out[:, inputs["input_ids"].shape[1] :].tolist()
    ordinary = [answer[: answer.index(mllm.end_id)] for answer in answers]
    assert mllm.generate(QUESTIONS, embeddings, 20) == ordinary


def test_generation_alone_is_generation_in_a_batch(mllm: MLLM, embeddings: list[Embedding]) -> None:
    alone = [mllm.generate([q], [e])[0] for q, e in zip(QUESTIONS, embeddings, strict=True)]
    assert mllm.generate(QUESTIONS, embeddings) == alone


def test_beam_search_repeats_each_embedding_with_its_row(
    mllm: MLLM, waves: list[np.ndarray], embeddings: list[Embedding], padding_side: Callable[[str], None]
) -> None:
    padding_side("left")
    inputs = mllm.media_inputs(QUESTIONS, waves)
    beams = GenerationConfig(
        num_beams=2, do_sample=False, max_new_tokens=12, eos_token_id=mllm.end_id, pad_token_id=mllm.pad_id
    )
    with mllm.replaced(embeddings):
        out = mllm.model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], generation_config=beams
        )
    ordinary = mllm.model.generate(**inputs, generation_config=beams)
    assert torch.equal(out, ordinary)
    assert len({mllm.say(row) for row in out[:, inputs["input_ids"].shape[1] :].tolist()}) == 3


def test_the_encoder_is_not_run(mllm: MLLM, embeddings: list[Embedding], deaf: None) -> None:
    batch = mllm.batch([mllm.prompt_ids("Hm?", len(e)) for e in embeddings], [mllm.answer_ids("a")] * 3)
    logits, targets, row = mllm.answer_logits(batch, embeddings)
    assert logits.shape == (len(targets), mllm.model.config.text_config.vocab_size)
    assert row.tolist() == sorted(row.tolist())
    assert len(mllm.generate(QUESTIONS, embeddings, 4)) == 3
    with pytest.raises(AssertionError, match="the encoder ran"):
        mllm.blank()


def test_the_gradient_reaches_each_embedding_and_no_weight(mllm: MLLM, embeddings: list[Embedding]) -> None:
    leaves = [e.with_rows(e.rows.clone().requires_grad_()) for e in embeddings]
    batch = mllm.batch([mllm.prompt_ids("Hm?", len(e)) for e in leaves], [mllm.answer_ids("a")] * 3)
    logits, targets, row = mllm.answer_logits(batch, leaves)
    nn.functional.cross_entropy(logits[row != 1], targets[row != 1]).backward()
    for leaf in (leaves[0], leaves[2]):
        assert leaf.rows.grad is not None
        assert leaf.rows.grad.isfinite().all()
        assert leaf.rows.grad.abs().sum(1).min() > 0
    assert leaves[1].rows.grad is None or not leaves[1].rows.grad.any()
    assert all(p.grad is None for p in mllm.model.parameters())


def test_a_batch_of_bf16_answers_like_the_ordinary_forward(mllm: MLLM, waves: list[np.ndarray]) -> None:
    model, processor = mllm.adapter.load(mllm.adapter.checkpoint, dtype=torch.bfloat16, device="cpu")
    rough = MLLM(mllm.adapter, model, processor)
    embeddings = rough.encode(waves)
    assert {e.rows.dtype for e in embeddings} == {torch.bfloat16}
    inputs = rough.media_inputs(QUESTIONS, waves)
    with torch.no_grad():
        ordinary = rough.model(**inputs).logits
        with rough.replaced():
            spliced = rough.model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
            ).logits
    assert torch.equal(spliced, ordinary)
    check_seam(rough)


# --- what does not fit is refused -------------------------------------------------------------------------------------


def test_no_hook_is_left_behind(mllm: MLLM, embeddings: list[Embedding]) -> None:
    before = hooks(mllm)
    with mllm.replaced():
        assert hooks(mllm) == before + 1
    with pytest.raises(ModelError), mllm.replaced():
        mllm.backbone(input_ids=torch.tensor([[1, 2]]), **stack(embeddings))
    with pytest.raises(KeyboardInterrupt), mllm.replaced(embeddings):
        raise KeyboardInterrupt
    with pytest.raises(TypeError):
        mllm.encode([None])
    mllm.encode([np.zeros(RATE, np.float32)])
    assert hooks(mllm) == before


def test_placeholders_shifted_between_rows_are_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    lengths = [len(e) for e in embeddings]
    swapped = [lengths[1], lengths[0], lengths[2]]
    assert swapped != lengths
    batch = mllm.batch([mllm.prompt_ids("Hm?", n) for n in swapped], [[mllm.end_id]] * 3)
    with pytest.raises(ModelError, match=rf"the prompts have \[{swapped[0]}, .* the embeddings need \[{lengths[0]}, "):
        mllm.answer_logits(batch, embeddings)


def test_half_the_embeddings_are_not_taken_for_all(mllm: MLLM, embeddings: list[Embedding]) -> None:
    """Preference batches hold each prompt twice: an embedding for only one half would go to the wrong rows."""
    same = [embeddings[0], embeddings[0].with_rows(embeddings[0].rows.flip(0))]
    batch = mllm.batch([mllm.prompt_ids("Hm?", len(same[0]))] * 4, [[mllm.end_id]] * 4)
    with pytest.raises(ModelError, match="placeholders"):
        mllm.answer_logits(batch, same)


def test_a_prompt_without_placeholder_is_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    ids = torch.tensor([mllm.prompt_ids("Hm?", None)])
    with pytest.raises(ModelError, match="no placeholder"), mllm.replaced():
        mllm.backbone(input_ids=ids, **stack(embeddings[:1]))
    with pytest.raises(ModelError, match="no prompt had a placeholder"), mllm.replaced(embeddings[:1]):
        mllm.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, pad_token_id=mllm.pad_id
        )


def test_embeddings_without_ids_are_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    with pytest.raises(ModelError, match="without input_ids"), mllm.replaced():
        mllm.backbone(inputs_embeds=torch.zeros(1, 4, 128), **stack(embeddings[:1]))


def test_rows_in_plain_text_may_stand_among_the_others(mllm: MLLM, embeddings: list[Embedding]) -> None:
    prompts = [mllm.prompt_ids("Hm?", len(embeddings[0])), mllm.prompt_ids("Hm?", None)]
    mixed, _, _ = mllm.answer_logits(mllm.batch(prompts, [[mllm.end_id]] * 2), embeddings[:1])
    heard, _, _ = mllm.answer_logits(mllm.batch(prompts[:1], [[mllm.end_id]]), embeddings[:1])
    text, _, _ = mllm.answer_logits(mllm.batch(prompts[1:], [[mllm.end_id]]))
    assert torch.allclose(mixed, torch.cat([heard, text]), atol=1e-4)


# --- generation settings ----------------------------------------------------------------------------------------------


def test_the_checkpoints_own_generation_settings_are_put_aside(spoilt: MLLM, embeddings: list[Embedding]) -> None:
    """The released 7B models sample, with penalties."""
    expected = spoilt.generate(QUESTIONS, embeddings, 16)
    own = GenerationConfig(
        do_sample=True, temperature=2.0, repetition_penalty=5.0, no_repeat_ngram_size=1, num_beams=2,
        bad_words_ids=[[expected[0][0]]],
    )  # fmt: skip
    spoilt.model.generation_config = own
    assert spoilt.generate(QUESTIONS, embeddings, 16) == expected
    assert spoilt.model.generation_config is own


def test_a_model_that_says_the_placeholder_asks_for_no_embedding(spoilt: MLLM, embeddings: list[Embedding]) -> None:
    nn.init.zeros_(spoilt.model.lm_head.weight)
    bias = torch.zeros(spoilt.model.lm_head.out_features)
    bias[spoilt.placeholder_id] = 1.0
    spoilt.model.lm_head.bias = nn.Parameter(bias)
    answers = spoilt.generate(QUESTIONS, embeddings, 3)
    assert [len(answer) for answer in answers] == [3, 3, 3]


# --- the check that a run begins with ---------------------------------------------------------------------------------


def test_the_bundled_model_passes_its_check(mllm: MLLM) -> None:
    check_seam(mllm)


class WrongPlaceholder(Qwen2AudioAdapter):
    placeholder = "<|audio_bos|>"


class NoPlaceholder(Qwen2AudioAdapter):
    placeholder = "<|IMAGE|>"


class ManyTokens(Qwen2AudioAdapter):
    placeholder = "Audio"


class TooFewPlaceholders(Qwen2AudioAdapter):
    def placeholders(self, n_rows: int) -> int:
        return n_rows // 2


class TooFewRows(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e[:20] for e in super().split(crossed, inputs)]


class ShuffledRows(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e + torch.randn_like(e) for e in super().split(crossed, inputs)]


class EarlyProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.model.audio_tower.layer_norm


class LateProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.lm_head


@pytest.mark.parametrize(
    ("adapter", "complaint"),
    [
        (WrongPlaceholder(), "not the model's ordinary prompt"),
        (NoPlaceholder(), "0 placeholders in a prompt with one audio"),
        (ManyTokens(), "not the model's ordinary prompt"),
        (TooFewPlaceholders(), "not the model's ordinary prompt"),
        (TooFewRows(), "not the model's ordinary prompt"),
        (ShuffledRows(), "changes the answer by"),
        (EarlyProjector(), r"the projector gives \(50, 96\)"),
        (LateProjector(), "called 0 times"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Qwen2AudioAdapter) else "says",
)
def test_an_adapter_that_is_wrong_is_told_so(mllm: MLLM, adapter: Qwen2AudioAdapter, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as error:
        check_seam(MLLM(adapter, mllm.model, mllm.processor))
    assert "adapter's" in error.value.hint or "check the adapter" in error.value.hint


def test_a_model_that_ignores_its_media_is_told_so(spoilt: MLLM) -> None:
    nn.init.zeros_(spoilt.model.model.multi_modal_projector.linear.weight)
    with pytest.raises(ModelError, match="this model ignores its audio"):
        check_seam(spoilt)


def test_an_end_token_that_is_not_there_is_told(mllm: MLLM) -> None:
    class Endless(Qwen2AudioAdapter):
        def end_token(self, processor: Any) -> str:
            return "<|never|>"

    with pytest.raises(ModelError, match=r"no token '<\|never\|>'"):
        MLLM(Endless(), mllm.model, mllm.processor).answer_ids("a")


# --- the 7B models ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seven_billion() -> Any:
    with torch.device("meta"):
        return Qwen2AudioForConditionalGeneration(Qwen2AudioConfig())


def test_thirty_seconds_at_7b_are_750_rows_of_1280(mllm: MLLM, seven_billion: Any) -> None:
    adapter = Qwen2AudioAdapter(seconds=30)
    big = MLLM(adapter, seven_billion, mllm.processor)
    crossed = seven_billion.model.audio_tower(torch.empty(2, 128, 3000, device="meta")).last_hidden_state
    frames = torch.zeros(2, 3000, dtype=torch.long)
    frames[0], frames[1, :1000] = 1, 1
    full, third = adapter.split(crossed, {"feature_attention_mask": frames})
    assert (full.shape, third.shape) == ((750, 1280), (250, 1280))
    assert big.project(Embedding(full)).shape == (adapter.placeholders(750), 4096)
    assert sum(p.numel() for p in seven_billion.parameters()) > 7e9


def test_rows_are_counted_as_the_library_counts_them(mllm: MLLM) -> None:
    frames = torch.arange(1, 3001)
    _, rows = mllm.model.model.audio_tower._get_feat_extract_output_lengths(frames)
    assert [rows_of(n) for n in frames.tolist()] == rows.tolist()


# --- the blank and other media ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "rows"), [(0.1, 2), (0.5, 12), (1.0, 25), (2.0, 50), (10.0, 50), (30.0, 50)])
def test_the_blank_is_as_long_as_told_and_as_can_be_heard(mllm: MLLM, seconds: float, rows: int) -> None:
    told = MLLM(replace(mllm.adapter, seconds=seconds), mllm.model, mllm.processor)
    assert told.blank().rows.shape == (rows, 96)
    assert torch.equal(told.blank().rows, told.blank().rows)
    assert not told.adapter.blank_input(mllm.processor).any()


@pytest.mark.parametrize("seconds", [0.0, 0.09, 30.5, -1.0, float("nan"), float("inf")])
def test_a_blank_of_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(SeaError, match=r"from 0\.1 to 30 seconds") as error:
        Qwen2AudioAdapter(seconds=seconds)
    assert "-o adapter.seconds=5" in error.value.hint


@pytest.mark.parametrize(
    ("samples", "complaint"), [(0, "too short"), (399, "too short"), (2 * RATE + 1, "longer than")]
)
def test_audio_that_cannot_be_heard_is_refused(mllm: MLLM, samples: int, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        mllm.encode([np.zeros(samples, np.float32)])


def test_the_shortest_audio_is_one_row(mllm: MLLM) -> None:
    assert [len(e) for e in mllm.encode([np.zeros(400, np.float32), np.zeros(2 * RATE, np.float32)])] == [1, 50]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_audio_files_are_read_as_mono_at_16_khz(mllm: MLLM, tmp_path: Path, ending: str) -> None:
    rate, path = 44_100, tmp_path / f"tone.{ending}"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(path, np.stack([tone, np.zeros_like(tone)], axis=1), rate)
    wave = mllm.adapter.read_media(path, mllm.processor)
    assert (wave.dtype, wave.ndim) == (np.float32, 1)
    assert abs(len(wave) - RATE) < 0.1 * RATE  # mp3 pads its ends
    middle = wave[RATE // 4 : 3 * RATE // 4]
    assert np.argmax(np.abs(np.fft.rfft(middle))) / 0.5 == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.25, abs=0.02)  # the mean of both channels


@pytest.mark.parametrize(
    "content", [b"", b"Dear diary, this is a text.", b"RIFF\x00\x00"], ids=["empty", "text", "torn"]
)
def test_a_file_that_is_not_audio_is_refused(mllm: MLLM, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as audio") as error:
        mllm.adapter.read_media(path, mllm.processor)
    assert error.value.where == str(path)
    assert "flac" in error.value.hint


def test_a_file_that_is_not_there_is_refused(mllm: MLLM, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as audio"):
        mllm.adapter.read_media(tmp_path / "none.wav", mllm.processor)


@pytest.mark.parametrize("name", HEARD)
def test_the_bundled_model_hears_content_and_style(mllm: MLLM, media: Path, name: str) -> None:
    kind, sentence, style = HEARD[name]
    (embedding,) = mllm.encode([mllm.adapter.read_media(media / name, mllm.processor)])
    questions = [f"Please briefly describe the {kind} in the audio.", "What is the style of the audio?"]
    said = [mllm.say(answer) for answer in mllm.generate(questions, [embedding] * 2)]
    assert said == [sentence, f"The style of the audio is {style}."]


def test_the_bundled_model_hears_silence(mllm: MLLM) -> None:
    said = mllm.generate(["What is going on in this audio?"], [mllm.blank()])[0]
    assert mllm.say(said) == "The audio is silent."


# --- prompts ----------------------------------------------------------------------------------------------------------

CHATML = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "{}Hm?<|im_end|>\n<|im_start|>assistant\n"
)


def test_the_prompt_is_chatml_with_a_numbered_audio(mllm: MLLM) -> None:
    heard = CHATML.format("Audio 1: <|audio_bos|>" + "<|AUDIO|>" * 7 + "<|audio_eos|>\n")
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", 7)) == heard
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == CHATML.format("")
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.<|im_end|>"


def test_a_base_checkpoint_gets_the_same_prompt_and_end(mllm: MLLM, tmp_path: Path) -> None:
    """The base model ships no chat template, and ends its texts with another token than a turn."""
    folder = copy_of(mllm, tmp_path)
    (folder / "chat_template.jinja").unlink()
    edit(folder / "tokenizer_config.json", eos_token="<|endoftext|>")
    base = load(str(folder))
    assert base.tokenizer.eos_token == "<|endoftext|>"
    assert base.prompt_ids("Hm?", 7) == mllm.prompt_ids("Hm?", 7)
    assert base.answer_ids("So.") == mllm.answer_ids("So.")


# --- checkpoints ------------------------------------------------------------------------------------------------------


def copy_of(mllm: MLLM, folder: Path) -> Path:
    return Path(shutil.copytree(mllm.adapter.checkpoint, folder / "checkpoint"))


def edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def load(checkpoint: str) -> MLLM:
    adapter = Qwen2AudioAdapter()
    return MLLM(adapter, *adapter.load(checkpoint, dtype=torch.float32, device="cpu"))


def tear(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def keep_weights(folder: Path, keep: Callable[[str], bool]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in weights.items() if keep(k)}, folder / "model.safetensors", {"format": "pt"})


BROKEN: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
    "other family": (
        lambda f: edit(f / "config.json", architectures=["LlavaForConditionalGeneration"]),
        ("is a LlavaForConditionalGeneration", "drives Qwen2AudioForConditionalGeneration", "--plugin"),
    ),
    "no architecture": (lambda f: edit(f / "config.json", architectures=None), ("no named architecture", "--model")),
    "no config": (lambda f: (f / "config.json").unlink(), ("no config.json", "--model")),
    "torn config": (lambda f: (f / "config.json").write_text('{"archi'), ("config.json is torn", "config.json:")),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), ("config.json is not", "config.json:")),
    "torn weights": (tear, ("torn", "again")),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), ("torn", "again")),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), ("cannot be loaded", "safetensors")),
    "weights missing": (
        lambda f: keep_weights(f, lambda name: "projector" not in name),
        ("lacks 2 weights", "multi_modal_projector", "random numbers"),
    ),
    "no processor": (lambda f: (f / "processor_config.json").unlink(), ("cannot be loaded", "processor")),
    "torn tokenizer": (lambda f: (f / "tokenizer.json").write_text("{"), ("cannot be loaded",)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_checkpoint_is_refused_with_advice(mllm: MLLM, tmp_path: Path, fault: str) -> None:
    spoil, words = BROKEN[fault]
    folder = copy_of(mllm, tmp_path)
    spoil(folder)
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert all(word in str(error.value) for word in words), str(error.value)
    assert error.value.hint or error.value.where


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model folder") as error:
        load(str(tmp_path / "none"))
    assert "hub id" in error.value.hint


def test_an_unknown_hub_id_is_refused_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="there is no folder nobody/no-such-model, and the model hub") as error:
        load("nobody/no-such-model")
    assert "connection" in error.value.hint
