"""What recorded days taught, as a JSON or TOML file that a person can read and hand on."""

import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import blake2s
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.learned import Learned

FORMAT = "bookmobile-learned"
VERSION = 1
KINDS = (".json", ".toml")
NAMES = ("learned.json", "learned.toml")
"""What a region folder may hold."""
_DIGEST_BYTES = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredLearned:
    """What the file holds."""

    format: str
    version: int
    learned: Learned


_FILE = TypeAdapter(StoredLearned)


def check_kind(path: Path) -> None:
    """Raise ``learned_file.unknown_kind`` unless the name ends as such a file's does."""
    if path.suffix.lower() not in KINDS:
        raise InputError("learned_file.unknown_kind", file=path.name, known=", ".join(KINDS))


def write_learned(path: Path, learned: Learned) -> None:
    """Write what was learned; the ending of the name tells the format.

    Raises
    ------
    InputError
        ``learned_file.unknown_kind``.
    """
    check_kind(path)
    plain = _plain(StoredLearned(format=FORMAT, version=VERSION, learned=learned))
    if path.suffix.lower() == ".toml":
        text = "\n".join(_toml(plain, ())) + "\n"
    else:
        text = json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read_learned(path: Path) -> Learned:
    """Read what was learned.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``learned_file.unknown_kind``, ``learned_file.unreadable``,
        ``learned_file.not_learned``, ``learned_file.version``, ``learned_file.wrong_value``.
    """
    check_file(path)
    check_kind(path)
    found = _parsed(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError("learned_file.not_learned", file=path.name, format=FORMAT)
    if found.get("version") != VERSION:
        raise InputError(
            "learned_file.version", file=path.name, found=found.get("version"), known=VERSION
        )
    try:
        return _FILE.validate_python(found).learned
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "learned_file.wrong_value", file=path.name, place=place, cause=first["msg"]
        ) from wrong


def learned_to_json(learned: Learned) -> dict[str, Any]:
    """What was learned as JSON values, for a database."""
    plain: dict[str, Any] = _plain(StoredLearned(format=FORMAT, version=VERSION, learned=learned))
    return plain


def learned_from_json(document: Mapping[str, Any]) -> Learned:
    """What was learned, from JSON values that ``learned_to_json`` has made."""
    return _FILE.validate_python(document).learned


def learned_in(folder: Path) -> Path | None:
    """The file of a region folder, if there is one."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def digest_of(path: Path) -> str:
    """A short digest by which a plan tells the file it was made with."""
    return blake2s(path.read_bytes(), digest_size=_DIGEST_BYTES).hexdigest()


def _parsed(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError, OSError) as wrong:
        raise InputError("learned_file.unreadable", file=path.name, cause=str(wrong)) from wrong


def _plain(value: Any) -> Any:
    """A value as both formats have it; what is not known is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {name: _plain(v) for name, v in fields.items() if v is not None}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def _toml(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Lines of a table: its values, then the tables inside; small ones stand on one line."""
    inner = {k: v for k, v in table.items() if isinstance(v, dict) and not _is_small(v)}
    for key, value in table.items():
        if key not in inner:
            yield f"{_key(key)} = {_toml_value(value)}"
    for key, value in inner.items():
        yield ""
        yield f"[{'.'.join(_key(k) for k in (*path, key))}]"
        yield from _toml(value, (*path, key))


def _is_small(table: Mapping[str, Any]) -> bool:
    """Whether a table holds plain values only and is one of many alike (an effect)."""
    return bool(table) and set(table) == {"mean", "variance", "covariance", "num"}


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key, ensure_ascii=False)


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
