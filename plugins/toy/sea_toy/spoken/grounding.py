"""Ground a language model in an encoder's output: it learns to read what is spoken.

Four phases. `letters`: the projector alone learns by CTC to spell, each vector of P(E) near the token embedding of a
letter; the language model is not run. `encoder`: the encoder learns with it, and is frozen then. `projector`: it learns
on, through the frozen language model. `answers`: low-rank updates of the language model, merged at the end, and the
projector.
"""

from __future__ import annotations

import random
import shutil
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.placement import fastest_cpu_dtype
from sea_core.plugin.blueprint import ReportLine
from sea_toy import training
from sea_toy.spoken import low_rank
from sea_toy.spoken.clips import silence_parts
from sea_toy.spoken.encoding import RecordedClip, encode
from sea_toy.spoken.phases import Phase, TrainingFolder, run_phase
from sea_toy.spoken.phrases import SpokenPhrase
from sea_toy.spoken.samples import distil_text, draw_sample
from sea_toy.world import TrainingSample

LETTERS = string.ascii_lowercase + string.ascii_uppercase
"""A capital letter begins a word."""
SEPARATOR = "\n"
"""The token that stands for CTC's blank."""
LETTER_SCALE = 20
"""Inverse temperature of the cosines between P(E) and the letters."""
NOISE = 0.1
"""The most noise that is added to E, in standard deviations of E."""
COMPILERS = ("c++", "g++", "clang++")
ENCODED_AT_ONCE = 50
"""Clips."""
VALIDATION_EVERY = 100
VALIDATED = 32
"""At most so many clips, and at most one of VALIDATION_EVERY, are kept for the curve, evenly spread."""
RECIPE = 2
"""Raised with each change after which the same settings train other weights."""


@dataclass(frozen=True)
class GroundingConfig:
    """Lengths of the phases, batch sizes, and how the language model is run.

    Attributes:
        letter_clips: of so many clips E is kept for the first phase.
        rank: of the updates of the language model's weights.
        distilled: plain questions whose answers are taken from the language model itself, beside the fixed ones.
        compiled: compile the language model, where there is a C++ compiler.
        attention: transformers' implementation of attention in training.
    """

    letter_steps: int = 2000
    letter_batch: int = 64
    letter_clips: int = 4000
    encoder_steps: int = 3000
    encoder_batch: int = 32
    projector_steps: int = 100
    answer_steps: int = 1000
    media_batch: int = 96
    text_batch: int = 12
    rank: int = 32
    distilled: int = 48
    compiled: bool = False
    attention: str = "sdpa"


ON_CPU = GroundingConfig(
    encoder_steps=1500, answer_steps=800, media_batch=14, text_batch=2, compiled=True, attention="eager"
)
"""For a machine without a GPU. Eager attention is the faster one there, for inputs of a hundred tokens."""


class Grounding:
    """A model in training, and what it is trained on."""

    def __init__(self, mllm: MLLM, clips: Sequence[RecordedClip], config: GroundingConfig, seed: int) -> None:
        self.mllm, self.config, self.seed = mllm, config, seed
        self.validation = list(clips[:: max(VALIDATION_EVERY, len(clips) // VALIDATED)])[:VALIDATED]
        kept = {id(c) for c in self.validation}
        self.trained_on = [c for c in clips if id(c) not in kept]

    def train(self, folder: TrainingFolder, report: ReportLine) -> None:
        """Train all phases, from the checkpoints in `folder`, and merge the updates.

        Raises:
            SeaError: the checkpoints are of another training.
        """
        self.mllm.model.requires_grad_(False)
        projector = list(self.mllm.projector.parameters())
        for phase in self._spelling(projector):
            run_phase(phase, folder, report)
        self.__dict__.pop("_encoded", None)  # the encoder is another one now
        text = self._distil()
        language_model = self._prepare_language_model()
        run_phase(
            Phase("projector", self.config.projector_steps, projector, self._projector_loss, self.compare_clips),
            folder,
            report,
        )
        torch.manual_seed(self.seed)  # an interrupted training starts from the same updates
        updates = [*low_rank.add_updates(language_model, self.config.rank), *projector]
        run_phase(
            Phase(
                "answers",
                self.config.answer_steps,
                updates,
                lambda step: self._answer_loss(text, step),
                self.compare_clips,
                learning_rate=5e-4,
            ),
            folder,
            report,
        )
        low_rank.merge_updates(language_model)
        self.mllm.model.requires_grad_(False)

    def _spelling(self, projector: Sequence[nn.Parameter]) -> list[Phase]:
        """Return the phases in which the language model is not run."""
        letters = LetterTargets(self.mllm)

        def evaluate() -> Mapping[str, float]:
            phrases = [clip.phrase for clip in self.validation]
            return {"letter_error_rate": letters.error_rate(self._encode(self.validation), phrases)}

        return [
            Phase(
                "letters",
                self.config.letter_steps,
                projector,
                lambda step: self._letter_loss(letters, step),
                evaluate,
                learning_rate=2e-3,
            ),
            Phase(
                "encoder",
                self.config.encoder_steps,
                [*training.encoder_parameters(self.mllm), *projector],
                lambda step: self._encoder_loss(letters, step),
                evaluate,
                learning_rate=2e-4,
            ),
        ]

    @torch.no_grad()
    def compare_clips(self) -> Mapping[str, float]:
        """Return the loss of the answer about the content: with the own clip, and with another's."""
        rng = random.Random(0)
        samples = [draw_sample(self.mllm.adapter, c.phrase, rng, ("content",)) for c in self.validation]
        own = [Embedding(e) for e in self._encode(self.validation)]
        swapped = [*own[1:], *own[:1]]
        return {
            "own": training.sample_loss(self.mllm, samples, own).item(),
            "swapped": training.sample_loss(self.mllm, samples, swapped).item(),
        }

    def _letter_loss(self, letters: LetterTargets, step: int) -> Tensor:
        rng = random.Random(f"{self.seed} letters {step}")
        drawn = rng.sample(self._encoded, min(self.config.letter_batch, len(self._encoded)))
        return letters.loss([features for _, features in drawn], [clip.phrase for clip, _ in drawn])

    @cached_property
    def _encoded(self) -> list[tuple[RecordedClip, Tensor]]:
        """A limited number of clips with their E, while the encoder is as it was."""
        clips = random.Random(f"{self.seed} encoded").sample(
            self.trained_on, min(self.config.letter_clips, len(self.trained_on))
        )
        parts = [clips[start : start + ENCODED_AT_ONCE] for start in range(0, len(clips), ENCODED_AT_ONCE)]
        return [(clip, e.half()) for part in parts for clip, e in zip(part, self._encode(part), strict=True)]

    def _encoder_loss(self, letters: LetterTargets, step: int) -> Tensor:
        rng = random.Random(f"{self.seed} encoder {step}")
        clips = self._draw(self.config.encoder_batch, rng)
        features = encode(self.mllm, [silence_parts(clip.wave, rng) for clip in clips], self._dtype)
        return letters.loss(features, [clip.phrase for clip in clips])

    @torch.no_grad()
    def _encode(self, clips: Sequence[RecordedClip]) -> list[Tensor]:
        return [e.float() for e in encode(self.mllm, [clip.wave for clip in clips], self._dtype)]

    @cached_property
    def _dtype(self) -> torch.dtype:
        """Of matrix products: the faster one."""
        return torch.bfloat16 if self.mllm.device.type == "cuda" else fastest_cpu_dtype()

    def _projector_loss(self, step: int) -> Tensor:
        rng = random.Random(f"{self.seed} projector {step}")
        return self._media_loss(rng, self.config.media_batch, ("content", "transcript"), [])

    def _answer_loss(self, text: Sequence[TrainingSample], step: int) -> Tensor:
        rng = random.Random(f"{self.seed} answers {step}")
        drawn = rng.sample(text, min(len(text), self.config.text_batch))
        return self._media_loss(rng, self.config.media_batch, (), drawn)

    def _media_loss(
        self, rng: random.Random, count: int, skills: Sequence[str], text: Sequence[TrainingSample]
    ) -> Tensor:
        clips = self._draw(count, rng)
        samples = [draw_sample(self.mllm.adapter, c.phrase, rng, skills) for c in clips]
        embeddings = [self._perturb(Embedding(e), rng) for e in self._encode(clips)]
        return training.sample_loss(self.mllm, [*samples, *text], embeddings)

    def _draw(self, count: int, rng: random.Random) -> list[RecordedClip]:
        return rng.sample(self.trained_on, min(count, len(self.trained_on)))

    @staticmethod
    def _perturb(embedding: Embedding, rng: random.Random) -> Embedding:
        generator = torch.Generator().manual_seed(rng.getrandbits(31))
        noise = torch.randn(embedding.features.shape, generator=generator).to(embedding.features)
        features = embedding.features
        return embedding.with_features(features + rng.uniform(0, NOISE) * features.std() * noise)

    def _distil(self) -> list[TrainingSample]:
        rng = random.Random(f"{self.seed} text")
        everyday = [c.phrase for c in self.trained_on if not c.phrase.is_random]
        phrases = rng.sample(everyday, min(self.config.distilled, len(everyday)))
        return distil_text(self.mllm, phrases, rng)

    def _prepare_language_model(self) -> nn.Module:
        """Make the language model ready for training: dtype, attention, compiled or not. The projector stays fp32."""
        model = self.mllm.model
        model.to(self._dtype)
        self.mllm.projector.float()
        model.set_attn_implementation(self.config.attention)
        language_model: nn.Module = self.mllm.adapter.language_model(model)
        if self.config.compiled and any(map(shutil.which, COMPILERS)):
            language_model.compile(dynamic=True)
        return language_model


class LetterTargets:
    """CTC between the vectors of P(E) and the letters of the phrase, by cosine with their token embeddings."""

    def __init__(self, mllm: MLLM) -> None:
        self.mllm = mllm
        ids = [mllm.text_tokenizer.text_ids(symbol)[-1] for symbol in (SEPARATOR, *LETTERS)]
        self.embeddings = mllm.model.get_input_embeddings().weight[ids].detach().float()
        self.directions = nn.functional.normalize(self.embeddings, dim=-1)

    def loss(self, features: Sequence[Tensor], phrases: Sequence[SpokenPhrase]) -> Tensor:
        """Return CTC's loss per letter for E of clips, and how far the size of P(E) is from that of token embeddings.

        Args:
            features: E of each clip, (n_features, d_encoder).
        """
        log_probabilities, lengths, size = self._read(features)
        targets = [torch.tensor(spell(phrase.text)) for phrase in phrases]
        loss = nn.functional.ctc_loss(
            log_probabilities.transpose(0, 1),
            torch.cat(targets).to(lengths.device),
            lengths,
            torch.tensor([len(t) for t in targets], device=lengths.device),
            zero_infinity=True,  # a clip may have fewer vectors than letters
        )
        return loss + (size - 1).square()

    @torch.no_grad()
    def error_rate(self, features: Sequence[Tensor], phrases: Sequence[SpokenPhrase]) -> float:
        """Return edits / letters between what the nearest letters spell and the phrases."""
        log_probabilities, lengths, _ = self._read(features)
        edits = letters = 0
        for phrase, read, length in zip(phrases, log_probabilities.argmax(-1).tolist(), lengths.tolist(), strict=True):
            target = spell(phrase.text)
            edits += count_edits(collapse(read[:length]), target)
            letters += len(target)
        return edits / max(1, letters)

    def _read(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-probabilities, (clips, n_features, symbols); each n_features; and the relative size of P(E)."""
        device = self.mllm.device
        padded = nn.utils.rnn.pad_sequence([e.float() for e in features], batch_first=True).to(device)
        projected = self.mllm.projector(padded).float()
        cosine = nn.functional.normalize(projected, dim=-1) @ self.directions.T
        lengths = torch.tensor([len(e) for e in features], device=device)
        is_real = torch.arange(padded.shape[1], device=device) < lengths[:, None]
        size = projected[is_real].square().mean() / self.embeddings.square().mean()
        return (LETTER_SCALE * cosine).log_softmax(-1), lengths, size


def spell(text: str) -> list[int]:
    """Return the numbers of a text's letters, from 1; the first of a word is a capital."""
    return [LETTERS.index(letter) + 1 for letter in text.title() if letter in LETTERS]


def collapse(symbols: Sequence[int]) -> list[int]:
    """Return what a CTC path spells: repeated symbols once, without separators."""
    return [s for i, s in enumerate(symbols) if s and (i == 0 or s != symbols[i - 1])]


def count_edits(read: Sequence[int], target: Sequence[int]) -> int:
    """Return the edit distance of two sequences."""
    previous = list(range(len(target) + 1))
    for i, symbol in enumerate(read, start=1):
        current = [i]
        for j, other in enumerate(target, start=1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (symbol != other)))
        previous = current
    return previous[-1]
