"""A language model on this machine, through transformers: greedy, in batches, from safetensors only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from sea_core.chat.config import ChatConfig
from sea_core.chat.nouns import Question, Reply
from sea_core.checkpoint import fingerprint, quiet
from sea_core.errors import ModelError, SeaError


@dataclass(frozen=True)
class LocalChat:
    """A causal language model with a chat template, in a folder or on the hub. Schemas are left to the asker."""

    config: ChatConfig

    @cached_property
    def name(self) -> Mapping[str, Any]:
        told = self.config
        weights = fingerprint(told.model, told.revision or None)
        return {"kind": "transformers", "model": told.model, "weights": weights, "max_tokens": told.max_tokens}

    def ask(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Yield the replies, those to short questions first.

        Raises:
            ModelError: the model cannot be loaded, or has no chat template.
            SeaError: not enough memory.
        """
        if not questions:
            return
        texts = [(self._length(question), self._text(question), question) for question in questions]
        texts.sort(key=lambda item: (item[0], len(item[1])))
        for length, group in groupby(texts, key=lambda item: item[0]):
            same = [(question, text) for _, text, question in group]
            for start in range(0, len(same), self.config.batch_size):
                yield from self._batch(same[start : start + self.config.batch_size], length)

    def _length(self, question: Question) -> int:
        return question.max_tokens or self.config.max_tokens

    def _text(self, question: Question) -> str:
        _, tokenizer = self._loaded
        messages = [dict(message) for message in question.messages]
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def _batch(self, batch: Sequence[tuple[Question, str]], length: int) -> Iterator[Reply]:
        import torch

        model, tokenizer = self._loaded
        texts = [text for _, text in batch]
        # The chat template has written the special tokens already.
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        read = inputs["input_ids"].shape[1]
        room = getattr(model.config, "max_position_embeddings", None)
        if room and read + length > room:
            for question, _ in batch:
                yield Reply(question.key, None, "error", f"the model has room for {room} tokens in all")
            return
        try:
            with torch.inference_mode(), quiet():
                said = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=length)[:, read:]
        except torch.OutOfMemoryError as error:
            raise SeaError(
                f"the language model has no memory for {len(batch)} questions at a time",
                hint="Type for example: -o chat.batch_size=1   What was answered is kept.",
            ) from error
        for (question, _), tokens, seen in zip(batch, said.tolist(), inputs["attention_mask"].sum(1), strict=True):
            yield self._reply(question, tokens, int(seen))

    def _reply(self, question: Question, tokens: list[int], seen: int) -> Reply:
        model, tokenizer = self._loaded
        ends = model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        end = next((index for index, token in enumerate(tokens) if token in ends), None)
        text = tokenizer.decode(tokens[:end], skip_special_tokens=True)
        status, count = ("truncated", len(tokens)) if end is None else ("ok", end + 1)
        return Reply(question.key, text, status, "", seen, count, self.config.model)  # type: ignore[arg-type]

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """Return (model, tokenizer)."""
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        told, revision = self.config, self.config.revision or None
        cuda = torch.cuda.is_available() if told.device == "auto" else told.device.startswith("cuda")
        device = ("cuda" if cuda else "cpu") if told.device == "auto" else told.device
        try:
            with quiet():
                tokenizer = AutoTokenizer.from_pretrained(told.model, revision=revision, padding_side="left")
                model, info = AutoModelForCausalLM.from_pretrained(
                    told.model, revision=revision, dtype=torch.bfloat16 if cuda else torch.float32,
                    use_safetensors=True, output_loading_info=True,
                )  # fmt: skip
            model = model.to(device).eval()
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(
                f"the language model {told.model} cannot be loaded: {str(error).splitlines()[0]}",
                hint="Expected a causal language model: a folder with safetensors weights, or a hub id.",
            ) from error
        if info["missing_keys"]:
            raise ModelError(
                f"the language model {told.model} lacks {len(info['missing_keys'])} weights",
                hint="They would be random numbers. Is it whole, and a causal language model?",
            )
        if not tokenizer.chat_template:
            raise ModelError(
                f"the language model {told.model} has no chat template",
                hint="Give one that was trained on conversations; their names often end in -Instruct.",
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return model, tokenizer
