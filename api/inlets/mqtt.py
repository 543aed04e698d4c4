"""OwnTracks over MQTT: a broker's messages, acknowledged when they are stored.

The broker says who may publish where; a device is known by its topic ``owntracks/USER/DEVICE``.
The session lasts, so that the broker keeps what comes while nobody listens.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from api.inlets.intake import Intake, Taken
from api.inlets.known import KnownTrackers
from data.model.errors import AccessError, InputError, StoreError
from data.model.tracker import Protocol
from fleet import owntracks

log = logging.getLogger(__name__)

TOPIC = "owntracks/+/+/#"
_PORT, _TLS_PORT = 1883, 8883
_QOS = 1
_AGAIN_S = 2.0


class MqttInlet:
    """Listens to a broker in a thread of the client library.

    Parameters
    ----------
    url
        ``mqtt(s)://USER@HOST[:PORT][/TOPIC]``.
    client_id
        By what the broker knows this service again: the same at every start.

    Raises
    ------
    InputError
        ``mqtt.not_installed`` without the client library.
    """

    def __init__(
        self, known: KnownTrackers, intake: Intake, *, url: str, password_file: Path | None,
        client_id: str, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError:
            raise InputError("mqtt.not_installed") from None
        self._known, self._intake, self._clock = known, intake, clock
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        is_secure = parts.scheme == "mqtts"
        self._port = parts.port or (_TLS_PORT if is_secure else _PORT)
        self._topic = unquote(parts.path.lstrip("/")) or TOPIC
        self._client: Any = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        if parts.username:
            password = password_file.read_text("utf-8").strip() if password_file else None
            self._client.username_pw_set(unquote(parts.username), password)
        if is_secure:
            self._client.tls_set()
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._came
        self._client.on_subscribe = self._subscribed
        self._is_lost = False
        self._is_over = threading.Event()
        self.is_started = self.is_listening = False

    def start(self) -> None:
        """Connect, and again whenever the broker is lost."""
        self._is_over.clear()
        self.is_started = True
        self._client.reconnect_delay_set(min_delay=1, max_delay=60)
        self._client.connect_async(self._host, self._port, keepalive=60)
        self._client.loop_start()

    def stop(self) -> None:
        """Listen no more; the broker keeps what comes now."""
        self._is_over.set()
        self.is_started = self.is_listening = False
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribed(self, *_told: Any) -> None:
        self.is_listening = True

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._lost(str(reason))
            return
        log.info("mqtt.back" if self._is_lost else "mqtt.connected", extra={"host": self._host})
        self._is_lost = False
        client.subscribe(self._topic, qos=_QOS)

    def _disconnected(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _props: Any
    ) -> None:
        if not self._is_over.is_set():
            self._lost(str(reason))

    def _lost(self, reason: str) -> None:
        if not self._is_lost:
            log.warning("mqtt.lost", extra={"host": self._host, "reason": reason})
        self._is_lost = True

    def _came(self, _client: Any, _data: Any, message: Any) -> None:
        try:
            self._take(message)
        except Exception:  # the edge of the library's thread: a message must not end it
            log.exception("mqtt.failed")
            self._ack(message)

    def _take(self, message: Any) -> None:
        found = owntracks.decode(
            bytes(message.payload), topic=message.topic, received_at=self._clock()
        )
        if found.device_id is None:
            for refusal in found.refusals:
                log.info("mqtt.refused", extra={"code": refusal.code})
            self._ack(message)
            return
        try:
            tracker = self._known.by_name(
                Protocol.OWNTRACKS, found.device_id, None, self._host, is_vouched_for=True
            )
        except AccessError:
            self._ack(message)
            return
        self._store(lambda: self._intake.submit(tracker, found.fixes, found.refusals), message)

    def _store(self, submit: "Callable[[], Future[Taken]]", message: Any) -> None:
        """Store, and again until it is; only then is the broker told."""

        def done(future: "Future[Taken]") -> None:
            if future.exception() is None:
                self._ack(message)
            elif not self._is_over.is_set():
                timer = threading.Timer(_AGAIN_S, self._store, (submit, message))
                timer.daemon = True
                timer.start()

        try:
            submit().add_done_callback(done)
        except StoreError:
            failed: Future[Taken] = Future()
            failed.add_done_callback(done)
            failed.set_exception(StoreError("tracking.busy"))

    def _ack(self, message: Any) -> None:
        self._client.ack(message.mid, message.qos)
