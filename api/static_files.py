"""Static files: their addresses change with their content, so browsers may keep them for good.

The address holds one hash of all files, ``/static/<hash>/site.css``. Modules import one another
by relative path and style sheets name fonts so; each stays under the same hash.
"""

import hashlib
import re
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "web" / "static"
HASHED = re.compile(r"[0-9a-f]{12}")
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"


def hash_of(folder: Path) -> str:
    """One hash of every file in a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


class HashedStatic(StaticFiles):
    """Files under ``/static/<hash>/…``, kept for good, and under ``/static/…``, asked again."""

    def __init__(self, *, folder: Path = FOLDER, is_changing: bool = False) -> None:
        super().__init__(directory=folder)
        self.folder = folder
        self.version = hash_of(folder)
        self._is_changing = is_changing

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        first, _, rest = Path(path).as_posix().partition("/")
        is_hashed = HASHED.fullmatch(first) is not None
        response = await super().get_response(rest if is_hashed else path, scope)
        is_current = first == self.version and not self._is_changing
        response.headers["cache-control"] = FOR_GOOD if is_current else ASK_AGAIN
        return response

    def url(self, path: str) -> str:
        """Address of a file, with the hash.

        Raises
        ------
        FileNotFoundError
            Where there is no such file: a page must not name it.
        """
        if not (self.folder / path).is_file():
            raise FileNotFoundError(path)
        return f"/static/{self.version}/{path}"
