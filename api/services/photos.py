"""Photos of stops: any upload is drawn anew, so that nothing but the picture is kept.

What a camera writes beside a picture (place, owner) and whatever else hides in a file ends here.
"""

import io
import warnings
from hashlib import blake2s, sha256
from pathlib import Path
from uuid import uuid4

from PIL import Image, ImageOps, UnidentifiedImageError

from data.model.errors import InputError, NotFoundError

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
QUALITY = 82


def photos_folder(data_dir: Path, region_id: str) -> Path:
    """Where the photos of a region lie."""
    return data_dir / "regions" / region_id / "photos"


def keep_photo(folder: Path, raw: bytes) -> str:
    """Store a photo as a plain JPEG and give its name.

    Raises
    ------
    InputError
        ``photo.not_an_image``, ``photo.too_many_pixels``.
    """
    drawn = _drawn(raw)
    name = f"{blake2s(drawn, digest_size=16).hexdigest()}.jpg"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if not target.exists():
        part = target.with_suffix(".part")
        part.write_bytes(drawn)
        part.replace(target)
    return name


def keep_photo_as(folder: Path, raw: bytes, sha256_hex: str) -> Path:
    """Store a photo under the SHA-256 of what was sent, by which an event names it.

    Raises
    ------
    InputError
        ``photo.other_file`` where it is another file; as ``keep_photo``.
    """
    if sha256(raw).hexdigest() != sha256_hex:
        raise InputError("photo.other_file")
    target = folder / f"{sha256_hex}.jpg"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{uuid4().hex}.part"
        part.write_bytes(_drawn(raw))
        part.replace(target)
    return target


def crew_photo_path(folder: Path, photo_id: str) -> Path:
    """Where a photo lies that a tablet sent under its SHA-256.

    Raises
    ------
    NotFoundError
        ``photo.unknown``; also for a name that is none of ours.
    """
    if not has_crew_photo(folder, photo_id):
        raise NotFoundError("photo.unknown", name=photo_id[:60])
    return crew_folder(folder) / f"{photo_id}.jpg"


def has_crew_photo(folder: Path, photo_id: str) -> bool:
    """Whether a tablet has sent a photo."""
    is_ours = len(photo_id) == 64 and set(photo_id) <= set("0123456789abcdef")
    return is_ours and (crew_folder(folder) / f"{photo_id}.jpg").is_file()


def crew_folder(folder: Path) -> Path:
    """Where photos from tablets lie among a region's."""
    return folder / "tablet"


def photo_path(folder: Path, name: str) -> Path:
    """Where a photo lies.

    Raises
    ------
    NotFoundError
        ``photo.unknown``; also for a name that is none of ours.
    """
    stem, dot, suffix = name.partition(".")
    is_ours = len(stem) == 32 and set(stem) <= set("0123456789abcdef") and dot + suffix == ".jpg"
    path = folder / name
    if not is_ours or not path.is_file():
        raise NotFoundError("photo.unknown", name=name[:60])
    return path


def _drawn(raw: bytes) -> bytes:
    known = ", ".join(FORMATS)
    try:
        with warnings.catch_warnings():
            # A warning here is a picture so large that it may be meant to fill the memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise InputError(
                        "photo.too_many_pixels",
                        width=image.width,
                        height=image.height,
                        limit=MOST_PIXELS // 1_000_000,
                    )
                image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as wrong:
        raise InputError(
            "photo.too_many_pixels", width="?", height="?", limit=MOST_PIXELS // 1_000_000
        ) from wrong
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as wrong:
        raise InputError("photo.not_an_image", known=known) from wrong
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
