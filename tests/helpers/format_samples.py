"""Sample records of each format, and the examples that they become."""

from __future__ import annotations

from typing import Any

QUESTION, ANSWER, WORSE_ANSWER = "What is it?", "A cat.", "A dog."

HUMAN, GPT = {"from": "human", "value": f"<image>{QUESTION}"}, {"from": "gpt", "value": ANSWER}
USER, ASSISTANT = {"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}
OTHER = {"role": "assistant", "content": WORSE_ANSWER}
PARTS = [{"type": "image"}, {"type": "text", "text": QUESTION}]
BOTH = {"chosen": ANSWER, "rejected": WORSE_ANSWER}

PKU = {
    "prompt": QUESTION,
    "response_0": WORSE_ANSWER,
    "response_1": ANSWER,
    "is_response_0_safe": False,
    "is_response_1_safe": True,
    "better_response_id": 0,
    "safer_response_id": 1,
}

V_PAIR = {
    "question": QUESTION,
    "image": "a.png",
    "response_1": WORSE_ANSWER,
    "response_2": ANSWER,
    "is_response_1_safe": False,
    "is_response_2_safe": True,
    "more_helpful_response_id": "1",
    "safer_response_id": "2",
}

VLGUARD = {
    "id": "7",
    "image": "a.png",
    "safe": True,
    "instr-resp": [
        {"safe_instruction": QUESTION, "response": ANSWER},
        {"unsafe_instruction": "Mock it.", "response": "No."},
    ],
}

PREPARED = {
    "id": "p",
    "line": 4,
    "instruction": "How do I pick a lock?",
    "response": "No.",
    "chosen": None,
    "rejected": None,
    "harmful": True,
    "phrase": "pick a lock",
    "kind": "activity",
    "sentence": "a person is picking a lock",
    "detoxified": "How do I do this activity?",
    "style": "photo",
    "outcome": "prepared",
}

SFT, DPO, IMAGE = (ANSWER, None, None), (None, ANSWER, WORSE_ANSWER), ("a.png",)

SAMPLES: dict[str, tuple[str, dict[str, Any], tuple[Any, ...]]] = {
    "plain": ("plain", {"instruction": QUESTION, "response": ANSWER}, (*SFT, ())),
    "plain, media": ("plain", {"instruction": QUESTION, **BOTH, "image": "a.png"}, (*DPO, IMAGE)),
    "pku": ("pku-saferlhf", PKU, (ANSWER, ANSWER, WORSE_ANSWER, ())),
    "hh": (
        "hh-rlhf",
        {name: f"\n\nHuman: {QUESTION}\n\nAssistant: {text}" for name, text in BOTH.items()},
        (*DPO, ()),
    ),
    "beavertails": (
        "beavertails",
        {"prompt": QUESTION, "response": ANSWER, "category": {"privacy_violation": False}, "is_safe": True},
        (*SFT, ()),
    ),
    "beavertails-v, one": (
        "beavertails-v",
        {"question": QUESTION, "image": "a.png", "response": ANSWER, "is_response_safe": True},
        (*SFT, IMAGE),
    ),
    "beavertails-v, two": ("beavertails-v", V_PAIR, (ANSWER, ANSWER, WORSE_ANSWER, IMAGE)),
    "spa-vl": ("spa-vl", {"id": 1, "image": "a.png", "question": QUESTION, **BOTH}, (*DPO, IMAGE)),
    "vlguard": ("vlguard", VLGUARD, (*SFT, IMAGE)),
    "alpaca": ("alpaca", {"instruction": "What", "input": "is it?", "output": ANSWER}, (*SFT, ())),
    "alpaca, pair": ("alpaca", {"instruction": QUESTION, "input": "", **BOTH}, (*DPO, ())),
    "sharegpt": ("sharegpt", {"conversations": [HUMAN, GPT], "images": ["a.png"]}, (*SFT, IMAGE)),
    "sharegpt, pair": (
        "sharegpt",
        {"conversations": [HUMAN], "chosen": GPT, "rejected": GPT | {"value": WORSE_ANSWER}, "images": "a.png"},
        (*DPO, IMAGE),
    ),
    "sharegpt, messages": ("sharegpt", {"messages": [USER], "chosen": ASSISTANT, "rejected": OTHER}, (*DPO, ())),
    "ms-swift": (
        "ms-swift",
        {
            "messages": [USER | {"content": f"<video>{QUESTION}"}, ASSISTANT],
            "videos": ["a.mp4"],
            "rejected_response": WORSE_ANSWER,
        },
        (*DPO, ("a.mp4",)),
    ),
    "ms-swift, rejected_messages": (
        "ms-swift",
        {"messages": [USER, ASSISTANT], "rejected_messages": [USER, OTHER]},
        (*DPO, ()),
    ),
    "ms-swift, audio": ("ms-swift", {"messages": [USER, ASSISTANT], "audios": ["a.wav"]}, (*SFT, ("a.wav",))),
    "trl, prompt and completion": ("trl", {"prompt": QUESTION, "completion": ANSWER}, (*SFT, ())),
    "trl, pair": ("trl", {"prompt": QUESTION, **BOTH}, (*DPO, ())),
    "trl, messages": ("trl", {"messages": [USER, ASSISTANT]}, (*SFT, ())),
    "trl, parts": (
        "trl",
        {"images": ["a.png"], "prompt": [USER | {"content": PARTS}], "chosen": [ASSISTANT], "rejected": [OTHER]},
        (*DPO, IMAGE),
    ),
    "trl, parts that name their medium": (
        "trl",
        {"prompt": [USER | {"content": [{"type": "image", "image": "a.png"}, PARTS[1]]}], "completion": [ASSISTANT]},
        (*SFT, IMAGE),
    ),
    "trl, implicit prompt": ("trl", {"chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}, (*DPO, ())),
    "prepared": ("prepared", PREPARED | {"instruction": QUESTION, "response": ANSWER}, (*SFT, ())),
}
"""Name of the case: format, record, and (response, chosen, rejected, media) of its first example."""
