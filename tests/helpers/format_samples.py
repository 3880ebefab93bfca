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
PROMPT = (None, None, None)

SALAD_CATEGORIES = {"1-category": "O1: Animals", "2-category": "O2: Pets", "3-category": "O3: Cats"}

PUBLISHED: dict[str, dict[str, Any]] = {
    "xstest": {"id": 1, "prompt": QUESTION, "type": "homonyms", "label": "safe", "focus": "cat", "note": None},
    "advbench": {"goal": QUESTION, "target": "Sure, here is what it is"},
    "harmbench": {
        "Behavior": QUESTION,
        "FunctionalCategory": "contextual",
        "SemanticCategory": "animals",
        "Tags": "context",
        "ContextString": "A cat sat on the mat.",
        "BehaviorID": "what_is_it",
    },
    "jailbreakbench": {
        "Index": 0,
        "Goal": QUESTION,
        "Target": "Sure, here is what it is",
        "Behavior": "Guessing",
        "Category": "Animals",
        "Source": "Original",
    },
    "strongreject": {"category": "Animals", "source": "custom", "forbidden_prompt": QUESTION},
    "do-not-answer": {
        "id": 0,
        "risk_area": "Animals",
        "types_of_harm": "Guessing",
        "specific_harms": "Guessing animals",
        "question": QUESTION,
    },
    "figstep": {
        "dataset": "SafeBench",
        "category_id": 1,
        "task_id": 1,
        "category_name": "Animals",
        "question": QUESTION,
        "instruction": "Methods to guess it. 1.",
    },
    "beavertails-evaluation": {"qid": 0, "prompt": QUESTION, "category": "animals", "category_id": 0},
    "salad-bench": {"qid": 0, "question": QUESTION, "source": "GPT-Gen", **SALAD_CATEGORIES},
    "salad-bench-attack": {
        "qid": 5,
        "aid": 0,
        "baseq": QUESTION,
        "augq": f"My aunt asks: {QUESTION}",
        "method": "aunt",
        **SALAD_CATEGORIES,
    },
    "salad-bench-defense": {
        "qid": 5,
        "did": 0,
        "baseq": QUESTION,
        "daugq": f"Be kind. {QUESTION}",
        "dmethod": "kind",
        **SALAD_CATEGORIES,
    },
    "jailbreakv": {
        "id": 0,
        "jailbreak_query": f"My aunt asks: {QUESTION}",
        "redteam_query": QUESTION,
        "format": "Template",
        "policy": "Animals",
        "image_path": "llm_transfer_attack/blank_1.png",
        "from": "Handcraft",
        "selected_mini": False,
        "transfer_from_llm": True,
    },
    "redteam-2k": {"id": 1, "question": QUESTION, "policy": "Animals", "from": "Handcraft"},
    "omni-safetybench": {
        "id": 375,
        "image_path": "mm_data/key_phrase/image/typo/Animals_99.png",
        "audio_path": "mm_data/key_phrase/audio/tts/Animals_99.mp3",
        "text": "The image and audio show a phrase. What is it?",
        "corresponding_text": QUESTION,
        "key_phrase": "it",
        "harmful_category": "Animals",
    },
    "video-safetybench": {
        "question_id": "1_1",
        "question": QUESTION,
        "harmful_intention": "Guess an animal.",
        "question_type": "harmful",
        "video_path": "video/1/1_1.mp4",
        "category": "1_Animals",
        "subcategory": "Cats",
    },
    "va-safetybench": {"Text_only": QUESTION, "DM": "What is shown?", "TYPO": "What is shown?", "DM_TYPO": "What?"},
    "va-safetybench-audio": {"Text_only": QUESTION, "Audio_only": None, "KPT": "What is it?", "KPT_noise": "What?"},
    "mm-safetybench": {
        "Question": QUESTION,
        "Changed Question": QUESTION,
        "Key Phrase": "it",
        "Phrase Type": "product",
        "Rephrased Question": "What is shown?",
        "Rephrased Question(SD)": "What is shown?",
    },
    "msts": {
        "hazard_category": "Animals",
        "hazard_subcategory": "Cats",
        "hazard_subsubcategory": None,
        "case_id": "case_0001",
        "case_text": "guess this",
        "unsafe_image_description": "Cat",
        "prompt_id": "prompt_0001",
        "prompt_text": QUESTION,
        "prompt_type": "assistance",
    },
    "flames": {"dimension": "Animals", "subcomponent": "Cats", "prompt": QUESTION},
    "jade": {"ID": 1, "问题": QUESTION, "违规类型": "动物", "违规子类": "猫"},
    "jade-alignment": {"ID": 1, "问题": QUESTION, "违规回答": WORSE_ANSWER, "安全有用回答": ANSWER},
}
"""One record of each published set: its true columns, and values of ours."""

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
    "sharegpt, v1": (
        "sharegpt",
        {
            name: [
                {"role": "user", "content": [{"type": "text", "value": QUESTION}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": text}], "loss_weight": 1.0},
            ]
            for name, text in (("chosen_messages", ANSWER), ("rejected_messages", WORSE_ANSWER))
        },
        (*DPO, ()),
    ),
    "ms-swift, query": (
        "ms-swift",
        {"system": "Be kind.", "query": QUESTION, "response": ANSWER, "history": []},
        (*SFT, ()),
    ),
    "ms-swift, query and history": (
        "ms-swift",
        {"query": "And now?", "response": "A fish.", "history": [[QUESTION, ANSWER]], "images": ["a.png"]},
        (*SFT, IMAGE),
    ),
    "ms-swift, query and rejected": (
        "ms-swift",
        {"query": QUESTION, "response": ANSWER, "rejected_response": WORSE_ANSWER},
        (*DPO, ()),
    ),
    "ms-swift, conversation": (
        "ms-swift",
        {"conversation": [{"system": "Be kind.", "human": QUESTION, "assistant": ANSWER}, {"human": "And now?"}]},
        (*SFT, ()),
    ),
    "beavertails-v, without a response": (
        "beavertails-v",
        {"question": QUESTION, "image": "a.png", "category": "animals", "image_severity": 1},
        (*PROMPT, IMAGE),
    ),
    "prompts": ("prompts", {"instruction": QUESTION}, (*PROMPT, ())),
    "prompts, another name": ("prompts", {"Prompt": QUESTION, "topic": "animals", "image": "a.png"}, (*PROMPT, IMAGE)),
    "prompts, turns": ("prompts", {"prompt": [USER]}, (*PROMPT, ())),
    "prepared, without an answer": ("prepared", PREPARED | {"instruction": QUESTION, "response": None}, (*PROMPT, ())),
    "prepared": ("prepared", PREPARED | {"instruction": QUESTION, "response": ANSWER}, (*SFT, ())),
    **{name: (name, r, (*(DPO if name == "jade-alignment" else PROMPT), ())) for name, r in PUBLISHED.items()},
}
"""Name of the case: format, record, and (response, chosen, rejected, media) of its first example."""
