"""A language model on this machine, through transformers: greedy decoding, in batches, from safetensors only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sea_core.errors import DataError, ModelError, SeaError, number_of
from sea_core.llm.config import LLMConfig
from sea_core.llm.reasoning import strip_reasoning
from sea_core.llm.types import Completion, Prompt
from sea_core.model.chat_template import template_errors
from sea_core.model.checkpoint import fingerprint, quiet_loading, require_finite_weights
from sea_core.model.placement import dtype_name, resolve_device, resolve_dtype
from sea_core.model.text_ids import TextTokenizer
from sea_core.model.untrusted import untrusted

if TYPE_CHECKING:
    import torch

NO_TEMPLATE_HINT = "Choose an instruction-tuned model: -o llm.model=ORGANISATION/NAME"


@dataclass(frozen=True)
class LocalModel:
    """A causal language model with a chat template, in a folder or on the hub. Schemas are not enforced."""

    config: LLMConfig
    template: str | None = None
    """The chat template of a tokenizer that has none."""

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        config = self.config
        return {
            "kind": "transformers",
            "model": config.model,
            "weights": fingerprint(config.model, config.revision or None),
            "max_tokens": config.max_tokens,
            "dtype": dtype_name(resolve_dtype("auto", self._device)),
        }

    def complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield completions, of the shortest prompts first; errors for prompts that exceed the context come earliest.

        Raises:
            ModelError: the model cannot be loaded, or has no chat template.
            SeaError: out of memory.
        """
        if not prompts:
            return
        requests = [
            (self.config.completion_tokens(prompt.max_tokens), len(self.render(prompt)), prompt) for prompt in prompts
        ]
        requests.sort(key=lambda request: request[:2])
        for length, group in groupby(requests, key=lambda request: request[0]):
            fitting = []
            for _, _, prompt in group:
                try:
                    ids = self.prompt_ids(prompt)
                    reason = self._exceeds_context(ids, length)
                except DataError as error:
                    reason = error.what
                if reason:
                    yield Completion(prompt.key, None, "error", reason)
                else:
                    fitting.append((prompt, ids))
            for start in range(0, len(fitting), self.config.batch_size):
                yield from self._generate(fitting[start : start + self.config.batch_size], length)

    def render(self, prompt: Prompt) -> str:
        """Return the text that the model reads: the messages in its chat template."""
        return self._render(prompt, [message["content"] for message in prompt.messages])

    def _render(self, prompt: Prompt, contents: Sequence[str]) -> str:
        _, tokenizer = self.loaded
        messages = [{**message, "content": text} for message, text in zip(prompt.messages, contents, strict=True)]
        with template_errors(self.config.model, missing_hint=NO_TEMPLATE_HINT):
            return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """Return the ids of what the model reads. Only the chat template writes special tokens, no message does.

        Raises:
            DataError: a part of a message would become a special token (see `TextTokenizer`).
        """
        contents = [message["content"] for message in prompt.messages]
        return self._text_tokenizer.chat_ids(lambda texts: self._render(prompt, texts), contents)

    @cached_property
    def _text_tokenizer(self) -> TextTokenizer:
        return TextTokenizer(self.loaded[1])

    def _exceeds_context(self, ids: Sequence[int], length: int) -> str:
        """Return why the context is too short for a prompt and its completion, or an empty text."""
        context = getattr(self.loaded[0].config, "max_position_embeddings", None)
        return f"the model's context has {context} tokens" if context and len(ids) + length > context else ""

    def _generate(self, batch: Sequence[tuple[Prompt, list[int]]], length: int) -> Iterator[Completion]:
        import torch

        model, tokenizer = self.loaded
        inputs = tokenizer.pad({"input_ids": [ids for _, ids in batch]}, return_tensors="pt").to(model.device)
        try:
            with torch.inference_mode(), quiet_loading():
                outputs = model.generate(**inputs, max_new_tokens=length)[:, inputs["input_ids"].shape[1] :]
        except torch.OutOfMemoryError as error:
            raise SeaError(
                f"the language model ran out of memory with a batch of {len(batch)} prompts",
                hint="Type for example: -o llm.batch_size=1   Completions received so far are kept.",
            ) from error
        tokens_in = inputs["attention_mask"].sum(1).tolist()
        for (prompt, _), tokens, n_tokens in zip(batch, outputs.tolist(), tokens_in, strict=True):
            yield self._completion(prompt, tokens, int(n_tokens))

    def _completion(self, prompt: Prompt, tokens: list[int], tokens_in: int) -> Completion:
        model, tokenizer = self.loaded
        stop_tokens = model.generation_config.eos_token_id
        stop_tokens = stop_tokens if isinstance(stop_tokens, list) else [stop_tokens]
        end = next((index for index, token in enumerate(tokens) if token in stop_tokens), None)
        return Completion(
            key=prompt.key,
            text=strip_reasoning(tokenizer.decode(tokens[:end], skip_special_tokens=True)),
            status="truncated" if end is None else "ok",
            tokens_in=tokens_in,
            tokens_out=len(tokens) if end is None else end + 1,
            model=self.config.model,
        )

    @cached_property
    def loaded(self) -> tuple[Any, Any]:
        """The model and its tokenizer.

        Raises:
            ModelError: they cannot be loaded, weights are missing, or there is no chat template.
        """
        from transformers import GenerationConfig

        model, tokenizer = self._load()
        tokenizer.chat_template = tokenizer.chat_template or self.template
        if not tokenizer.chat_template:
            raise ModelError(
                f"the language model {self.config.model} has no chat template",
                hint="Give a model that was trained on conversations; their names often end in -Instruct.",
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        # Decoding must be greedy: the checkpoint's own settings, such as a repetition penalty, are discarded.
        stop_tokens = model.generation_config.eos_token_id
        model.generation_config = GenerationConfig(
            do_sample=False,
            num_beams=1,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id if stop_tokens is None else stop_tokens,
        )
        return model, tokenizer

    def _load(self) -> tuple[Any, Any]:
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        name, revision = self.config.model, self.config.revision or None
        try:
            with untrusted(name), quiet_loading():
                tokenizer = AutoTokenizer.from_pretrained(
                    name, revision=revision, padding_side="left", trust_remote_code=False
                )
                model, info = AutoModelForCausalLM.from_pretrained(
                    name,
                    revision=revision,
                    dtype=resolve_dtype("auto", self._device),
                    use_safetensors=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                )
            model = model.to(self._device).eval()
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(
                f"the language model {name} cannot be loaded: {str(error).splitlines()[0]}",
                hint="Expected a causal language model: a folder with safetensors weights, or a hub id.",
            ) from error
        if info["missing_keys"]:
            raise ModelError(
                f"the language model {name} lacks {number_of(len(info['missing_keys']), 'weight')}",
                hint="They would be random numbers. Is the checkpoint complete, and a causal language model?",
            )
        require_finite_weights(model, name)
        return model, tokenizer

    @property
    def _device(self) -> torch.device:
        return resolve_device(self.config.device, "llm.device")
