"""Photos are known by their content and keep nothing but their pixels."""

import io
from typing import Any

import pytest
from PIL import Image

from booking.services import photos


def picture(
    size: tuple[int, int] = (64, 48), mode: str = "RGB", colour: str = "red"
) -> Image.Image:
    return Image.new(mode, size, colour)


def encoded(image: Image.Image, kind: str, **rest: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **rest)
    return out.getvalue()


def with_place() -> bytes:
    """A photo that says where and when it was taken, lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Phone"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (23.0, 1.0, 2.0)
    return encoded(picture(), "JPEG", exif=exif, comment=b"secret")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_kind_becomes_a_plain_jpeg_with_a_thumbnail(kind: str) -> None:
    photo = photos.clean(encoded(picture((1000, 500)), kind))

    image = Image.open(io.BytesIO(photo.image))
    small = Image.open(io.BytesIO(photo.thumbnail))
    assert (image.format, image.size) == ("JPEG", (1000, 500))
    assert (small.format, small.size) == ("JPEG", (320, 160))
    assert (photo.width, photo.height) == (1000, 500)
    assert len(photo.digest) == 64


def test_place_time_and_camera_are_gone_and_the_picture_is_upright() -> None:
    data = with_place()
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)

    photo = photos.clean(data)

    for part in (photo.image, photo.thumbnail):
        image = Image.open(io.BytesIO(part))
        assert not dict(image.getexif())
        assert b"secret" not in part
        assert b"Phone" not in part
    assert (photo.width, photo.height) == (48, 64)


def test_what_is_transparent_turns_white() -> None:
    photo = photos.clean(encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"))

    assert Image.open(io.BytesIO(photo.image)).getpixel((4, 4)) == (255, 255, 255)


def test_a_large_picture_is_shrunk() -> None:
    photo = photos.clean(encoded(picture((4000, 1000)), "JPEG"))

    assert (photo.width, photo.height) == (2560, 640)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\x00" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"%PDF-1.7",
        encoded(picture(), "GIF"),
        encoded(picture(), "BMP"),
        encoded(picture(), "TIFF"),
    ],
)
def test_other_kinds_are_refused_whatever_they_are_called(data: bytes) -> None:
    with pytest.raises(photos.NotAPhoto):
        photos.clean(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_cut_off_anywhere_is_refused_and_never_crashes(kind: str) -> None:
    noisy = Image.effect_noise((120, 90), 80).convert("RGB")
    whole = encoded(noisy, kind)

    for length in range(1, len(whole) - 8, max(len(whole) // 60, 1)):
        with pytest.raises((photos.BrokenPhoto, photos.NotAPhoto)):
            photos.clean(whole[:length])


@pytest.mark.filterwarnings("ignore::UserWarning")  # what Pillow says of odd EXIF it reads past
def test_changed_bytes_are_taken_or_refused_and_never_crash() -> None:
    whole = bytearray(with_place())
    done = 0
    for place in range(0, len(whole), 3):
        data = bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            photos.clean(data)
        except (photos.BrokenPhoto, photos.NotAPhoto, photos.TooManyPixels):
            done += 1
    assert done > 10


def test_many_pixels_in_few_bytes_are_refused_before_they_are_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    larger = encoded(Image.new("1", (7000, 7000)), "PNG")

    assert len(bomb) < 200_000
    for data in (bomb, larger):
        with pytest.raises(photos.TooManyPixels):
            photos.clean(data)


def test_five_megabytes_are_the_most() -> None:
    photo = encoded(picture(), "JPEG")
    padded = photo + b"\x00" * (photos.MAX_BYTES - len(photo))

    photos.clean(padded)
    with pytest.raises(photos.PhotoTooLarge):
        photos.clean(padded + b"\x00")
