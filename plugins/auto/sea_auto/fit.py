"""Derive an adapter from a checkpoint: load it, find its parts by two forward passes, and prove what was found."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from sea_auto.facts import Facts
from sea_core.errors import ModelError, SeaError, one_line

if TYPE_CHECKING:
    from torch import Tensor

    from sea_auto.adapter import AutoAdapter
    from sea_core.model.crossing import ReplaySeam

QUESTION = "What is in the {noun}?"
PLUGIN_HINT = "Write a plugin for it: `sea plugins new NAME --modality {modality}`, see docs/how-to/port-a-family.md"
PROCESSOR_ERRORS = (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError)
"""What processors raise for arguments that they do not take."""


def derive_facts(adapter: AutoAdapter, checkpoint: str, *, dtype: Any, device: str, revision: str | None) -> Facts:
    """Derive and prove what an adapter for a checkpoint has to know.

    Raises:
        ModelError: the checkpoint's class is not in transformers, its processor does not take the modality, no seam is
            found, or what was found does not hold.
    """
    from sea_core.model.checkpoint import load_transformers

    architecture = find_class(checkpoint, revision)
    model, processor = load_transformers(checkpoint, (architecture,), dtype=dtype, device=device, revision=revision)
    model.requires_grad_(False).eval()
    return Fit(adapter, model, processor, architecture).facts()


def find_class(checkpoint: str, revision: str | None) -> str:
    """Return the class of transformers that a checkpoint names.

    Raises:
        ModelError: it names none, or one that only its own code defines.
    """
    import transformers

    from sea_core.model.checkpoint import read_config

    config = read_config(checkpoint, revision)
    names = config.get("architectures") or []
    for name in names:
        if hasattr(transformers, name):
            _require_media(name, checkpoint)
            return str(name)
    what = ", ".join(names) or "model of no named architecture"
    if "auto_map" in config:
        raise ModelError(
            f"the checkpoint {checkpoint} is a {what}, whose code comes with the checkpoint, and SEA runs no such code",
            hint="Give a checkpoint of a class that transformers has (often there is a converted one, named -hf), or "
            "write a plugin with the class in it.",
        )
    raise ModelError(
        f"the checkpoint {checkpoint} is a {what}, which transformers {transformers.__version__} does not have",
        hint="Upgrade transformers, or give another model.",
    )


def _require_media(name: str, checkpoint: str) -> None:
    """Raise ModelError for a class of language models that have no encoder."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    is_causal = name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    if is_causal and not getattr(getattr(transformers, name).config_class, "sub_configs", None):
        raise ModelError(
            f"the checkpoint {checkpoint} is a {name}, which reads text only",
            hint="Give a model that reads images, videos or audio.",
        )


class Fit:
    """An adapter that is being derived from a loaded model."""

    def __init__(self, adapter: AutoAdapter, model: Any, processor: Any, architecture: str) -> None:
        self.adapter, self.model, self.processor, self.architecture = adapter, model, processor, architecture
        self.part = self._find_part()
        self.templated = processor.tokenizer if self.part else processor

    @property
    def any_medium(self) -> str:
        """The noun with its article: `an image`, `a video`."""
        return f"{'an' if self.adapter.noun[0] in 'aeiou' else 'a'} {self.adapter.noun}"

    def _find_part(self) -> str:
        """Return the processor's part that reads media, if the processor itself makes no text of a chat.

        Such a processor, as that of Voxtral, takes no text together with a medium either.
        """
        from sea_core.model.chat_template import template_errors

        chat = self.adapter.conversation("?", media=True)
        part = next((name for name in self.adapter.processor_parts if hasattr(self.processor, name)), "")
        try:
            with template_errors(str(self.model.name_or_path)):
                text = self.processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        except PROCESSOR_ERRORS:  # it tokenizes by itself, which may also fail
            return part
        return "" if isinstance(text, str) else part

    def facts(self) -> Facts:
        """Return facts that are proved, with the fastest mechanism that is."""
        from sea_core.model.generation import has_own_generate

        draft = self._draft()
        problem: SeaError | None = None
        for mechanism in ("splice", "replay"):
            facts = replace(draft, mechanism=mechanism)
            if mechanism == "splice" and (has_own_generate(self.model) or not may_splice(facts)):
                continue
            try:
                self._prove(facts)
            except ModelError as error:
                problem = error
            else:
                return facts
        assert problem is not None  # replay is always tried
        raise self._not_derived(problem.what)

    def _not_derived(self, problem: str) -> ModelError:
        return ModelError(
            f"no adapter can be derived from this {self.architecture}: {problem}",
            hint=PLUGIN_HINT.format(modality=self.adapter.modality),
        )

    def _draft(self) -> Facts:
        """Return what two forward passes show."""
        import torch

        from sea_auto.derive import combine, derive
        from sea_auto.prove import broken_rule
        from sea_core.model.replay import join

        blank = self.adapter.blank_input(self.processor)
        call = self._find_call(blank)
        media = [blank, self.adapter.noise(self.processor), *self.adapter.noises(self.processor)]
        first, second, *others = (self._inputs(call, QUESTION, medium) for medium in media)
        ids, text = first["input_ids"][0].tolist(), self._render()
        placeholders = [self._find_placeholder(text, ids, each) for each in self.adapter.modality.split("+")]
        placeholder_ids = self.processor.tokenizer.convert_tokens_to_ids(placeholders)
        logits = self._ordinary_logits(first, ids.count(placeholder_ids[0]), placeholders[0])
        found = combine([derive(self.model, first, other, *placeholder_ids) for other in others])
        if problem := broken_rule(self.model, found, first, second):
            raise self._not_derived(problem)
        seam = replace(found.seam, end=found.end)
        crossed, again = (self._crossed(seam, inputs) for inputs in (first, self._inputs(call, "?", blank)))
        seam = replace(seam, scales=find_scales(crossed))
        features = join(crossed, seam.scales)
        if not torch.equal(features, join(again, seam.scales)):
            raise self._not_derived(
                f"its encoder reads the question too, so that no embedding stands for the {self.adapter.noun} alone"
            )
        other = join(self._crossed(seam, self._inputs(call, QUESTION, self.adapter.other_size(self.processor))))
        scale, softcap = self._find_logits(first, logits)
        known = call.known
        return replace(
            known,
            backbone=found.backbone,
            language_model=found.decoder,
            seam=seam,
            placeholder=placeholders[0],
            other_placeholders=tuple(placeholders[1:]),
            features=len(features),
            width=features.shape[1],
            one_shape=other.shape == features.shape,
            tokens=ids.count(placeholder_ids[0]),
            scale=scale,
            softcap=softcap,
        )

    def _ordinary_logits(self, inputs: Mapping[str, Any], count: int, placeholder: str) -> Tensor:
        """Return the logits of the model's own forward pass on what its processor makes of a medium.

        Raises:
            ModelError: it fails: the processor and the model of the checkpoint do not agree.
        """
        import torch

        from sea_core.model.device_error import describe_device_error

        try:
            with torch.no_grad():
                logits: Tensor = self.model(**inputs, use_cache=False).logits
        except PROCESSOR_ERRORS as error:
            if describe_device_error(error):
                raise
            raise ModelError(
                "the processor and the model of this checkpoint do not agree: the processor writes "
                f"{count:,} placeholders ({placeholder}) for one {self.adapter.noun}, and the ordinary forward pass "
                f"of {self.architecture} fails on them: {type(error).__name__}: {one_line(error)[:200]}",
                hint="Compare the checkpoint's processor_config.json with its config.json: a setting may be missing or "
                "differ, such as the placeholders for each medium (image_seq_length) or the size of its patches.",
            ) from error
        return logits

    def _inputs(self, call: AutoAdapter, question: str, medium: Any) -> dict[str, Any]:
        """Return the model's inputs for a question about a medium."""
        inputs = call.inputs(self.processor, [self._render(question)], [medium])
        return {name: self._placed(value) for name, value in inputs.items()}

    def _crossed(self, seam: ReplaySeam, inputs: Mapping[str, Any]) -> list[list[Tensor]]:
        """Return what crosses in an ordinary forward pass, by crossing and call."""
        import torch

        from sea_core.model.replay import Replay

        replay = Replay(self.model, seam, self.model.get_submodule(seam.end))
        with torch.no_grad():
            return replay.record(lambda: self.model(**inputs, use_cache=False)).crossed

    def _placed(self, value: Any) -> Any:
        """Return an input on the model's device and, if it is a medium's numbers, in its dtype."""
        import torch

        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self.model.device, self.model.dtype if value.is_floating_point() else None)

    def _find_call(self, blank: Any) -> AutoAdapter:
        """Return the adapter with the way in which the processor takes media, which is tried out."""
        nothing = Facts(self.architecture, self.adapter.modality, end_token=self._find_end())
        if self.part:
            return self._find_parts_call(replace(nothing, part=self.part), blank)
        texts, problems = [self._render(), self._render("?")], list[Exception]()
        for keyword, is_nested, text_only in product(self.adapter.processor_keywords, (False, True), (True, False)):
            facts = replace(nothing, media_keyword=keyword, is_nested=is_nested, pads_text_only=text_only)
            tried = self.adapter.with_facts(facts)
            try:
                found = tried.inputs(self.processor, texts, [blank, blank])
            except PROCESSOR_ERRORS as error:
                problems.append(error)
                continue
            if len(found["input_ids"]) == 2 and len(found) > 2:
                return tried
        absent = next((p for p in problems if isinstance(p, SeaError)), None)
        if absent:
            raise absent
        if self._has_parts() and not self._writes_placeholders():
            raise ModelError(
                f"the chat template of this {self.architecture} writes no placeholder of its tokenizer for "
                f"{self.any_medium}",
                hint="Give a chat template that does: --chat-template FILE",
            )
        raise ModelError(
            f"the processor of this {self.architecture} takes no {self.adapter.noun}"
            + (f": {str(problems[0]).splitlines()[0]}" if problems else ""),
            hint="Give another --modality, or another model.",
        )

    def _find_parts_call(self, facts: Facts, blank: Any) -> AutoAdapter:
        """Return the adapter with the run of placeholders that every medium takes."""
        from sea_core.model.form import TEXT_INPUTS

        text = self._render()
        ids = self.processor.tokenizer(text)["input_ids"]
        facts = replace(facts, placeholder=self._find_placeholder(text, ids, self.adapter.modality))
        call = self.adapter.with_facts(facts)
        find_features = getattr(self.model, f"get_{self.adapter.modality}_features", None)
        counts = set[int]()
        for medium in (blank, self.adapter.other_size(self.processor)):
            inputs = {name: x for name, x in self._inputs(call, QUESTION, medium).items() if name not in TEXT_INPUTS}
            if find_features is not None:
                counts.add(sum(len(vectors) for vectors in _per_medium(find_features(**inputs).pooler_output)))
        if len(counts) != 1:
            raise self._not_derived(
                f"its processor takes no text with {self.any_medium}, and how many placeholders {self.any_medium} "
                f"takes {'depends on its size' if counts else 'is not known'}"
            )
        return self.adapter.with_facts(replace(facts, tokens=counts.pop()))

    def _render(self, question: str = QUESTION, *, media: bool = True) -> str:
        """Return a question about a medium as the chat template writes it."""
        from sea_core.model.chat_template import template_errors

        chat = self.adapter.conversation(question.format(noun=self.adapter.noun), media)
        with template_errors(str(self.model.name_or_path)):
            text = self.templated.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        if not isinstance(text, str):  # it has a template for each text of a list, or tokenizes by itself
            raise ModelError(
                f"the processor of this {self.architecture} takes no {self.adapter.noun} with a prompt that is a text",
                hint=PLUGIN_HINT.format(modality=self.adapter.modality),
            )
        return text

    def _find_placeholder(self, text: str, ids: Sequence[int], modality: str) -> str:
        """Return the special token that the processor repeats, or that the chat template writes for a medium."""
        tokenizer, special = self.processor.tokenizer, self._special_ids()
        more = Counter(ids) - Counter(tokenizer(text)["input_ids"])
        written = Counter(ids) - Counter(tokenizer(self._render(media=False))["input_ids"])
        for counts in (more, written):
            known = [(count, i) for i, count in counts.items() if i in special]
            named = [(count, i) for count, i in known if i in self._placeholder_ids(modality)]
            if found := max(named or known, default=None):
                return str(tokenizer.convert_ids_to_tokens(found[1]))
        raise ModelError(
            f"neither the chat template nor the processor writes a special token for {self.any_medium}",
            hint="Give a chat template that does: --chat-template FILE",
        )

    def _special_ids(self) -> set[int]:
        """Return the special tokens that may stand for media."""
        tokenizer = self.processor.tokenizer
        named_tokens = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id}
        return set(tokenizer.added_tokens_decoder) - named_tokens

    def _has_parts(self) -> bool:
        """Return whether the processor has a part for each modality."""
        parts = {"image": "image_processor", "video": "video_processor", "audio": "feature_extractor"}
        return all(hasattr(self.processor, parts[each]) for each in self.adapter.modality.split("+"))

    def _writes_placeholders(self) -> bool:
        """Return whether the chat template writes special tokens for a medium, and those that the model reads."""
        counts = [Counter(self.processor.tokenizer(self._render(media=media))["input_ids"]) for media in (True, False)]
        written = set(counts[0] - counts[1]) & self._special_ids()
        expected = [self._placeholder_ids(modality) for modality in self.adapter.modality.split("+")]
        return bool(written) and all(not ids or ids & written for ids in expected)

    def _placeholder_ids(self, modality: str) -> set[int]:
        """Return what the configuration names as a modality's placeholder."""
        config = self.model.config
        names = (f"{modality}_token_id", f"{modality}_token_index")
        return {value for name in names if isinstance(value := getattr(config, name, None), int)}

    def _find_end(self) -> str:
        """Return the special token that the chat template writes after an answer; else the tokenizer's own."""
        from jinja2 import TemplateError

        tokenizer = self.processor.tokenizer
        chat = [
            *self.adapter.conversation("?", media=False),
            {"role": "assistant", "content": [{"type": "text", "text": "xyz"}]},
        ]
        with suppress(*PROCESSOR_ERRORS, TemplateError):
            text = self.templated.apply_chat_template(chat, tokenize=False)
            after = tokenizer(text.rpartition("xyz")[2], add_special_tokens=False)["input_ids"]
            if found := next((i for i in after if i in tokenizer.added_tokens_decoder), None):
                return str(tokenizer.convert_ids_to_tokens(found))
        return str(tokenizer.eos_token)

    def _find_logits(self, inputs: Mapping[str, Any], expected: Tensor) -> tuple[float, float]:
        """Return the factor and the softcap of the logits: of what the configuration names, what the model applies.

        A decoder's configuration may name a factor that only the decoder's own head applies.

        Args:
            expected: the model's own logits for the inputs.
        """
        import torch

        from sea_core.model.seam import run_until

        def find(name: str) -> float:
            configs = (self.model.config, self.model.config.get_text_config())
            return float(next((value for config in configs if (value := getattr(config, name, None))), 0))

        with torch.no_grad():
            head = self.model.get_output_embeddings()
            plain = head(run_until(head, lambda: self.model(**inputs, use_cache=False)))
        factors = {1.0, find("logit_scale"), 1 / (find("logits_scaling") or 1), find("logits_scaling")} - {0.0}
        caps = {0.0, find("final_logit_softcapping")}

        def distance(choice: tuple[float, float]) -> float:
            factor, cap = choice
            logits = factor * plain
            return float(((cap * (logits / cap).tanh() if cap else logits) - expected).abs().max())

        return min(sorted(product(factors, caps)), key=distance)

    def _prove(self, facts: Facts) -> None:
        """Prove facts through the core, as before every run."""
        from sea_core.model.mllm import MLLM
        from sea_core.model.proof import check_seam

        check_seam(MLLM(self.adapter.with_facts(facts), self.model, self.processor))


def _per_medium(features: Any) -> Sequence[Tensor]:
    """Return the vectors of each medium, or of all as one, of what `get_..._features` returns."""
    return [features.flatten(0, -2)] if hasattr(features, "flatten") else features


def find_scales(crossed: Sequence[Sequence[Tensor]]) -> tuple[float, ...]:
    """Return for each tensor of E the power of two by which it is larger than the first one; empty for 1."""
    import torch

    sizes = [torch.cat([value.flatten().float() for value in calls]).square().mean().sqrt().item() for calls in crossed]
    scales = [2.0 ** round(math.log2(size / sizes[0])) if size and sizes[0] else 1.0 for size in sizes]
    return tuple(scales) if any(scale != 1 for scale in scales) else ()


def may_splice(facts: Facts) -> bool:
    """Return whether P(E) in place of the placeholders may be all: one tensor crosses, into one module."""
    crossings = facts.seam.crossings
    return len(crossings) == 1 and crossings[0].side == "input" and facts.seam.end == facts.language_model
