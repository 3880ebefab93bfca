"""A plugin's model behind `--model sea/PLUGIN`: asked the way `sea bench run` asks it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage
from inspect_ai.tool import ToolChoice, ToolInfo

from sea_bench.inspect.samples import media_file, parse_messages
from sea_core.errors import SeaError


class Provider(ModelAPI):
    """One model, one case at a time, greedily.

    Args:
        model_name: the plugin.
        checkpoint: a model folder or a hub id, in place of the plugin's own (`-M checkpoint=...`).
        adapter: a trained adapter to put on it.
        modality: which of the plugin's modalities, where it has several.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        checkpoint: str = "",
        adapter: str = "",  # Inspect's own
        modality: str | None = None,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self._mllm = _load(model_name, checkpoint, adapter, modality)
        self._turn = threading.Lock()

    def max_connections(self) -> int:
        return 1  # it is one model on one device

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """Answer one question about one medium, or none. Raises SeaError for what would have to be left out."""
        if tools or config.temperature or config.stop_seqs:
            raise SeaError(
                "this model is asked greedily, without tools and stop sequences",
                hint="Leave out tools and stop sequences, and type: --temperature 0",
            )
        text, medium = parse_messages([message.model_dump() for message in input])
        return await run_sync(self._answer, text, medium, config.max_tokens)

    def _answer(self, text: str, medium: str | None, max_tokens: int | None) -> ModelOutput:
        from sea_bench.case import Case
        from sea_bench.run.config import AnswerConfig
        from sea_bench.run.runner import CaseRunner

        settled = AnswerConfig(max_new_tokens=max_tokens) if max_tokens else AnswerConfig()
        asker = CaseRunner(self._mllm, settled)
        case = Case("", "", "", self._mllm.adapter.modality, text, None, text, condition="text")
        with self._turn:
            if medium is None:
                shown = asker.encode(case)
            else:
                with media_file(medium) as path:
                    shown = asker.encode(_about(case, path))
            (ids,) = asker.answer([shown])
            prompt = self._mllm.prompt_ids(text, len(shown[1]) if shown[1] is not None else None)
        cut = len(ids) >= settled.max_new_tokens
        output = ModelOutput.from_content(self.model_name, self._mllm.say(ids), "max_tokens" if cut else "stop")
        output.usage = ModelUsage(input_tokens=len(prompt), output_tokens=len(ids), total_tokens=len(prompt) + len(ids))
        return output


def _about(case: Any, path: Path) -> Any:
    from dataclasses import replace

    return replace(case, media=path, condition="media")


def _load(plugin: str, checkpoint: str, trained: str, modality: str | None) -> Any:
    """Load a plugin's model, with the checks of `sea bench run`."""
    from sea_bench.run.lora import check_lora_folder, with_lora
    from sea_core.model.mllm import MLLM
    from sea_core.model.placement import resolve_device, resolve_dtype
    from sea_core.model.selfcheck import check_seam
    from sea_core.plugin import loader

    if trained:
        check_lora_folder(Path(trained))
    _, adapter = loader.adapter(plugin, modality)
    device = resolve_device("auto")
    model, processor = adapter.load(
        checkpoint or adapter.checkpoint, dtype=resolve_dtype("auto", device), device=str(device)
    )
    mllm = MLLM(adapter, model, processor)
    if trained:
        mllm = with_lora(mllm, Path(trained))
    check_seam(mllm)
    return mllm
