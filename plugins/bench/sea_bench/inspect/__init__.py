"""Inspect AI integration: sets as tasks, models as a provider, judges as scorers (`pip install 'sea-bench[inspect]'`).

Inspect finds `registry` through the entry point group `inspect_ai`; no command of `sea` imports this package.

samples    cases as samples, and messages as prompts for our models; works without Inspect
provider   `--model sea/PLUGIN`
scorers    the refusal list, and a language model that rates answers
registry   what Inspect finds
"""
