"""What to type to install distributions of this project."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.model.libraries import install_command


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in (tmp_path, tmp_path / "plugins/bench", tmp_path / "plugins/qwen2_audio"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").touch()
    return tmp_path


def test_in_a_checkout_its_folders_are_named(checkout: Path) -> None:
    bench, audio = checkout / "plugins/bench", checkout / "plugins/qwen2_audio"
    assert install_command("sea-bench", checkout=checkout) == f"pip install -e {bench}"
    assert install_command("sea-qwen2-audio", checkout=checkout) == f"pip install -e {audio}"
    assert install_command("sea-core[ray]", checkout=checkout) == f"pip install -e '{checkout}[ray]'"
    assert install_command("sea-core[all]", checkout=checkout) == f"pip install -e {bench} -e {audio}"
    assert install_command("sea-other", "sea-bench", checkout=checkout) == f"pip install sea-other -e {bench}"


def test_elsewhere_the_distributions_are_named(tmp_path: Path) -> None:
    assert (
        install_command("sea-bench[speech]", "sea-toy", checkout=tmp_path) == "pip install 'sea-bench[speech]' sea-toy"
    )
    assert install_command("sea-core[all]", checkout=tmp_path) == "pip install 'sea-core[all]'"
