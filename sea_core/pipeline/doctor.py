"""`sea doctor` from Python: what this machine has, what is wrong with it, and the command that fixes it.

Nothing is imported before its check: a library that is missing must be a finding, not a traceback.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points, version
from pathlib import Path

from packaging.requirements import Requirement

from sea_core.errors import SeaError, one_line
from sea_core.model.libraries import install_command
from sea_core.plugin.isolation import ENTRY_POINT_GROUP, catch_any
from sea_core.runs.digests import CACHE_VARIABLE, cache_folder

CORE = "sea-core"
SHOWN = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
"""The libraries whose versions are shown; of others only what is wrong."""
AREAS = ("versions", "libraries", "extras")
"""The areas of what is installed, as they are shown."""
GIB = 2**30
MIN_MEMORY, MIN_DISK = 2 * GIB, GIB
"""With less, the bundled tiny models do not load, or a small run does not fit."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        area: what it belongs to, such as `libraries`.
        subject: what was checked. found: what was found.
        fault: whether something is wrong with it. remedy: what to type against it.
    """

    area: str
    subject: str
    found: str
    fault: bool = False
    remedy: str = ""


def examine(*, self_test: bool = True) -> Iterator[Finding]:
    """Yield what is found on this machine, each as soon as it is known.

    Where libraries are missing, nothing is checked that needs them.

    Args:
        self_test: make one embedding with a bundled tiny model, which takes a few seconds.
    """
    yield Finding("versions", "Python", f"{sys.version.split()[0]} ({sys.executable})")
    libraries = sorted(check_libraries(), key=lambda finding: AREAS.index(finding.area))
    yield from libraries
    if any(finding.fault for finding in libraries):
        return
    checks: list[Callable[[], Iterator[Finding]]] = [check_device, check_memory, check_disk, check_plugins, check_keys]
    for check in checks + [run_self_test] * self_test:
        findings = list[Finding]()
        error = catch_any(lambda check=check, findings=findings: findings.extend(check()))  # type: ignore[misc]
        yield from findings
        if error is not None:
            area = check.__name__.partition("_")[2].replace("_", "-")
            remedy = "sea --debug doctor   and install anew the library that it names"
            yield Finding(area, area, f"cannot be checked: {type(error).__name__}: {one_line(error)}", True, remedy)


def check_libraries() -> Iterator[Finding]:
    """Yield the versions of SEA and its libraries, and each one that is missing or of another version than needed."""
    named: set[str] = set()
    for name in _distributions():
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            yield Finding("versions", name, "is not installed", True, install_command(name))
            continue
        yield Finding("versions", name, dist.version)
        for requirement in _requirements(dist):
            problem = _problem(requirement)
            if problem:
                yield Finding("libraries", requirement.name, f"{problem} ({name})", True, _install(requirement))
            elif requirement.name in SHOWN and requirement.name not in named:
                named.add(requirement.name)
                yield Finding("libraries", requirement.name, version(requirement.name))
        yield from _missing_extras(dist)


def _distributions() -> list[str]:
    """Return the core and every distribution that has a plugin."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    return list(dict.fromkeys([CORE, *sorted(point.dist.name for point in points if point.dist)]))


def _requirements(dist: Distribution, extra: str = "") -> list[Requirement]:
    """Return what a distribution needs on this machine, or what one of its extras adds to that."""
    found = []
    for text in dist.requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if extra and (marker is None or marker.evaluate({"extra": ""})):
            continue
        if marker is None or marker.evaluate({"extra": extra}):
            found.append(requirement)
    return found


def _problem(requirement: Requirement) -> str:
    """Return what is wrong with the installed version; empty if it is right."""
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return "is not installed"
    if requirement.specifier.contains(installed, prereleases=True):
        return ""
    return f"{installed} is installed, {requirement.specifier} is needed"


def _install(requirement: Requirement) -> str:
    return f"pip install '{requirement.name}{requirement.specifier}'"


def _missing_extras(dist: Distribution) -> Iterator[Finding]:
    """Yield the extras that are not installed: no fault, as they are optional."""
    for extra in dist.metadata.get_all("Provides-Extra") or []:
        missing = [requirement.name for requirement in _requirements(dist, extra) if _problem(requirement)]
        if missing and extra != "dev":
            command = install_command(f"{dist.name}[{extra}]")
            yield Finding("extras", f"{dist.name}[{extra}]", f"not installed: {', '.join(missing)}", remedy=command)


def check_device() -> Iterator[Finding]:
    """Yield where models run, and a GPU that torch cannot use."""
    import torch

    from sea_core.model.placement import computes_in_bfloat16, resolve_device, resolve_dtype

    device = resolve_device("auto")
    computes = "bfloat16" if computes_in_bfloat16(device) else "no bfloat16"
    default = str(resolve_dtype("auto", device)).removeprefix("torch.")
    if device.type == "cuda":
        for number in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(number)
            free, total = torch.cuda.mem_get_info(number)
            memory = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
            yield Finding("device", f"cuda:{number}", f"{card.name}, {memory}, {computes}, default {default}")
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("device", str(device), f"{cores} cores, {torch.get_num_threads()} threads, default {default}")
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        built = torch.version.cuda and f"for CUDA {torch.version.cuda}; the driver may be too old"
        found = f"this machine has an NVIDIA driver, and torch {torch.__version__} ({built or 'no CUDA'}) finds no GPU"
        remedy = "nvidia-smi   then install the torch for its CUDA version: https://pytorch.org/get-started/locally"
        yield Finding("device", "cuda", found, True, remedy)


def check_memory() -> Iterator[Finding]:
    """Yield the main memory."""
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB available"
    is_short = memory.available < MIN_MEMORY
    yield Finding("memory", "main memory", found, is_short, "Close other programs." if is_short else "")


def check_disk() -> Iterator[Finding]:
    """Yield the space where runs, digests and models are kept, and what cannot be written."""
    from huggingface_hub.constants import HF_HUB_CACHE

    places = {
        "this folder": (Path.cwd(), "cd FOLDER"),
        "cache of SEA": (cache_folder(), f"export {CACHE_VARIABLE}=FOLDER"),
        "models of the hub": (Path(HF_HUB_CACHE), "export HF_HOME=FOLDER"),
    }
    for subject, (folder, remedy) in places.items():
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free = shutil.disk_usage(existing).free
        problem = "" if _is_writable(existing) else "cannot be written"
        problem = problem or ("is nearly full" if free < MIN_DISK else "")
        found = f"{folder}: {f'{problem}; ' if problem else ''}{free / GIB:.1f} GiB free"
        yield Finding("disk", subject, found, bool(problem), remedy if problem else "")


def _is_writable(folder: Path) -> bool:
    """Return whether a file can be made in the folder: permissions alone do not say so of a read-only disk."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def check_plugins() -> Iterator[Finding]:
    """Yield the installed plugins, and why one of them cannot be used."""
    from sea_core.plugin import loader

    plugins = loader.installed()
    for plugin in plugins:
        offers = ", ".join(label for labels in plugin.labels().values() for label in labels)
        remedy = f"pip install --upgrade {plugin.distribution}" if plugin.error else ""
        yield Finding("plugins", plugin.name, plugin.error or offers, bool(plugin.error), remedy)
    if not any(plugin.adapters for plugin in plugins):
        yield Finding("plugins", "adapters", "no model can be used", True, install_command(f"{CORE}[all]"))


def check_keys() -> Iterator[Finding]:
    """Yield which keys are set, never their values, and whether the hub may be asked."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import HF_HUB_OFFLINE

    from sea_core.llm.config import LLMConfig

    name = LLMConfig().key_env
    yield Finding("keys", name, "set" if os.environ.get(name, "").strip() else "not set; only remote servers need it")
    yield Finding("keys", "HF_TOKEN", "set" if get_token() else "not set; only gated models of the hub need it")
    yield Finding("keys", "HF_HUB_OFFLINE", "set: nothing is downloaded" if HF_HUB_OFFLINE else "not set")


def run_self_test() -> Iterator[Finding]:
    """Make one embedding with a bundled tiny model, in a folder that is deleted afterwards."""
    from sea_core.plugin import loader

    bundled = loader.bundled_adapters()
    if not bundled:
        yield Finding("self-test", "one embedding", "not made: no installed plugin has a bundled model")
        return
    plugin, modality = bundled[0][0].name, bundled[0][1].modality
    began, statuses = time.monotonic(), list[str]()
    error = catch_any(lambda: statuses.append(_make_embedding(plugin, modality)))
    seconds, subject = time.monotonic() - began, f"one embedding, {plugin}"
    if statuses == ["succeeded"]:
        yield Finding("self-test", subject, f"made in {seconds:.1f} s")
        return
    reason = error.what if isinstance(error, SeaError) else one_line(error) if error else f"it has {statuses[0]}"
    remedy = f"sea --debug optimize --plugin {plugin} --modality {modality} --limit 1"
    yield Finding("self-test", subject, f"not made: {reason}", True, remedy)


def _make_embedding(plugin: str, modality: str) -> str:
    """Return the status of an embedding for the first demo example."""
    from sea_core.pipeline.data_spec import DataSpec
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.optimize import optimize

    target = ModelTarget.find(plugin, modality=modality)
    with tempfile.TemporaryDirectory(prefix="sea-doctor-") as folder:
        run = optimize(DataSpec(limit=1), target, out=Path(folder) / "run", verify=False)
        return str(run.records()[0]["status"])
