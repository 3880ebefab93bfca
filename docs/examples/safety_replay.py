"""Fine-tune an aligned toy model on harmless data, with and without safety replay, and measure how it refuses.

The fine-tuning is a user's own: transformers' Trainer on pictures and captions, through the model's own processor.
docs/how-to/safety-replay.md has the commands and what came out.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText, AutoProcessor, Trainer, TrainingArguments

from sea_core import ModelTarget, RefusalCurve, SafetyReplay
from sea_core.runs.embedding_run import EmbeddingRun
from sea_toy.spot_check import demo_cases, find_renderer
from sea_toy.world import ToyWorld, demo_phrases


def make_data(kind: str, world: ToyWorld, render: Any, count: int, rng: random.Random) -> list[dict[str, Any]]:
    """Return pictures of benign phrases with questions and answers: captions in a form of their own, or help."""
    benign = [phrase for phrase in demo_phrases() if not phrase.harmful]
    made = []
    for _ in range(count):
        phrase, style = rng.choice(benign), rng.choice(world.adapter.styles)
        sample = world.media_sample(
            "comply" if kind == "help" else rng.choice(("content", "paraphrase")), phrase, style, rng
        )
        sentence = phrase.extraction(rng.choice(world.questions[phrase.kind])).sentence
        answer = sample.answer if kind == "help" else f"{sentence}."
        made.append({"image": render(phrase.text, style, rng), "prompt": sample.prompt, "answer": answer})
    return made


def make_collator(processor: Any, answer_end: str) -> Any:
    """Return a collator as any LLaVA training has it: pictures and texts, and no loss on the question."""

    def collate(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        content = [[{"type": "image"}, {"type": "text", "text": example["prompt"]}] for example in examples]
        chats = [[{"role": "user", "content": each}] for each in content]
        prompts = [processor.apply_chat_template(chat, add_generation_prompt=True) for chat in chats]
        texts = [prompt + example["answer"] + answer_end for prompt, example in zip(prompts, examples, strict=True)]
        images = [example["image"] for example in examples]
        batch = processor(text=texts, images=images, padding=True, padding_side="right", return_tensors="pt")
        asked = processor(text=prompts, images=images, padding=True, padding_side="right", return_tensors="pt")
        batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        for labels, length in zip(batch["labels"], asked["attention_mask"].sum(1), strict=True):
            labels[:length] = -100
        return dict(batch)

    return collate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the run that the model was aligned on")
    parser.add_argument("model", help="the merged model of sea align")
    parser.add_argument("--data", choices=("captions", "help"), default="captions")
    parser.add_argument("--share", type=float, default=0.0, help="of safety replay; 0 for none")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--every", type=int, default=25, help="steps from one measurement to the next")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the JSONL file of the answers")
    given = parser.parse_args()

    adapter = ModelTarget.of_run(EmbeddingRun(given.run), model=given.model).adapter
    render = find_renderer("llava", adapter, print)
    model = AutoModelForImageTextToText.from_pretrained(given.model, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(given.model)
    torch.manual_seed(given.seed)
    layers = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=layers))

    callbacks: list[Any] = [
        RefusalCurve(given.run, file=given.out, every=given.every, cases=demo_cases(adapter, render, given.seed))
    ]
    if given.share:
        callbacks.append(SafetyReplay(given.run, share=given.share))
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            str(given.out.with_suffix("")),
            max_steps=given.steps,
            per_device_train_batch_size=16,
            learning_rate=given.learning_rate,
            seed=given.seed,
            logging_steps=given.every,
            save_strategy="no",
            report_to="none",
            remove_unused_columns=False,
            use_cpu=True,
        ),
        train_dataset=make_data(given.data, ToyWorld(adapter), render, 256, random.Random(given.seed)),
        data_collator=make_collator(processor, adapter.end_token(processor)),
        callbacks=callbacks,
    )
    trainer.train()


if __name__ == "__main__":
    main()
