"""`sea optimize` from Python: prepare, optimise, audit and verify, into a run folder that can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import RunError
from sea_core.extraction.prepare import Preparation
from sea_core.llm.config import LLMConfig
from sea_core.model.checkpoint import read_card
from sea_core.model.embedding import load_embedding
from sea_core.model.media_folder import encode_files, media_digest, media_files, sorted_by_content
from sea_core.model.proof import check_seam
from sea_core.model.text_check import require_accepted
from sea_core.optimization.audit import audit, unaudited
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.lr_search import EXAMPLES, GRID, search_lr
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.recipes.base import Recipe
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import POOL, RECIPES, parse_recipes, split_names
from sea_core.optimization.record import make_skipped_record, store_result
from sea_core.optimization.solved_start import first_examples, mean_start
from sea_core.pipeline.extraction import ExtractorSession
from sea_core.pipeline.inputs import DataSpec, ModelTarget
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.texts import goal_texts
from sea_core.pipeline.verify import ask_and_judge
from sea_core.plugin import loader
from sea_core.runs.embedding_files import tensor_digest
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata, EmbeddingRun
from sea_core.runs.manifest import DataIdentity

if TYPE_CHECKING:
    from sea_core.data.examples import PreparedExample
    from sea_core.data.result import ReadResult
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class Synthesis:
    """How embeddings are made.

    Attributes:
        config: every number of the optimisation.
        recipe: names of recipes, as in "plain,noise", or "pool" for all.
        recipes: all known recipes, with their settings; by default those of `known_recipes`.
        benign_media: a folder of real benign media, for the recipes that need them.
        extractor: which extractor finds the phrases. llm: how it asks a language model.
    """

    config: OptimizeConfig = field(default_factory=OptimizeConfig)
    recipe: str = "plain"
    recipes: tuple[Recipe, ...] = ()
    benign_media: Path | None = None
    extractor: str = "rules"
    llm: LLMConfig = field(default_factory=LLMConfig)

    def __post_init__(self) -> None:
        if not self.recipes:
            object.__setattr__(self, "recipes", known_recipes(self.recipe))

    @cached_property
    def media(self) -> tuple[Path, ...]:
        """The benign media, in an order that does not depend on their names. They are listed once.

        Raises:
            DataError: the folder does not exist, or contains no media.
        """
        return tuple(sorted_by_content(media_files(self.benign_media))) if self.benign_media else ()

    @cached_property
    def wanted(self) -> tuple[Recipe, ...]:
        """The recipes to use. Raises SeaError for an unknown one, or one that lacks its benign media."""
        return parse_recipes(self.recipe, bool(self.media), self.recipes)

    def identity(self) -> dict[str, Any]:
        """Return what an embedding depends on. More recipes and draws may follow: they change no other embedding."""
        config = asdict(self.config)
        for name in ("batch_size", "draws", "compile"):
            config.pop(name)
        media = media_digest(self.media) if self.media else None
        return {"config": config, "recipes": {r.name: asdict(r) for r in self.recipes}, "benign_media": media}


def known_recipes(names: str) -> tuple[Recipe, ...]:
    """Return the built-in recipes, and those of plugins that `names` ("plain,mine") contains.

    Others of plugins are left out, so that a run does not depend on which plugins are installed.

    Raises:
        SeaError: there is no such recipe.
    """
    registry = loader.recipes()
    named = [registry.get(name, also=(POOL,)) for name in split_names(names) if name != POOL]
    return tuple(dict.fromkeys((*RECIPES, *named)))


@dataclass(frozen=True)
class PendingRun:
    """A run that is ready to be optimised.

    Attributes:
        read: the examples of the text safety set. preparation: what became of them.
        todo: one prepared example for each embedding, recipes and draws expanded.
    """

    read: ReadResult
    preparation: Preparation
    todo: Sequence[PreparedExample]


def optimize(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    out: Path | str,
    synthesis: Synthesis | None = None,
    verify: bool = True,
    progress: Progress = SILENT,
) -> EmbeddingRun:
    """Make a synthetic embedding for each example of a text safety set, and verify them.

    The run folder is what `sea show`, `sea verify` and `sea align` take. Calling again with the same arguments resumes
    a run that was stopped.

    Args:
        data: the text safety set; None for the bundled demo examples.
        model: the model, or a plugin's name for its own model.
        out: the run folder.
        synthesis: how embeddings are made; the defaults are those of `sea optimize`.
        verify: ask held-out questions about the embeddings afterwards (VSR).

    Raises:
        DataError: the set cannot be read.
        PluginError, ModelError: the model cannot be used.
        RunError: `out` holds a run with different settings, or something else.
    """
    synthesis = synthesis or Synthesis()
    run, _ = optimize_into(DataSpec.of(data), ModelTarget.of(model), Path(out), synthesis, verify, progress)
    return run


def optimize_into(
    data: DataSpec, target: ModelTarget, folder: Path, synthesis: Synthesis, verify: bool, progress: Progress
) -> tuple[EmbeddingRun, Preparation]:
    """Do what `optimize` does; return the preparation too, whose skipped examples the command line lists."""
    target.note_limits(progress)
    _ = synthesis.wanted  # a wrong recipe or media folder is reported before a language model is asked for phrases
    session = ExtractorSession.open(synthesis.extractor, synthesis.llm, folder, progress, target.adapter.language)
    plan = prepare_run(data, target, synthesis, session, progress)
    session.note_usage(progress)
    run = EmbeddingRun.start(folder, make_manifest(data, target, synthesis, session, plan))
    with run.writing(makes_embeddings=True):
        run.write_skipped(map(make_skipped_record, plan.preparation.skipped))
        work = _Work(run, target, synthesis, plan, progress)
        work.optimise()
        work.audit()
        if verify:
            ask_and_judge(run, target, work.mllm, progress=progress)
    return run, plan.preparation


def prepare_run(
    data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession | None, progress: Progress
) -> PendingRun:
    """Read and prepare the examples, and expand recipes and draws.

    Raises:
        SeaError: with `start=solved`, there are too few examples for a start.
    """
    config, recipes = synthesis.config, synthesis.wanted
    read = data.read(progress)
    extractor = session.extractor if session else None
    preparation = data.prepare(
        read, target.adapter, seed=config.seed, benign=config.benign_examples, extractor=extractor
    )
    todo = expand(preparation.prepared, recipes, target.adapter, config.draws, config.seed, data.style_set())
    if config.start == "solved":
        first_examples(todo)
    return PendingRun(read, preparation, todo)


def make_manifest(
    data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession, plan: PendingRun
) -> EmbeddingManifest:
    """Return the manifest of the run that a plan makes or resumes."""
    identity = EmbeddingIdentity(
        sea=version("sea-core"),
        model=model_identity(target),
        data=DataIdentity(plan.read.digest, plan.read.format, data.columns),
        source="text",
        extractor=session.extractor.identity(),
        styles=data.style_set(),
        **synthesis.identity(),
    )
    metadata = EmbeddingMetadata(
        purpose="synthetic embeddings for safety alignment (SEA)",
        model=model_location(target),
        data_path=str(data.file),
        embeddings=len(plan.todo),
        limits=read_card(target.checkpoint).get("limits", ""),
        skipped=len(plan.preparation.skipped),
        invalid=len(plan.read.invalid),
        skip_counts=plan.read.skip_counts,
        unlabelled=sum(not prepared.example.labelled for prepared in plan.preparation.prepared),
    )
    return EmbeddingManifest(identity=identity, metadata=metadata)


@dataclass
class _Work:
    """What is left to do in a run. The model is loaded when it is first needed."""

    run: EmbeddingRun
    target: ModelTarget
    synthesis: Synthesis
    plan: PendingRun
    progress: Progress
    mllm: MLLM | None = None

    def model(self) -> MLLM:
        self.mllm = self.mllm or self.target.load()
        return self.mllm

    def optimise(self) -> None:
        """Optimise the embeddings that the run does not have."""
        left = self.left(self.plan.todo)
        if not left:
            return
        mllm = self.model()
        require_accepted(mllm, goal_texts(left, self.plan.read.path))
        check_seam(mllm)
        config = self.resolved_config()
        if config.start == "blank":
            self.optimise_from(None, left, config)
            return
        first = first_examples(self.plan.todo)
        self.optimise_from(None, self.left(first), replace(config, start="blank"))
        self.optimise_from(self.solved_start(first), self.left(self.plan.todo), self.resolved_config())

    def left(self, examples: Sequence[PreparedExample]) -> list[PreparedExample]:
        """Return the examples whose embeddings the run does not have."""
        done = self.run.store.ids()
        return [example for example in examples if example.id not in done]

    def optimise_from(
        self, start: Embedding | None, examples: Sequence[PreparedExample], config: OptimizeConfig
    ) -> None:
        """Optimise and store the embeddings of these examples, from the blank or from another start."""
        if not examples:
            return
        optimization = Optimization(
            self.model(),
            examples,
            config,
            start=start,
            recipes=self.synthesis.recipes,
            benign=self.benign_embeddings(examples),
        )
        self._report_forward(optimization)
        by_id, total = {example.id: example for example in examples}, len(self.plan.todo)
        with self.progress.track("optimize", total, total - len(self.left(self.plan.todo))) as tracker:
            for result in optimization.run(on_fallback=lambda: self._report_forward(optimization)):
                store_result(self.run, by_id[result.id], result)
                tracker.advance(note=f"{result.status}, loss {result.loss:.4f}")
        if self.run.manifest.resolved.compiled != optimization.forward.compiled:  # it stopped in the middle of the run
            self._report_forward(optimization)

    def _report_forward(self, optimization: Optimization) -> None:
        """Store how the goals are run, and say it if they are not packed."""
        self.run.resolve(replace(optimization.resolved(), start=self.run.manifest.resolved.start))
        if reason := optimization.forward.fallback_reason:
            self.progress.note(f"each goal runs as its own sequence, which takes about twice as long: {reason}")
        if optimization.forward.compiled:
            self.progress.note("the decoder's layers are compiled: one graph for all examples")
        elif reason := optimization.forward.compile_reason:
            self.progress.note(f"the decoder's layers are not compiled: {reason}")

    def solved_start(self, first: Sequence[PreparedExample]) -> Embedding:
        """Return the mean of the stored embeddings of these examples, and store its digest in the manifest.

        Raises:
            RunError: it is not the one that other embeddings of the run started at.
        """
        records = map(self.run.store.record, (example.id for example in first))
        start = mean_start([load_embedding(self.run, r["id"]) for r in records if r["status"] == "succeeded"])
        digest, resolved = tensor_digest(start.features), self.run.manifest.resolved
        if resolved.start not in (None, digest):
            raise RunError(
                f"the mean of the first {len(first)} embeddings is not the one that the others started at: one of them "
                "was damaged and made again, with other rounding",
                hint="Restore the folder from a backup, or make a new run: sea optimize ... --out NEW",
                where=str(self.run.folder),
            )
        self.run.resolve(replace(resolved, start=digest))
        return start

    def resolved_config(self) -> OptimizeConfig:
        """Return the config with numbers in place of `auto`: those that the run was started with, if it is resumed."""
        config, resolved = self.synthesis.config, self.run.manifest.resolved
        if config.margin == "auto" and resolved.margin is not None:
            config = replace(config, margin=resolved.margin)
        if config.lr != "auto":
            return config
        if resolved.lr is not None:
            return replace(config, lr=resolved.lr)
        prepared = self.plan.preparation.prepared
        rates = ", ".join(map(str, GRID))
        self.progress.note(f"lr=auto: trying {rates} on {min(EXAMPLES, len(prepared))} examples")
        found = search_lr(self.model(), prepared, config, self.run.tuning)
        self.progress.note(f"lr=auto selected {found.lr} (trials in tuning.jsonl)")
        return found

    def benign_embeddings(self, examples: Sequence[PreparedExample]) -> list[Embedding]:
        """Return the benign media's embeddings, if the recipe of an example needs them."""
        needing = {recipe.name for recipe in self.synthesis.recipes if recipe.needs_media}
        if not needing & {example.recipe for example in examples}:
            return []
        files, found = self.synthesis.media, []
        with self.progress.track("encode", len(files)) as tracker:
            for embedding in encode_files(self.model(), files):
                found.append(embedding)
                tracker.advance()
        return found

    def audit(self) -> None:
        """Generate from about one success in a hundred: the answers must be those that the steps saw."""
        if unaudited(self.run):
            for _ in audit(self.model(), self.run):
                pass
