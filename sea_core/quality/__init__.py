"""The second view of a run's embeddings: how they lie beside real media, and whether what is learnt on them reads real
media. VSR asks the model; this asks the vectors.
"""

from sea_core.quality.config import QualityConfig
from sea_core.quality.labelled import Medium, Real, label_of, labelled
from sea_core.quality.view import View

__all__ = ["Medium", "QualityConfig", "Real", "View", "label_of", "labelled"]
