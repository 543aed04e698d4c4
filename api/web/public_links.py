"""Addresses of a region's public pages and feeds: on the server, or as files beside one another."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from data.model.addresses import part_of
from data.model.fleet import VehicleId
from data.model.place import StopId

PREFIX = "/r"


class PublicLinks(Protocol):
    """What pages link to; ``absolute`` makes what calendars and other sites need."""

    @property
    def is_static(self) -> bool:
        """Whether the pages are files without a server."""
        ...

    def page(self, name: str) -> str:
        """``home``, ``timetable``, ``notices`` or ``data``."""
        ...

    def stop(self, stop_id: StopId) -> str: ...

    def vehicle(self, vehicle_id: VehicleId) -> str: ...

    def embed(self, stop_id: StopId | None = None) -> str:
        """The list of a stop, or of all, for other sites' pages."""
        ...

    def feed(self, name: str) -> str:
        """``timetable.ics``, ``.csv`` or ``.pdf``, ``large-print.pdf``, ``stops.geojson`` or
        ``notices.atom``."""
        ...

    def poster(self, stop_id: StopId, size: str) -> str: ...

    def posters(self, size: str) -> str:
        """The posters of all stops."""
        ...

    def stop_large(self, stop_id: StopId) -> str:
        """A stop's timetable in large print."""
        ...

    def vehicle_large(self, vehicle_id: VehicleId) -> str: ...

    def short(self) -> str:
        """The address that a person types in to find the region; empty where it is not known."""
        ...

    def stop_ics(self, stop_id: StopId) -> str: ...

    def vehicle_ics(self, vehicle_id: VehicleId) -> str: ...

    def absolute(self, address: str) -> str:
        """The address with scheme and host; empty where no host is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedLinks:
    """Pages of the running service; feeds name their language where it is not the region's."""

    region_id: str
    public_url: str
    feed_language: str | None = None

    is_static = False

    @property
    def root(self) -> str:
        return f"{PREFIX}/{part_of(self.region_id)}"

    def page(self, name: str) -> str:
        return self.root if name == "home" else f"{self.root}/{name}"

    def stop(self, stop_id: StopId) -> str:
        return f"{self.root}/stops/{part_of(stop_id)}"

    def vehicle(self, vehicle_id: VehicleId) -> str:
        return f"{self.root}/vehicles/{part_of(vehicle_id)}"

    def embed(self, stop_id: StopId | None = None) -> str:
        asked = {} if stop_id is None else {"stop": part_of(stop_id)}
        return self._spoken(f"{self.root}/embed", **asked)

    def feed(self, name: str) -> str:
        return self._spoken(f"{self.root}/{name}")

    def api(self, name: str) -> str:
        """Where programs ask for the same as JSON."""
        return f"/api/v1/public/{quote(self.region_id, safe='')}/{name}"

    def stop_ics(self, stop_id: StopId) -> str:
        return self._spoken(f"{self.stop(stop_id)}.ics")

    def vehicle_ics(self, vehicle_id: VehicleId) -> str:
        return self._spoken(f"{self.vehicle(vehicle_id)}.ics")

    def poster(self, stop_id: StopId, size: str) -> str:
        return self._spoken(f"{self.stop(stop_id)}/poster.pdf", size=size)

    def posters(self, size: str) -> str:
        return self._spoken(f"{self.root}/posters.pdf", size=size)

    def stop_large(self, stop_id: StopId) -> str:
        return self._spoken(f"{self.stop(stop_id)}/large-print.pdf")

    def vehicle_large(self, vehicle_id: VehicleId) -> str:
        return self._spoken(f"{self.vehicle(vehicle_id)}/large-print.pdf")

    def short(self) -> str:
        return self.absolute(f"/{part_of(self.region_id)}")

    def _spoken(self, address: str, **asked: str) -> str:
        if self.feed_language:
            asked["lang"] = self.feed_language
        return f"{address}?{urlencode(asked)}" if asked else address

    def absolute(self, address: str) -> str:
        return self.public_url.rstrip("/") + address


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLinks:
    """Pages as files of one language's folder; ``depth`` folders above the page is its root."""

    language: str
    base_url: str = ""
    """Where the folder of all languages is put on the web; empty where it is not known."""
    depth: int = 0

    is_static = True

    @property
    def _up(self) -> str:
        return "../" * self.depth

    def page(self, name: str) -> str:
        return f"{self._up}{'index' if name == 'home' else name}.html"

    def stop(self, stop_id: StopId) -> str:
        return f"{self._up}stops/{quote(part_of(stop_id))}.html"

    def vehicle(self, vehicle_id: VehicleId) -> str:
        return f"{self._up}vehicles/{quote(part_of(vehicle_id))}.html"

    def embed(self, stop_id: StopId | None = None) -> str:
        if stop_id is None:
            return f"{self._up}embed.html"
        return f"{self._up}embed/{quote(part_of(stop_id))}.html"

    def feed(self, name: str) -> str:
        return f"{self._up}{name}"

    def stop_ics(self, stop_id: StopId) -> str:
        return f"{self._up}stops/{quote(part_of(stop_id))}.ics"

    def vehicle_ics(self, vehicle_id: VehicleId) -> str:
        return f"{self._up}vehicles/{quote(part_of(vehicle_id))}.ics"

    def poster(self, stop_id: StopId, size: str) -> str:
        return f"{self._up}stops/{quote(part_of(stop_id))}/poster-{size}.pdf"

    def posters(self, size: str) -> str:
        return f"{self._up}posters-{size}.pdf"

    def stop_large(self, stop_id: StopId) -> str:
        return f"{self._up}stops/{quote(part_of(stop_id))}/large-print.pdf"

    def vehicle_large(self, vehicle_id: VehicleId) -> str:
        return f"{self._up}vehicles/{quote(part_of(vehicle_id))}/large-print.pdf"

    def short(self) -> str:
        return self.base_url

    def absolute(self, address: str) -> str:
        if not self.base_url:
            return ""
        return f"{self.base_url.rstrip('/')}/{self.language}/{address.removeprefix(self._up)}"
