"""Spoken phrases: what is held out is never trained on, and a clip is rendered once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from lemminflect import getAllLemmas

from sea_core.data.examples import Kind
from sea_core.runs.digests import CACHE_VARIABLE
from sea_qwen2_audio.adapter import Qwen2AudioAdapter
from sea_toy.spoken import clips
from sea_toy.spoken.clips import SECONDS, ClipConfig, plan_clips, render_part, silence_parts, split_parts
from sea_toy.spoken.phrases import LONGEST_RANDOM, SpokenPhrase, split_vocabulary
from sea_toy.spoken.samples import SKILLS, draw_sample
from sea_toy.spoken.study_phrases import studied_phrases, studied_words
from sea_toy.spoken.voices import HELD_OUT, RATE, TRAINED, SpeakingVoice

ESPEAK = ClipConfig(
    4, 0, 0, 2, 2, trained=(SpeakingVoice("espeak", "en-us"),), held_out=(SpeakingVoice("espeak", "en-us+f4"),)
)


def test_held_out_words_and_voices_are_not_trained_on() -> None:
    planned, (words, new_words) = plan_clips(ClipConfig()), split_vocabulary()
    trained = [clip.phrase for clip in planned.pop("train")]
    assert len(trained) == 24_400
    assert (
        not {lemma for phrase in trained for word in phrase.content_words for lemma in lemmas(word)} & new_words.words
    )
    assert {word for clip in planned["words"] for word in clip.phrase.content_words} <= new_words.words
    assert {word for clip in planned["voices"] for word in clip.phrase.content_words} <= words.words
    texts = [phrase.text for phrase in trained] + [c.phrase.text for each in planned.values() for c in each]
    assert len(set(texts)) == len(texts)
    assert not set(TRAINED) & set(HELD_OUT)
    assert {clip.voice for clip in planned["voices"]} == {clip.voice for clip in planned["words and voices"]}
    assert {clip.voice for clip in planned["voices"]} == set(HELD_OUT)
    assert {voice.maker for voice in TRAINED} == {"espeak", "hibari", "kokoro"}


def test_the_words_of_the_study_are_trained_on_but_none_of_its_phrases() -> None:
    planned = plan_clips(ClipConfig())
    counts = Counter(word for clip in planned["train"] for word in clip.phrase.content_words)
    assert min(counts[word] for words in studied_words() for word in words) >= 10
    assert not {clip.phrase.text for clips in planned.values() for clip in clips} & set(studied_phrases())


def lemmas(word: str) -> set[str]:
    """A word, and the words that it may be a form of."""
    return {word, *(lemma for found in getAllLemmas(word).values() for lemma in found)}


def test_random_phrases_have_thousands_of_words_and_no_help_is_trained_with_them() -> None:
    phrases = [clip.phrase for clip in plan_clips(ClipConfig())["train"] if clip.phrase.is_random]
    assert len({word for phrase in phrases for word in phrase.content_words}) > 4000
    assert max(len(phrase.text) for phrase in phrases) <= LONGEST_RANDOM
    adapter, rng = Qwen2AudioAdapter(), random.Random(0)
    assert {draw_sample(adapter, phrase, rng).skill for phrase in phrases} == SKILLS.keys() - {"comply"}


def test_plan_is_the_same_again() -> None:
    assert plan_clips(ESPEAK) == plan_clips(ESPEAK)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("polish an old bike", "activity", "a person is polishing an old bike"),
        ("an old bike", "product", "an old bike"),
    ],
)
def test_sentence(text: str, kind: Kind, sentence: str) -> None:
    assert SpokenPhrase(text, kind, ()).sentence == sentence


def test_clips_are_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (part,) = split_parts(plan_clips(ESPEAK)["train"])
    waves = render_part(part)
    assert len(waves) == len(part) == 6
    assert all(wave.dtype == np.float32 and RATE / 2 < len(wave) <= SECONDS * RATE for wave in waves)
    assert all(np.abs(wave[: -RATE // 2]).max() > 10 * np.abs(wave[-RATE // 5 :]).max() for wave in waves)
    monkeypatch.setattr(clips, "render", None)
    assert all(np.array_equal(a, b) for a, b in zip(waves, render_part(part), strict=True))


def test_parts_of_a_wave_are_silenced_in_a_copy() -> None:
    wave = np.full(RATE, 1000, np.int16)
    silenced = [silence_parts(wave, random.Random(seed)) for seed in range(20)]
    assert all(len(each) == len(wave) and (each != 0).mean() > 0.7 for each in silenced)
    assert sum((each == 0).any() for each in silenced) == 20
    assert (wave == 1000).all()
