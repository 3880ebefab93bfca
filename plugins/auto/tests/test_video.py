"""Videos through any model: what does not need transformers' processor of videos, which needs torchvision."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import pytest

from helpers.families.checkpoint import write_checkpoint
from sea_auto.adapter import VideoAutoAdapter
from sea_auto.facts import Facts
from sea_auto.source.write import write_adapter_source
from sea_core import ModelError, SeaError
from sea_core.model.crossing import Crossing, ReplaySeam
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget


def write_video(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 32, 16
        for level in np.linspace(0, 255, frames):
            picture = av.VideoFrame.from_ndarray(np.full((16, 32, 3), level, np.uint8))
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def test_frames_of_a_file_are_spread_evenly(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 20)
    clip = VideoAutoAdapter(frames=4).read_media(tmp_path / "a.mp4", None)
    assert clip.frames.shape == (4, 16, 32, 3)
    assert clip.rate == pytest.approx(2)
    brightness = clip.frames.mean((1, 2, 3))
    assert brightness[0] < 10
    assert brightness[-1] > 245
    assert np.diff(brightness).min() > 50


def test_a_size_leads_back_to_a_blank_video() -> None:
    adapter = VideoAutoAdapter(frames=4, width=32, height=16)
    blank, other = adapter.blank_input(None), adapter.other_size(None)
    assert adapter.size(blank, None) == (4, 16, 32, 2000)
    again = adapter.medium_of(adapter.size(other, None), None)
    assert (again.frames.shape, again.rate, again.frames.any()) == (other.frames.shape, other.rate, False)


def test_a_written_adapter_reads_videos_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts(
        "AnyForConditionalGeneration",
        "video",
        seam=ReplaySeam((Crossing("projector"),), ("encoder",)),
        media_keyword="videos",
    )
    derived = VideoAutoAdapter(frames=4, width=32, height=16).with_facts(facts)
    mllm = cast("MLLM", SimpleNamespace(adapter=derived))
    source = write_adapter_source(mllm, checkpoint="any", class_name="Mine", package=tmp_path)
    assert max(map(len, source.splitlines())) <= 120
    (tmp_path / "written_for_videos.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    written = import_module("written_for_videos").Mine()
    write_video(tmp_path / "a.mp4", 20)
    clip, expected = (each.read_media(tmp_path / "a.mp4", None) for each in (written, derived))
    assert np.array_equal(clip.frames, expected.frames)
    assert written.size(clip, None) == derived.size(expected, None)
    blank, other = written.blank_input(None), written.other_size(None)
    assert written.size(blank, None) == (4, 16, 32, 2000)
    assert written.size(other, None) == derived.size(derived.other_size(None), None)

    def processor(**arguments: Any) -> Any:
        return arguments

    ours, theirs = (each.inputs(processor, ["?"], [clip]) for each in (written, derived))
    assert ours.keys() == theirs.keys()
    assert [vars(each) for each in ours["video_metadata"]] == [vars(each) for each in theirs["video_metadata"]]


def test_a_number_out_of_bounds_is_refused() -> None:
    with pytest.raises(SeaError, match=r"adapter\.frames is 1, but it may be from 2 to 768"):
        VideoAutoAdapter(frames=1)


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="the processor of videos works with torchvision")
def test_without_torchvision_the_library_is_named(tmp_path: Path) -> None:
    write_checkpoint("qwen3_vl", tmp_path)
    with pytest.raises(ModelError, match="video processor needs torchvision") as raised:
        ModelTarget.find("auto", modality="video", model=str(tmp_path), device="cpu")
    assert raised.value.hint == "Type: pip install torchvision"
