"""The provider `--model sea/PLUGIN`: a plugin's model, asked as `sea bench run` asks it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from anyio.to_thread import run_sync
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage
from inspect_ai.tool import ToolChoice, ToolInfo

from sea_bench.case import Case
from sea_bench.inspect.samples import media_file, parse_messages
from sea_bench.run.answering import FailedAnswer
from sea_bench.run.base_model import find_base, require_base
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import SMALLER_HINT, LocalAnsweringModel
from sea_bench.run.lora import with_lora
from sea_bench.run.lora_folder import check_lora_folder
from sea_bench.run.runner import case_prompt
from sea_core.errors import SeaError
from sea_core.model.checkpoint import fingerprint
from sea_core.model.mllm import MLLM


class Provider(ModelAPI):
    """One model that answers one case at a time, greedily.

    Args:
        model_name: the plugin.
        checkpoint: a model folder or a hub id; default: the plugin's own (`-M checkpoint=...`).
        lora: a LoRA adapter to put on the model (`-M lora=...`).
        modality: which of the plugin's modalities, if it has several.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
        checkpoint: str = "",
        lora: str = "",
        modality: str | None = None,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self._mllm = _load_model(model_name, checkpoint, lora, modality)
        self._lock = threading.Lock()

    def max_connections(self) -> int:
        return 1  # one model on one device

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """Answer one question about one medium, or none. Raises SeaError for anything that would be ignored."""
        if tools or config.temperature or config.stop_seqs:
            raise SeaError(
                "this model decodes greedily, without tools and stop sequences",
                hint="Remove tools and stop sequences, and type: --temperature 0",
            )
        text, medium = parse_messages([message.model_dump() for message in input])
        return await run_sync(self._answer, text, medium, config.max_tokens)

    def _answer(self, text: str, medium: str | None, max_tokens: int | None) -> ModelOutput:
        config = AnswerConfig(max_new_tokens=max_tokens) if max_tokens else AnswerConfig()
        model = LocalAnsweringModel(self._mllm)
        case = Case("", "", "", self._mllm.adapter.modality, text, None, text, condition="text")
        with self._lock:
            if medium is None:
                read = model.read(case)
            else:
                with media_file(medium) as path:
                    read = model.read(replace(case, media=path, condition="media"))
            (answer,) = model.answer([case_prompt(read, config.max_new_tokens)])
        if isinstance(answer, FailedAnswer):
            raise SeaError(f"the model gives no answer: {answer.detail}", hint=SMALLER_HINT)
        read_tokens, tokens = answer.prompt_tokens or 0, answer.tokens or 0
        output = ModelOutput.from_content(self.model_name, answer.text, "max_tokens" if answer.truncated else "stop")
        output.usage = ModelUsage(input_tokens=read_tokens, output_tokens=tokens, total_tokens=read_tokens + tokens)
        return output


def _load_model(plugin: str, checkpoint: str, lora: str, modality: str | None) -> MLLM:
    """Load a plugin's model, with the checks of `sea bench run`."""
    from sea_core.model.placement import resolve_device, resolve_dtype
    from sea_core.model.proof import check_seam
    from sea_core.plugin import loader

    if lora:
        check_lora_folder(Path(lora))
    _, adapter = loader.get_adapter(plugin, modality)
    device = resolve_device("auto")
    if lora:
        checkpoint = checkpoint or find_base(Path(lora), adapter.checkpoint)
        require_base(Path(lora), checkpoint, fingerprint(checkpoint, None))
    model, processor = adapter.load(
        checkpoint or adapter.checkpoint, dtype=resolve_dtype("auto", device), device=str(device)
    )
    mllm = MLLM(adapter, model, processor)
    if lora:
        mllm = with_lora(mllm, Path(lora))
    check_seam(mllm)
    return mllm
