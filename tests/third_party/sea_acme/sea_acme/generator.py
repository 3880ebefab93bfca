"""A generator of images in one colour."""

from dataclasses import dataclass
from typing import ClassVar

from sea_core import Generator


@dataclass(frozen=True)
class AcmeImages(Generator):
    colour: str = "teal"
    width: int = 64
    height: int = 64

    name: ClassVar[str] = "acme"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    suffix: ClassVar[str] = ".png"

    def generate(self, text, seed):
        from PIL import Image

        return Image.new("RGB", (self.width, self.height), self.colour)
