"""A language model on this machine, through transformers: greedy, in batches, from safetensors only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sea_core.errors import ModelError, SeaError
from sea_core.llm.config import LLMConfig
from sea_core.llm.reasoning import strip_reasoning
from sea_core.llm.types import Completion, Prompt
from sea_core.model.checkpoint import fingerprint, quiet_loading
from sea_core.model.placement import dtype_name, resolve_device, resolve_dtype

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LocalModel:
    """A causal language model with a chat template, in a folder or on the hub. Schemas are left to the asker."""

    config: LLMConfig
    template: str | None = None
    """A chat template for a tokenizer that comes without one."""

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        told = self.config
        weights = fingerprint(told.model, told.revision or None)
        about = {"kind": "transformers", "model": told.model, "weights": weights, "max_tokens": told.max_tokens}
        return about | {"dtype": dtype_name(resolve_dtype("auto", self._device))}

    def complete(self, questions: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield the replies, those to short questions first, and first of all those that the model has no room for.

        Raises:
            ModelError: the model cannot be loaded, or has no chat template.
            SeaError: not enough memory.
        """
        if not questions:
            return
        texts = [(self._length(question), self.render(question), question) for question in questions]
        texts.sort(key=lambda item: (item[0], len(item[1])))
        for length, group in groupby(texts, key=lambda item: item[0]):
            same = []
            for _, text, question in group:
                if reason := self._too_long(text, length):
                    yield Completion(question.key, None, "error", reason)
                else:
                    same.append((question, text))
            for start in range(0, len(same), self.config.batch_size):
                yield from self._batch(same[start : start + self.config.batch_size], length)

    def _too_long(self, text: str, length: int) -> str:
        """Say why the model has no room for a question and its answer; an empty string where it has."""
        model, tokenizer = self.loaded
        room = getattr(model.config, "max_position_embeddings", None)
        read = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        return f"the model has room for {room} tokens in all" if room and read + length > room else ""

    def _length(self, question: Prompt) -> int:
        return self.config.completion_tokens(question.max_tokens)

    def render(self, question: Prompt) -> str:
        _, tokenizer = self.loaded
        messages = [dict(message) for message in question.messages]
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def _batch(self, batch: Sequence[tuple[Prompt, str]], length: int) -> Iterator[Completion]:
        import torch

        model, tokenizer = self.loaded
        texts = [text for _, text in batch]
        # The chat template has written the special tokens already.
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        try:
            with torch.inference_mode(), quiet_loading():
                said = model.generate(**inputs, max_new_tokens=length)[:, inputs["input_ids"].shape[1] :]
        except torch.OutOfMemoryError as error:
            raise SeaError(
                f"the language model has no memory for {len(batch)} questions at a time",
                hint="Type for example: -o llm.batch_size=1   What was answered is kept.",
            ) from error
        for (question, _), tokens, seen in zip(batch, said.tolist(), inputs["attention_mask"].sum(1), strict=True):
            yield self._reply(question, tokens, int(seen))

    def _reply(self, question: Prompt, tokens: list[int], seen: int) -> Completion:
        model, tokenizer = self.loaded
        ends = model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        end = next((index for index, token in enumerate(tokens) if token in ends), None)
        text = strip_reasoning(tokenizer.decode(tokens[:end], skip_special_tokens=True))
        status, count = ("truncated", len(tokens)) if end is None else ("ok", end + 1)
        return Completion(question.key, text, status, "", seen, count, self.config.model)  # type: ignore[arg-type]

    @cached_property
    def loaded(self) -> tuple[Any, Any]:
        """Return (model, tokenizer)."""
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

        told, revision, device = self.config, self.config.revision or None, self._device
        try:
            with quiet_loading():
                tokenizer = AutoTokenizer.from_pretrained(told.model, revision=revision, padding_side="left")
                model, info = AutoModelForCausalLM.from_pretrained(
                    told.model,
                    revision=revision,
                    dtype=resolve_dtype("auto", device),
                    use_safetensors=True,
                    output_loading_info=True,
                )
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
        tokenizer.chat_template = tokenizer.chat_template or self.template
        if not tokenizer.chat_template:
            raise ModelError(
                f"the language model {told.model} has no chat template",
                hint="Give one that was trained on conversations; their names often end in -Instruct.",
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        # The checkpoint's own settings (a repetition penalty, say) would make the answers something else than greedy.
        ends = model.generation_config.eos_token_id
        model.generation_config = GenerationConfig(
            do_sample=False,
            num_beams=1,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id if ends is None else ends,
        )
        return model, tokenizer

    @property
    def _device(self) -> torch.device:
        """Where the model runs."""
        return resolve_device(self.config.device, "llm.device")
