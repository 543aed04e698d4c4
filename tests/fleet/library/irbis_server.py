"""A server of IRBIS64 for tests, written from the protocol's description; no code of the client.

Sources: IRBIS's own help ("Протокол работы сервера ИРБИС64": ten lines of head, then parameters),
PythonIrbis ``query.py``, ``response.py``, ``connection.py`` and ManagedIrbis's server command
``ReadRecordCommand.cs``. It keeps records as lines of text, finds them by terms made of field 30
and of field 910, and refuses a record whose version is not the newest, as IRBIS does.
"""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """What happens to the next answer."""

    NONE = "nothing: it is well"
    SLOW = "it comes too late"
    DROP_BEFORE = "nothing was done"
    DROP_AFTER = "it was done"
    CUT = "its second half is lost"
    NONSENSE = "no packet at all"
    OTHER = "the answer to another question"
    LOCKED = "the record is locked"
    OVERLOAD = "too many clients"
    FORGOTTEN = "the server was started anew and knows no clients"
    TAKEN = "the number of the client is taken"


@dataclass
class Base:
    """Records by number: version and field lines."""

    records: dict[int, tuple[int, list[str]]] = field(default_factory=dict)

    def add(self, *lines: str) -> int:
        mfn = len(self.records) + 1
        self.records[mfn] = (1, list(lines))
        return mfn

    def lines(self, mfn: int, tag: int) -> list[str]:
        return [t for t in self.records[mfn][1] if t.startswith(f"{tag}#")]


def subfield(text: str, code: str) -> str:
    for part in text.split("^")[1:]:
        if part[:1].lower() == code:
            return part[1:]
    return ""


@dataclass
class IrbisTestServer:
    """Two bases, one password."""

    readers: Base = field(default_factory=Base)
    books: Base = field(default_factory=Base)
    login: str = "kibo"
    password: str = "Секрет"
    faults: list[Fault] = field(default_factory=list)
    faults_for: str = ""
    slow_s: float = 0.0
    clients: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    num_written: int = 0
    before_write: object = None
    """Called once before the next record is written: somebody else is at work."""
    port: int = 0

    def base(self, name: str) -> Base | None:
        return {"RDR": self.readers, "IBIS": self.books}.get(name)

    def answer(self, raw: bytes) -> tuple[str, str, str, list[bytes]]:
        """Command, client, number of the question, lines of the answer."""
        lines = raw.split(b"\n")
        if len(lines) < 11 or lines[-1] != b"":
            self.complaints.append(f"a packet of {len(lines)} lines")
        head = [line.decode("cp1251") for line in lines[:10]]
        params = lines[10:-1]
        command, arm, again, client, number, password, login = head[:7]
        if again != command or arm != "B" or any(head[7:10]):
            self.complaints.append(f"head {head}")
        self.asked.append(command)
        return command, client, number, self._done(command, client, (login, password), params)

    def _done(
        self, command: str, client: str, who: tuple[str, str], params: list[bytes]
    ) -> list[bytes]:
        if command == "A":
            told = (params[0].decode("cp1251"), params[1].decode("cp1251"))
            if told != (self.login, self.password) or who != told:
                return [b"-4444"]
            self.clients.add(client)
            return [b"0", b"30", "[Main]\r\nКаталог=IBIS".encode("cp1251")]
        if client not in self.clients:
            return [b"-3333"]
        if command == "B":
            self.clients.discard(client)
            return [b"0"]
        base = self.base(params[0].decode("cp1251"))
        if base is None:
            return [b"-5555"]
        match command:
            case "C":
                return self._read(base, int(params[1]))
            case "K":
                return self._search(base, params[1].decode("utf-8"), params)
            case "D":
                return self._write(base, params)
        self.complaints.append(f"command {command}")
        return [b"-2222"]

    def _read(self, base: Base, mfn: int) -> list[bytes]:
        if mfn not in base.records:
            return [b"-140"]
        version, lines = base.records[mfn]
        told = [f"{mfn}#0", f"0#{version}", *lines, ""]
        return [b"0", *(t.encode() for t in told)]

    def _search(self, base: Base, expression: str, params: list[bytes]) -> list[bytes]:
        if len(params) != 8:
            self.complaints.append(f"search with {len(params)} parameters")
        if not (expression.startswith('"') and expression.endswith('"')):
            self.complaints.append(f"term {expression}")
        term = expression.strip('"').upper()
        found = [mfn for mfn in base.records if term in self._terms(base, mfn)]
        most = int(params[2])
        return [b"0", str(len(found)).encode(), *(str(m).encode() for m in found[:most]), b""]

    def _terms(self, base: Base, mfn: int) -> set[str]:
        terms = {f"RI={t.partition('#')[2]}" for t in base.lines(mfn, 30)}
        for text in base.lines(mfn, 910):
            terms |= {f"IN={n}" for c in "bh" if (n := subfield(text, c))}
        for text in base.lines(mfn, 40):
            if subfield(text, "f").startswith("*"):
                terms |= {f"OUT={n}" for c in "bh" if (n := subfield(text, c))}
        return {t.upper() for t in terms}

    def _write(self, base: Base, params: list[bytes]) -> list[bytes]:
        lock, actualize, text = params[1], params[2], params[3].decode("utf-8")
        if (lock, actualize) != (b"0", b"1"):
            self.complaints.append("a record left locked or unfindable")
        if callable(self.before_write):
            once, self.before_write = self.before_write, None
            once()
        lines = text.split("\x1f\x1e")
        mfn, version = int(lines[0].split("#")[0]), int(lines[1].split("#")[1])
        if mfn and base.records[mfn][0] != version:
            return [b"-608"]
        mfn = mfn or len(base.records) + 1
        base.records[mfn] = (version + 1, lines[2:])
        self.num_written += 1
        back = "\x1e".join([f"0#{version + 1}", *lines[2:]])
        return [str(len(base.records)).encode(), f"{mfn}#32".encode(), back.encode()]


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        told, kept = self.server.told, b""
        while True:
            size, line_end, rest = kept.partition(b"\n")
            if line_end and len(rest) >= int(size):
                break
            piece = self.request.recv(65536)
            if not piece:
                return
            kept += piece
        command = rest.split(b"\n", 1)[0].decode()
        fault = None
        if told.faults and told.faults_for in ("", command):
            fault = told.faults.pop(0)
        if fault is Fault.DROP_BEFORE:
            return
        if fault is Fault.FORGOTTEN:
            told.clients.clear()
        head = [line.decode("cp1251") for line in rest.split(b"\n")[:10]]
        codes = {Fault.LOCKED: b"-602", Fault.OVERLOAD: b"-6666", Fault.TAKEN: b"-3337"}
        if fault in codes:
            command, client, number, lines = head[0], head[3], head[4], [codes[fault]]
        else:
            command, client, number, lines = told.answer(rest)
        if fault is Fault.DROP_AFTER:
            return
        if fault is Fault.OTHER:
            number = str(int(number) + 7)
        packed = [command, client, number, "", "64.2022.1", "", "", "", "", ""]
        answer = b"\r\n".join([*(p.encode("cp1251") for p in packed), *lines])
        with suppress(OSError):
            self._sent(answer, fault)

    def _sent(self, answer: bytes, fault: Fault | None) -> None:
        if fault is Fault.SLOW:
            time.sleep(self.server.told.slow_s)
        elif fault is Fault.CUT:
            answer = answer[: len(answer) * 2 // 3].rstrip(b"\r\n")
        elif fault is Fault.NONSENSE:
            answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        self.request.sendall(answer)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    told: IrbisTestServer


@contextmanager
def running(told: IrbisTestServer) -> Iterator[IrbisTestServer]:
    """The server on a port of its own."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.told = told
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
