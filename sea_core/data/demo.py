"""The bundled demo examples: mild instructions that every bundled toy model can be tried on."""

from pathlib import Path

DEMO_EXAMPLES = Path(__file__).parent / "demo.jsonl"
"""72 mild examples in PKU-SafeRLHF columns, half of them labelled harmful; all within the toy world."""
DEMO_EXAMPLES_BY_LANGUAGE = {"zh": Path(__file__).parent / "demo_zh.jsonl"}
"""The same examples in other languages, prepared: the rules that find phrases read English only."""
