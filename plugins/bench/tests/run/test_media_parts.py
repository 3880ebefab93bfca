"""Media as parts of a request: what servers read is sent as it is, the rest as PNG, WAV or frames."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from sea_bench.build.media_io import write_video
from sea_bench.run.media_parts import blank_parts, media_parts
from sea_core.errors import DataError
from sea_core.plugin.generator import Frames


def decoded(uri: str) -> tuple[str, bytes]:
    kind, _, data = uri.removeprefix("data:").partition(";base64,")
    return kind, b64decode(data)


def write_sound(path: Path, kind: str) -> Path:
    soundfile.write(path, np.sin(np.arange(8000) / 9).astype(np.float32), 8000, format=kind)
    return path


def write_film(path: Path) -> Path:
    levels = np.arange(0, 240, 10, dtype=np.uint8)
    write_video(Frames(np.broadcast_to(levels[:, None, None, None], (24, 32, 32, 3)).copy(), 12.0), path, quality=10)
    return path


def test_images_that_servers_read_are_sent_as_they_are_and_others_as_png(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3) * 3)
    for name, kind in (("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.webp", "image/webp")):
        picture.save(tmp_path / name)
        (part,) = media_parts(tmp_path / name, "image")
        assert decoded(part["image_url"]["url"]) == (kind, (tmp_path / name).read_bytes())
    picture.save(tmp_path / "a.bmp")
    (part,) = media_parts(tmp_path / "a.bmp", "image")
    kind, data = decoded(part["image_url"]["url"])
    (tmp_path / "sent.png").write_bytes(data)
    assert kind == "image/png"
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sent.png")), np.asarray(picture))
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.crop((0, 0, 10, 5)).save(tmp_path / "turned.jpg", exif=turned)
    (part,) = media_parts(tmp_path / "turned.jpg", "image")  # not every server reads how it is to be turned
    kind, data = decoded(part["image_url"]["url"])
    (tmp_path / "sent.png").write_bytes(data)
    assert (kind, np.asarray(Image.open(tmp_path / "sent.png")).shape) == ("image/png", (10, 5, 3))


def test_sounds_that_servers_read_are_sent_as_they_are_and_others_as_wav(tmp_path: Path) -> None:
    for kind in ("wav", "mp3"):
        path = write_sound(tmp_path / f"a.{kind}", kind.upper())
        (part,) = media_parts(path, "audio")
        assert part["input_audio"]["format"] == kind
        assert b64decode(part["input_audio"]["data"]) == path.read_bytes()
    (part,) = media_parts(write_sound(tmp_path / "a.flac", "FLAC"), "audio")
    (tmp_path / "sent.wav").write_bytes(b64decode(part["input_audio"]["data"]))
    wave, rate = soundfile.read(tmp_path / "sent.wav")
    assert (part["input_audio"]["format"], len(wave), rate) == ("wav", 8000, 8000)


def test_a_video_is_sent_whole_or_as_frames_from_the_first_to_the_last(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4")
    (part,) = media_parts(path, "video")
    assert decoded(part["video_url"]["url"]) == ("video/mp4", path.read_bytes())
    levels = []
    for part in media_parts(path, "video", frames=4):
        (tmp_path / "frame.jpg").write_bytes(decoded(part["image_url"]["url"])[1])
        levels.append(round(float(np.asarray(Image.open(tmp_path / "frame.jpg")).mean()), -1))
    assert levels == pytest.approx([0, 80, 150, 230], abs=10)
    assert len(media_parts(path, "video", frames=99)) == 24


def test_a_joint_medium_is_a_part_for_each_of_its_files(tmp_path: Path) -> None:
    write_sound(tmp_path / "speech.wav", "WAV")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    assert [part["type"] for part in media_parts(tmp_path, "image+audio")] == ["image_url", "input_audio"]
    assert [part["type"] for part in blank_parts("video+audio", frames=2)] == ["image_url", "image_url", "input_audio"]


@pytest.mark.parametrize(("name", "modality"), [("a.png", "image"), ("a.wav", "audio"), ("a.mp4", "video")])
def test_a_corrupt_medium_is_not_sent(tmp_path: Path, name: str, modality: str) -> None:
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense" * 9)
    with pytest.raises(DataError, match="cannot be read as"):
        media_parts(tmp_path / name, modality)
