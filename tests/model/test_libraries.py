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


def test_what_a_distribution_needs_is_named_too_where_it_is_not_installed(checkout: Path) -> None:
    needing = checkout / "plugins/needing"
    needing.mkdir()
    (needing / "pyproject.toml").write_text(
        '[project]\ndependencies = ["sea-absent[speech]>=0.1", "sea-core", "numpy"]\n'
    )
    absent = checkout / "plugins/absent"
    absent.mkdir()
    (absent / "pyproject.toml").touch()
    (checkout / "constraints.txt").touch()
    pins = f"-c {checkout / 'constraints.txt'}"  # sea-core is installed
    assert install_command("sea-needing", checkout=checkout) == f"pip install {pins} -e {absent} -e {needing}"


def test_elsewhere_the_distributions_are_named(tmp_path: Path) -> None:
    assert (
        install_command("sea-bench[speech]", "sea-toy", checkout=tmp_path) == "pip install 'sea-bench[speech]' sea-toy"
    )
    assert install_command("sea-core[all]", checkout=tmp_path) == "pip install 'sea-core[all]'"
