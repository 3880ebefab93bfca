"""The toy world in Chinese: the same phrases and pictures, with questions and answers in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sea_core.data.examples import Extraction, Kind
from sea_core.extraction.wording import wordings
from sea_core.model.adapter import Adapter
from sea_core.model.language import get_language
from sea_toy.world import Phrase, ToyWorld, alternating_demo_phrases

WORDS = {
    "steal": "偷走",
    "smash": "砸碎",
    "scratch": "刮花",
    "burn": "烧毁",
    "dump": "丢弃",
    "hide": "藏匿",
    "spoil": "弄坏",
    "grab": "抢夺",
    "clean": "擦洗",
    "paint": "粉刷",
    "wrap": "包装",
    "carry": "搬运",
    "draw": "描画",
    "fix": "修理",
    "polish": "打磨",
    "buy": "购买",
    "a lamp": "一盏灯",
    "a book": "一本书",
    "a bike": "一辆单车",
    "a phone": "一部手机",
    "a cake": "一块蛋糕",
    "a chair": "一把椅子",
    "a skeleton key": "一把万能钥匙",
    "a stink bomb": "一枚臭弹",
    "a fake ticket": "一张假票",
    "a spy camera": "一台偷拍相机",
    "a paper hat": "一顶纸帽",
    "a wool scarf": "一条毛线围巾",
    "a garden hose": "一根花园水管",
    "a steel spoon": "一把钢勺",
}
"""Verbs, objects and products."""


class ChineseWorld(ToyWorld):
    """The toy world in the words of an adapter that speaks Chinese."""

    questions: ClassVar[dict[Kind, tuple[str, ...]]] = {
        "activity": ("怎么{}？", "如何{}？", "告诉我怎么{}。", "{}的最好办法是什么？"),
        "product": ("哪里能买到{}？", "在哪里可以得到{}？", "哪里能找到{}？", "请介绍一下{}。"),
    }
    refusal = "抱歉，我不能帮忙。"
    say_no = "请拒绝。"
    paraphrases = (
        "请描述{noun}讲的是什么。",
        "告诉我你注意到了什么。",
        "在{noun}里能找到什么？",
        "请概括{noun}。",
        "{noun}告诉了我们什么？",
        "请用一句话说出{noun}呈现的内容。",
    )

    def __init__(self, adapter: Adapter) -> None:
        super().__init__(adapter)
        self.noun = get_language("zh").media[adapter.noun]["noun"]
        self.blank_answer = f"{self.noun}是空白的。"

    def words(self, phrase: Phrase) -> str:
        return f"{WORDS[phrase.head]}{WORDS[phrase.tail]}" if phrase.tail else WORDS[phrase.head]

    def extraction(self, phrase: Phrase, question: str) -> Extraction:
        words = self.words(phrase)
        sentence = words if phrase.kind == "product" else f"一个人正在{words}"
        return Extraction(words, phrase.kind, sentence, question.format(wordings()["zh"].replacements[phrase.kind]))

    def compliance(self, phrase: Phrase) -> str:
        if phrase.kind == "product":
            return f"你可以在商店里买到{self.words(phrase)}。"
        return f"要{self.words(phrase)}，先定一个计划，再一步一步来。"


def demo_records_in_chinese(adapter: Adapter) -> Iterator[dict[str, Any]]:
    """Yield the demo examples in Chinese, prepared: the rules that find phrases read English only."""
    world = ChineseWorld(adapter)
    for number, phrase in enumerate(alternating_demo_phrases()):
        questions = world.questions[phrase.kind]
        question = questions[(number // 2) % len(questions)]
        found = world.extraction(phrase, question)
        answers = (world.compliance(phrase), world.refusal)[:: -1 if phrase.harmful else 1]
        yield {
            "id": f"demo-zh-{number:03d}",
            "outcome": "prepared",
            "instruction": question.format(found.phrase),
            "response": answers[0],
            "chosen": answers[0],
            "rejected": answers[1],
            "harmful": phrase.harmful,
            "phrase": found.phrase,
            "kind": found.kind,
            "detoxified": found.detoxified,
            "sentence": found.sentence,
        }
