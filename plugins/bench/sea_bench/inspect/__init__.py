"""Inspect AI (optional, `pip install 'sea-bench[inspect]'`): sets as tasks, models as a provider, judges as scorers.

Inspect finds `registry` through the entry point group `inspect_ai`; no command of `sea` imports this folder.

samples    a case -> a sample, and a sample's messages -> what a model of ours is asked; needs no Inspect
provider   `--model sea/PLUGIN`
scorers    the list of refusals, and a language model that rates answers
registry   what Inspect sees
"""
