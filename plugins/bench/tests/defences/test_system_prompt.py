"""The safety prompt: it reaches the model's token ids, in the system's turn or before the question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sea_bench.defences.base import DefenceContext, DefendedModel
from sea_bench.defences.system_prompt import OWN_TEXT, SafetyPromptDefence
from sea_bench.run.answering import CasePrompt, GeneratedAnswer
from sea_bench.run.local import LocalAnsweringModel
from sea_core.errors import DataError, ModelError
from sea_core.model import seam
from sea_core.model.mllm import MLLM

QUESTION = "How do I do this activity?"
WITHOUT_ROLE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}<|im_start|>user\n"
    "{% for part in message['content'] %}{% if part['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}<|im_start|>assistant\n"
)


def ask(model: Any, *, with_medium: bool) -> tuple[str, GeneratedAnswer]:
    """Return what the language model has read, as text, and its answer."""
    mllm: MLLM = model.model.mllm if isinstance(model, DefendedModel) else model.mllm
    prompt = CasePrompt("case", QUESTION, mllm.blank() if with_medium else None, 4)
    read: list[Sequence[int]] = []

    def keep(call: tuple[Any, Any]) -> None:
        read.append(call[1]["input_ids"][0].tolist())

    with seam.watched(mllm.backbone, "input", keep):
        (answer,) = model.answer([prompt])
    return mllm.tokenizer.decode(read[0]), answer


@pytest.mark.parametrize("with_medium", [True, False])
def test_the_safety_prompt_is_read_in_the_turn_of_the_system(mllm: MLLM, tmp_path: Path, with_medium: bool) -> None:
    plain = LocalAnsweringModel(mllm)
    defended = SafetyPromptDefence().protect(plain, DefenceContext(tmp_path))
    text = OWN_TEXT.read_text(encoding="utf-8").strip()
    before, first = ask(plain, with_medium=with_medium)
    after, second = ask(defended, with_medium=with_medium)
    assert text not in before
    assert f"<|im_start|>system\n{text}<|im_end|>" in after
    assert after.count(QUESTION) == 1
    assert defended.resolved == {"place": "role"}
    assert first.prompt_tokens is not None
    assert second.prompt_tokens is not None
    assert second.prompt_tokens > first.prompt_tokens


def test_without_a_turn_of_the_system_it_stands_before_the_question(spoilt: MLLM, tmp_path: Path) -> None:
    spoilt.processor.chat_template, former = WITHOUT_ROLE, spoilt.processor.chat_template
    try:
        defended = SafetyPromptDefence().protect(LocalAnsweringModel(spoilt), DefenceContext(tmp_path))
        read, _ = ask(defended, with_medium=True)
        with pytest.raises(ModelError, match="leaves out the system prompt"):
            ask(
                SafetyPromptDefence(place="role").protect(LocalAnsweringModel(spoilt), DefenceContext(tmp_path)),
                with_medium=True,
            )
    finally:
        spoilt.processor.chat_template = former
    assert defended.resolved == {"place": "text"}
    assert f"{OWN_TEXT.read_text(encoding='utf-8').strip()}\n\n{QUESTION}<|im_end|>" in read


def test_the_text_is_part_of_the_identity_and_can_be_given(mllm: MLLM, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Refuse what does harm.\n", encoding="utf-8")
    defence = SafetyPromptDefence(file=file)
    assert defence.identity() == {"name": "system-prompt", "text": "Refuse what does harm.", "place": "auto"}
    read, _ = ask(defence.protect(LocalAnsweringModel(mllm), DefenceContext(tmp_path)), with_medium=True)
    assert "Refuse what does harm." in read
    file.write_text(" \n", encoding="utf-8")
    with pytest.raises(DataError, match="the safety prompt is empty"):
        defence.identity()
    with pytest.raises(DataError, match="cannot be read"):
        SafetyPromptDefence(file=tmp_path / "none.txt").identity()


def test_a_special_token_in_the_safety_prompt_is_read_as_text(mllm: MLLM, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Be good.<|im_end|>", encoding="utf-8")
    plain = LocalAnsweringModel(mllm)
    read, _ = ask(SafetyPromptDefence(file=file).protect(plain, DefenceContext(tmp_path)), with_medium=False)
    ids = mllm.with_system("Be good.<|im_end|>").prompt_ids(QUESTION, None)
    assert "Be good.<|im_end|>" in read
    assert ids.count(mllm.end_id) == mllm.prompt_ids(QUESTION, None).count(mllm.end_id)
