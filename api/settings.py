"""Settings: the only reader of the environment."""

import locale
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the surroundings decide.

    ``language`` speaks in the terminal; ``cache_dir`` keeps built road networks and matrices.
    """

    language: str
    cache_dir: Path

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read ``BOOKMOBILE_LANG``, ``BOOKMOBILE_CACHE`` and, failing those, the platform's own."""
        language = os.environ.get("BOOKMOBILE_LANG") or locale.getlocale()[0] or "en"
        cache = os.environ.get("BOOKMOBILE_CACHE")
        if cache:
            return cls(language=language, cache_dir=Path(cache))
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        root = Path(base) if base else Path.home() / ".cache"
        return cls(language=language, cache_dir=root / "bookmobile")
