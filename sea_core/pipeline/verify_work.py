"""The held-out questions that `sea verify` asks, as work that several processes may share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from sea_core.errors import RunError
from sea_core.judges.base import Judge
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.score import run_judge, unjudged
from sea_core.pipeline.launch import WorkerCommand
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.shared_work import SharedWork
from sea_core.runs.block import HINT, Block, BlockRow
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.schema import parse_json
from sea_core.verification.verify import (
    BATCH_SIZE,
    AskedQuestion,
    VerificationAnswers,
    generate_answers,
    questions,
    read_answers,
)

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

VERIFY_BLOCKS = "verify_blocks"


class VerifyWork(SharedWork[EmbeddingRun]):
    """Held-out questions about the embeddings of a run: a row is a question about one of them."""

    title = "verify"
    unit: ClassVar[str] = "questions"
    blocks_name: ClassVar[str] = VERIFY_BLOCKS

    def __init__(self, run: EmbeddingRun, target: ModelTarget, mllm: MLLM | None = None) -> None:
        super().__init__(run, WorkerCommand.of(target))
        self.adapter, self.mllm = target.adapter, mllm
        self._target = target

    @property
    def batch_size(self) -> int:
        return BATCH_SIZE

    def rows(self) -> list[BlockRow]:
        """Return all questions, answered or not."""
        return [
            {"id": _row_id(record["id"], question), "value": {}}
            for record, question in questions(self.adapter, self.run)
        ]

    def load(self) -> None:
        self.mllm = self.mllm or self._target.load()

    def run_in(self, block: Block) -> EmbeddingRun:
        """Return the run without its own answers: they are about no row that was cut into a block."""
        run = super().run_in(block)
        run.answers = run.answers.elsewhere(block.folder.path)
        return run

    def left(self, run: EmbeddingRun, rows: Sequence[BlockRow]) -> list[BlockRow]:
        answered = {(answer["id"], answer["question"]) for answer in read_answers(run)}
        return [row for row in rows if _question(row) not in answered]

    def do(self, run: EmbeddingRun, rows: Sequence[BlockRow]) -> Iterator[int]:
        assert self.mllm
        yield from generate_answers(self.mllm, run, among={_question(row) for row in rows})

    def finish(self, progress: Progress) -> None:
        """Let the lexical judge score the answers: it needs no model."""
        judge_answers(self.run, progress=progress)

    def give_up(self, run: EmbeddingRun, row: BlockRow, reason: str) -> None:
        """Store nothing: the question stays unanswered, and the next `sea verify` asks it again."""


def _row_id(embedding_id: str, question: str) -> str:
    return json.dumps([embedding_id, question])


def _question(row: BlockRow) -> AskedQuestion:
    what = "a row of the blocks"
    return parse_json(row["id"], tuple[str, str], what=what, hint=HINT, where=VERIFY_BLOCKS, error=RunError)


def judge_answers(run: EmbeddingRun, judges: Sequence[Judge] = (), progress: Progress = SILENT) -> None:
    """Let judges score the stored answers; by default the lexical judge."""
    answers = VerificationAnswers(run)
    total = len(answers.stored_answers())
    for judge in judges or (LexicalJudge(),):
        with progress.track(f"judge {judge.name}", total, total - len(unjudged(answers, judge))) as tracker:
            for count in run_judge(answers, judge):
                tracker.advance(count)
