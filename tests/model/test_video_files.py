"""Video files of every common container and codec: the frames that are asked for are read, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest

from sea_core import DataError
from sea_core.model import video_files
from sea_core.model.video_files import read_video, read_with_av, read_with_decord, seeks_exactly

FRAMES = 60
ASKED = [0, 7, 13, 13, 31, 47, 59]


@dataclass(frozen=True)
class Form:
    """A container and a codec, with key frames every 12 frames."""

    ending: str
    codec: str
    container: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"

    def __str__(self) -> str:
        return f"{self.ending}-{self.codec}" + "".join(f"-{value}" for value in self.options.values())


OPEN_GROUPS = {"x264-params": "open-gop=1:bframes=3:scenecut=0"}
FORMS = [
    Form("3g2", "h263"),
    Form("3gp", "h263"),
    Form("asf", "msmpeg4"),
    Form("avi", "mpeg4"),
    Form("avi", "mjpeg", pixels="yuvj420p"),
    Form("f4v", "libx264"),
    Form("flv", "flv"),
    Form("gif", "gif", pixels="rgb8"),
    Form("m1v", "mpeg1video"),
    Form("m4v", "libx264", "mp4"),
    Form("mkv", "libx264"),
    Form("mkv", "libx264", options=OPEN_GROUPS),
    Form("mkv", "libx264", pixels="yuv420p10le"),
    Form("mkv", "mpeg4", options={"bf": "2"}),
    Form("mov", "libx264"),
    Form("mp4", "libx264"),
    Form("mp4", "libx264", options=OPEN_GROUPS),
    Form("mp4", "libx265", options={"x265-params": "log-level=none"}),
    Form("mp4", "libsvtav1", options={"preset": "8"}),
    Form("mp4", "mpeg2video", options={"bf": "2"}),
    Form("mpeg", "mpeg1video"),
    Form("mpg", "mpeg2video", options={"bf": "2"}),
    Form("rm", "rv10"),
    Form("swf", "flv"),
    Form("ts", "libx264", "mpegts"),
    Form("vob", "mpeg2video"),
    Form("webm", "libvpx"),
    Form("webm", "libvpx-vp9"),
    Form("webm", "libsvtav1", options={"preset": "8"}),
    Form("wmv", "wmv2", "asf"),
]


def write_numbers(path: Path, form: Form) -> None:
    """Write a video whose frames show their number: eight black or white fields, the bits of it."""
    with av.open(str(path), "w", format=form.container) as container:
        stream = container.add_stream(form.codec, rate=24, options=form.options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, form.pixels
        stream.codec_context.gop_size, stream.bit_rate = 12, 2_000_000
        for number in range(FRAMES):
            bits = [(number >> bit) & 1 for bit in range(8)]
            grey = np.kron(np.array(bits).reshape(2, 4) * 200 + 25, np.ones((48, 32)))
            frame = av.VideoFrame.from_ndarray(np.stack([grey.astype(np.uint8)] * 3, axis=-1))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def numbers(frames: np.ndarray) -> list[int]:
    """Return the numbers that frames show."""
    fields = frames.mean(-1).reshape(len(frames), 2, 48, 4, 32).mean((2, 4)).reshape(len(frames), 8)
    return [int(number) for number in (fields > 125) @ (1 << np.arange(8))]


def select(total: int, rate: float) -> Sequence[int]:
    assert total == FRAMES
    return ASKED


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_frames_that_are_asked_for_are_read(tmp_path: Path, form: Form) -> None:
    path = tmp_path / f"numbers.{form.ending}"
    write_numbers(path, form)
    video = read_video(path, select)
    assert numbers(video.frames) == ASKED
    assert numbers(read_with_av(path, select).frames) == ASKED
    assert 20 < video.rate * FRAMES / len(ASKED) < 26


def test_theora_is_read() -> None:
    assert numbers(read_video(Path(__file__).with_name("numbers.ogv"), select).frames) == ASKED


def test_decord_is_used_only_where_it_finds_the_same_frames(tmp_path: Path) -> None:
    exact, other = tmp_path / "exact.mp4", tmp_path / "other.mp4"
    write_numbers(exact, Form("mp4", "libx264", options={"tune": "fastdecode"}))
    write_numbers(other, Form("mp4", "libx265", options={"x265-params": "log-level=none"}))
    assert seeks_exactly(exact)
    assert numbers(read_with_decord(exact, select).frames) == ASKED
    assert not seeks_exactly(other)


def test_what_decord_cannot_decode_is_read_with_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "numbers.swf"
    write_numbers(path, Form("swf", "flv"))
    with pytest.raises(DataError):
        read_with_decord(path, select)
    monkeypatch.setattr(video_files, "seeks_exactly", lambda _: True)
    assert numbers(read_video(path, select).frames) == ASKED


@pytest.mark.parametrize("without_decord", [False, True])
def test_a_video_that_was_filmed_sideways_is_read_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_decord: bool
) -> None:
    path = tmp_path / "phone.mp4"
    write_numbers(path, Form("mp4", "libx264"))
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40  # after version, times, id, duration, layer and volume
    for place, value in enumerate([0, 1, 0, -1, 0, 0]):
        data[matrix + 4 * place : matrix + 4 * place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    if without_decord:
        monkeypatch.setattr(video_files, "find_spec", lambda _: None)
    frames = read_video(path, select).frames
    assert frames.shape == (len(ASKED), 128, 96, 3)
    assert numbers(np.rot90(frames, axes=(1, 2))) == ASKED


def test_a_few_damaged_frames_are_dropped_and_many_are_an_error(tmp_path: Path) -> None:
    whole = tmp_path / "numbers.mov"
    write_numbers(whole, Form("mov", "png", pixels="rgb24"))
    signature = b"\x89PNG\r\n\x1a\n"
    parts = whole.read_bytes().split(signature)
    assert len(parts) == FRAMES + 1
    for count in (2, 30):
        damaged = bytes(8).join(parts[: count + 1]) + signature + signature.join(parts[count + 1 :])
        (tmp_path / f"{count}.mov").write_bytes(damaged)
    assert numbers(read_video(tmp_path / "2.mov", lambda total, _: range(total)).frames) == list(range(2, FRAMES))
    with pytest.raises(DataError, match="30 of its 60 frames cannot be decoded"):
        read_video(tmp_path / "30.mov", lambda total, _: range(total))


def test_a_list_of_other_files_is_no_video(tmp_path: Path) -> None:
    write_numbers(tmp_path / "secret.mp4", Form("mp4", "libx264"))
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    (tmp_path / "playlist.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n")
    for name in ("concat.mp4", "playlist.mp4"):
        with pytest.raises(DataError, match="cannot be read as a video"):
            read_video(tmp_path / name, lambda total, rate: [0])
