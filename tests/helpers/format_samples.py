"""One record of each public format, and the example that it becomes."""

from __future__ import annotations

from typing import Any

ASKED, SAID, WORSE = "What is it?", "A cat.", "A dog."


HUMAN, GPT = {"from": "human", "value": f"<image>{ASKED}"}, {"from": "gpt", "value": SAID}


USER, ASSISTANT = {"role": "user", "content": ASKED}, {"role": "assistant", "content": SAID}


OTHER = {"role": "assistant", "content": WORSE}


PARTS = [{"type": "image"}, {"type": "text", "text": ASKED}]


BOTH = {"chosen": SAID, "rejected": WORSE}


PKU = {
    "prompt": ASKED,
    "response_0": WORSE,
    "response_1": SAID,
    "is_response_0_safe": False,
    "is_response_1_safe": True,
    "better_response_id": 0,
    "safer_response_id": 1,
}


V_PAIR = {
    "question": ASKED,
    "image": "a.png",
    "response_1": WORSE,
    "response_2": SAID,
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
        {"safe_instruction": ASKED, "response": SAID},
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


# name of the case: format, record, and what the first row is: (response, chosen, rejected, media).
SFT, DPO, IMAGE = (SAID, None, None), (None, SAID, WORSE), ("a.png",)


GOLDEN: dict[str, tuple[str, dict[str, Any], tuple[Any, ...]]] = {
    "plain": ("plain", {"instruction": ASKED, "response": SAID}, (*SFT, ())),
    "plain, media": ("plain", {"instruction": ASKED, **BOTH, "image": "a.png"}, (*DPO, IMAGE)),
    "pku": ("pku-saferlhf", PKU, (SAID, SAID, WORSE, ())),
    "hh": (
        "hh-rlhf",
        {name: f"\n\nHuman: {ASKED}\n\nAssistant: {text}" for name, text in BOTH.items()},
        (*DPO, ()),
    ),
    "beavertails": (
        "beavertails",
        {"prompt": ASKED, "response": SAID, "category": {"privacy_violation": False}, "is_safe": True},
        (*SFT, ()),
    ),
    "beavertails-v, one": (
        "beavertails-v",
        {"question": ASKED, "image": "a.png", "response": SAID, "is_response_safe": True},
        (*SFT, IMAGE),
    ),
    "beavertails-v, two": ("beavertails-v", V_PAIR, (SAID, SAID, WORSE, IMAGE)),
    "spa-vl": ("spa-vl", {"id": 1, "image": "a.png", "question": ASKED, **BOTH}, (*DPO, IMAGE)),
    "vlguard": ("vlguard", VLGUARD, (*SFT, IMAGE)),
    "alpaca": ("alpaca", {"instruction": "What", "input": "is it?", "output": SAID}, (*SFT, ())),
    "alpaca, pair": ("alpaca", {"instruction": ASKED, "input": "", **BOTH}, (*DPO, ())),
    "sharegpt": ("sharegpt", {"conversations": [HUMAN, GPT], "images": ["a.png"]}, (*SFT, IMAGE)),
    "sharegpt, pair": (
        "sharegpt",
        {"conversations": [HUMAN], "chosen": GPT, "rejected": GPT | {"value": WORSE}, "images": "a.png"},
        (*DPO, IMAGE),
    ),
    "sharegpt, messages": ("sharegpt", {"messages": [USER], "chosen": ASSISTANT, "rejected": OTHER}, (*DPO, ())),
    "ms-swift": (
        "ms-swift",
        {
            "messages": [USER | {"content": f"<video>{ASKED}"}, ASSISTANT],
            "videos": ["a.mp4"],
            "rejected_response": WORSE,
        },
        (*DPO, ("a.mp4",)),
    ),
    "ms-swift, rejected_messages": (
        "ms-swift",
        {"messages": [USER, ASSISTANT], "rejected_messages": [USER, OTHER]},
        (*DPO, ()),
    ),
    "ms-swift, audio": ("ms-swift", {"messages": [USER, ASSISTANT], "audios": ["a.wav"]}, (*SFT, ("a.wav",))),
    "trl, prompt and completion": ("trl", {"prompt": ASKED, "completion": SAID}, (*SFT, ())),
    "trl, pair": ("trl", {"prompt": ASKED, **BOTH}, (*DPO, ())),
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
    "prepared": ("prepared", PREPARED | {"instruction": ASKED, "response": SAID}, (*SFT, ())),
}
