"""What `[family]` of a recipe may say for images. Reads without torch."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Architecture = Literal["small_cnn", "resnet18", "resnet50", "densenet121", "efficientnet_b0"]
Side = Annotated[int, Field(ge=8, le=4096)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]

# Below this side the network's last feature map would have no pixel left.
SMALLEST_SIDE: dict[str, int] = {
    "small_cnn": 8, "resnet18": 16, "resnet50": 16, "densenet121": 32, "efficientnet_b0": 32,
}  # fmt: skip


class Window(BaseModel):
    """A window in units of the modality (HU for CT), PS3.3 C.11.2.1.2."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    center: float
    width: Annotated[float, Field(ge=1.0)]


class AugmentConfig(BaseModel):
    """Random changes of training images, drawn anew for each image and epoch. 0 is off.

    Attributes:
        rotate_degrees: rotation, uniform in +-.
        translate: shift along each axis, uniform in +-, as a share of the side.
        scale: zoom, uniform in 1 +- (above 1 enlarges).
        shear_degrees: shear along x, uniform in +-.
        flip_horizontal: mirror left and right in half of the images.
        brightness: offset, uniform in +-, in standard deviations of the training pixels.
        contrast: factor around the image's mean, exp of uniform in +-.
        gamma: exponent on the image's own range, exp of uniform in +-.
        noise: standard deviation of Gaussian noise, uniform from 0, in standard deviations of the
            training pixels.
        erase: side of a rectangle set to the image's mean, uniform from 0, as a share of the side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotate_degrees: Annotated[float, Field(ge=0.0, le=180.0)]
    translate: Share
    scale: Share
    shear_degrees: Annotated[float, Field(ge=0.0, le=60.0)]
    flip_horizontal: bool
    brightness: Annotated[float, Field(ge=0.0)]
    contrast: Annotated[float, Field(ge=0.0)]
    gamma: Annotated[float, Field(ge=0.0)]
    noise: Annotated[float, Field(ge=0.0)]
    erase: Share


class ImageConfig(BaseModel):
    """A model that reads single frames.

    Attributes:
        size: (height, width) in pixels that the network sees.
        reduced: images larger than twice `size` are decoded at the lowest resolution that is enough
            (JPEG 2000 and JPEG in the codec, others by means of squares of pixels). Up to a hundred
            times faster; grey levels differ a little from a full decode that is resized.
        channels: 1 (monochrome images) or 3 (colour images); others are out of range.
        window: stored values to grey: "full" (the range that the stored bits can hold), "dicom"
            (the header's window or VOI LUT), or one given window. No effect on colour.
        modalities: values of Modality that the model is made for.
        frames: "first", "all" (each frame is an example), or "single" (an object with several
            frames is out of range).
        min_side: images with a shorter side in pixels are out of range.
        architecture: network, trained from scratch.
        width: channels of the first block of `small_cnn`; the other networks have their own.
        dropout: share of features dropped before the last layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    searchable: ClassVar[tuple[str, ...]] = ("architecture", "width", "dropout", "augment")  # none changes what is read

    name: Literal["image"]
    size: tuple[Side, Side]
    reduced: bool = False
    channels: Literal[1, 3]
    window: Literal["full", "dicom"] | Window
    modalities: Annotated[tuple[str, ...], Field(min_length=1)]
    frames: Literal["first", "all", "single"]
    min_side: Annotated[int, Field(ge=1)]
    architecture: Architecture
    width: Annotated[int, Field(ge=1, le=512)] | None = None
    dropout: Share
    augment: AugmentConfig

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        if (self.width is None) == (self.architecture == "small_cnn"):
            raise ValueError("'width' belongs to architecture 'small_cnn', and only to it")
        smallest = SMALLEST_SIDE[self.architecture]
        if min(self.size) < smallest:
            raise ValueError(f"'{self.architecture}' needs a size of {smallest} pixels or more")
        return self
