"""Photos that people send: known by their content, encoded anew, never trusted."""

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from base_ops.core import errors

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
LONG_EDGE = 2560
THUMBNAIL = 320
FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/jpeg"

# What Pillow's readers raise on bytes that only look like an image.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip


class PhotoTooLarge(errors.TooLarge):
    """More bytes than a photo may have."""

    code, title_zh, title_en = "photo_too_large", "照片超过 5 MB", "The photo exceeds 5 MB"


class NotAPhoto(errors.UnsupportedMedia):
    """Its bytes are no JPEG, PNG or WebP, whatever its name says."""

    code, title_zh, title_en = (
        "not_a_photo",
        "仅支持 JPEG、PNG、WebP 照片",
        "Only JPEG, PNG and WebP photos",
    )


class BrokenPhoto(errors.Invalid):
    """It begins like a photo and cannot be read to its end."""

    code, title_zh, title_en = "broken_photo", "照片已损坏", "The photo cannot be read"


class TooManyPixels(errors.Invalid):
    """So many pixels that reading it would hurt; nothing of it was decoded."""

    code, title_zh, title_en = "too_many_pixels", "照片像素过多", "The photo has too many pixels"


@dataclass(frozen=True, slots=True)
class Photo:
    """Pixels and nothing else: no place, no time, no camera."""

    image: bytes
    thumbnail: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        """SHA-256 of the image."""
        return hashlib.sha256(self.image).hexdigest()


def clean(data: bytes) -> Photo:
    """Decode, turn upright, shrink, and encode as JPEG without any metadata.

    Raises:
        PhotoTooLarge: over 5 MB.
        NotAPhoto: the content is of no kind that is taken.
        TooManyPixels: over 40 million.
        BrokenPhoto: it cannot be read to its end.
    """
    if len(data) > MAX_BYTES:
        raise PhotoTooLarge(f"{len(data)} bytes", limit_bytes=MAX_BYTES)
    _verify(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as source:
            source.draft("RGB", (LONG_EDGE, LONG_EDGE))
            upright = ImageOps.exif_transpose(source)
            image = _flat(upright)
    except _BROKEN as exc:
        raise BrokenPhoto(type(exc).__name__) from exc
    image.thumbnail((LONG_EDGE, LONG_EDGE))
    width, height = image.size
    full = _encoded(image, quality=85)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return Photo(full, _encoded(image, quality=75), width, height)


def _verify(data: bytes) -> None:
    """Look at the header and the structure; pixels are not decoded yet."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as source:
            width, height = source.size
            if width * height > MAX_PIXELS:
                raise TooManyPixels(f"{width} × {height}", limit_pixels=MAX_PIXELS)
            source.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise TooManyPixels(limit_pixels=MAX_PIXELS) from exc
    except UnidentifiedImageError as exc:
        raise NotAPhoto(accepted=list(FORMATS)) from exc
    except _BROKEN as exc:
        raise BrokenPhoto(type(exc).__name__) from exc


def _flat(source: Image.Image) -> Image.Image:
    """The first picture, on white where it is transparent."""
    if source.mode in ("RGBA", "LA", "PA") or "transparency" in source.info:
        picture = source.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return source.convert("RGB")


def _encoded(image: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    # A fresh image: `info` of the source (EXIF, comments, profiles) must not come along.
    plain = Image.new("RGB", image.size)
    plain.paste(image)
    plain.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
