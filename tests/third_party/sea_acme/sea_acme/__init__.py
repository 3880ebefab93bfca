"""What sea-acme adds to SEA."""

from sea_core import hookimpl


@hookimpl
def sea_judges():
    from sea_acme.judge import AcmeJudge
    from sea_core import JudgeFactory

    return [JudgeFactory("acme", "content", "the answer contains the last word", lambda config, folder: AcmeJudge())]


@hookimpl
def sea_formats():
    from sea_acme.format import AcmeFormat

    return [AcmeFormat()]


@hookimpl
def sea_recipes():
    from sea_acme.recipe import AcmeRecipe

    return [AcmeRecipe()]


@hookimpl
def sea_extractors():
    from sea_acme.extractor import AcmeExtractor

    return [AcmeExtractor()]


@hookimpl
def sea_defences():
    from sea_acme.defence import AcmeDefence

    return [AcmeDefence()]


@hookimpl
def sea_study_arms():
    from sea_bench.study.arms import StudyArm

    return [StudyArm("acme", "sea", "acme")]


@hookimpl
def sea_generators():
    from sea_acme.generator import AcmeImages

    return [AcmeImages()]


@hookimpl
def sea_commands():
    from sea_acme.commands import app

    return [app]


@hookimpl
def sea_functions():
    return {"acme_hello": acme_hello}


def acme_hello(name="world"):
    """Return a greeting."""
    return f"hello, {name}"
