"""Captured messages and tracks for tests; ``tests/captures/SOURCE.md`` tells whose they are."""

from datetime import UTC, datetime
from pathlib import Path

from data.model.telemetry import DeviceId

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
DEVICE = DeviceId("bus")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def lines_of(name: str) -> list[str]:
    return (CAPTURES / name).read_text(encoding="utf-8").splitlines()


def at(text: str) -> datetime:
    """An instant from ISO 8601 without a zone, meant as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
