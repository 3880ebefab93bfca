"""VA-SafetyBench, MM-SafetyBench and benchmarks of the same make in any modality: read, build, pick (paper, section 4).

case       what is put to a model
texts      what a case is built from, and the published wording
layout     names, folders and counts of the published sets
source     MM-SafetyBench's texts, or a table's
read       a folder -> cases, and what is wrong with it
sets       the tasks of each modality, and how their media are made
build      texts -> a folder in the published layout
picks      which of a case's candidates a person chose
"""

from sea_core.safetybench.case import Case, Condition
from sea_core.safetybench.read import Benchmark, Finding, read

__all__ = ["Benchmark", "Case", "Condition", "Finding", "read"]
