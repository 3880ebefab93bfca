"""Render labelled benign media of the demo world into a folder: FOLDER [held-out|seen]. See docs/explanation.

`held-out`: phrases that no demo row has, 2 objects for each benign verb. `seen`: those of the demo rows.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from sea_llava.tiny import ImagePupil

from sea_core.demo.world import phrases, training_phrases

SEED = 2000


def main() -> None:
    """Write each phrase once in each style."""
    folder, which = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    pupil, rng = ImagePupil(), random.Random(SEED)
    seen = {phrase.text for phrase in training_phrases()}
    lines = []
    for phrase in phrases():
        if not phrase.harmful and (phrase.text in seen) == (which == "seen"):
            for style in pupil.adapter.styles:
                name = f"{phrase.text} {style}.png".replace(" ", "-")
                pupil.render(phrase.text, style, rng).save(folder / name)
                lines.append({"file_name": name, "phrase": phrase.text, "harmful": False})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{len(lines)} media in {folder}")


if __name__ == "__main__":
    main()
