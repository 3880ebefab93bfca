"""A small model that reads EEG: an encoder and a projector in front of a causal language model of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, GenerationMixin, LlamaConfig, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from sea_eeg.adapter import CHANNELS, STEP


class EegConfig(PreTrainedConfig):
    model_type = "eeg"

    def __init__(self, text_config: Any = None, width: int = 64, eeg_token_id: int = 0, **kwargs: Any) -> None:
        self.text_config = text_config if isinstance(text_config, LlamaConfig) else LlamaConfig(**(text_config or {}))
        self.width, self.eeg_token_id = width, eeg_token_id
        super().__init__(**kwargs)


class EegEncoder(nn.Module):
    """M: (batch, channels, samples) to (batch, samples / STEP, width). Each vector depends on its own samples only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.waves = nn.Conv1d(CHANNELS, width, STEP // 2, stride=STEP // 4)
        self.rows = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width))

    def forward(self, signals: Tensor) -> Tensor:
        signals = signals.to(self.waves.weight.dtype)
        windows = signals.unfold(2, STEP, STEP).transpose(1, 2)  # (batch, vectors, channels, STEP)
        power = self.waves(windows.flatten(0, 1)).square().log1p()
        features: Tensor = self.rows(power.flatten(1))
        return features.unflatten(0, windows.shape[:2])


class EegPreTrained(PreTrainedModel):
    config_class = EegConfig
    base_model_prefix = "model"


class EegModel(EegPreTrained):
    """The backbone: the vectors of P(M(signals)) replace the embeddings of the EEG tokens."""

    def __init__(self, config: EegConfig) -> None:
        super().__init__(config)
        self.encoder = EegEncoder(config.width)
        self.projector = nn.Linear(config.width, config.text_config.hidden_size)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def forward(
        self,
        input_ids: Any = None,
        input_features: Any = None,
        n_features: Any = None,
        inputs_embeds: Any = None,
        **kwargs: Any,
    ) -> Any:
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
            if input_features is not None:
                projected = self.projector(self.encoder(input_features))
                is_real = torch.arange(projected.shape[1], device=n_features.device) < n_features[:, None]
                is_placeholder = (input_ids == self.config.eeg_token_id)[..., None]
                vectors = projected[is_real].to(inputs_embeds.dtype)
                inputs_embeds = inputs_embeds.masked_scatter(is_placeholder, vectors)
        return self.language_model(inputs_embeds=inputs_embeds, **kwargs)


class EegForCausalLM(EegPreTrained, GenerationMixin):
    """The backbone with the language model's head."""

    def __init__(self, config: EegConfig) -> None:
        super().__init__(config)
        self.model = EegModel(config)
        self.lm_head = nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(self, input_ids: Any = None, input_features: Any = None, n_features: Any = None, **kwargs: Any) -> Any:
        out = self.model(input_ids=input_ids, input_features=input_features, n_features=n_features, **kwargs)
        return CausalLMOutputWithPast(logits=self.lm_head(out.last_hidden_state), past_key_values=out.past_key_values)


class EegProcessor:
    """What SEA uses as the processor: the tokenizer and its chat template."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def apply_chat_template(self, chat: Any, **kwargs: Any) -> Any:
        return self.tokenizer.apply_chat_template(chat, **kwargs)

    def save_pretrained(self, folder: str | Path) -> None:
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def from_pretrained(cls, checkpoint: str, revision: str | None = None) -> EegProcessor:
        return cls(AutoTokenizer.from_pretrained(checkpoint, revision=revision))
