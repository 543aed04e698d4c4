"""A SIP2 server for tests, written from the protocol's document; it shares no code with the client.

Everything is read strictly, as 3M Standard Interchange Protocol v2.00 (revision 2.12, 2006) has it:
widths of fixed fields, required fields, checksums, the rule that a message which comes again under
the same number is answered again and not carried out again. What a client does wrong is written
into ``complaints``. Faults of networks and of systems are asked for by ``faults``.
"""

import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

FIXED = {
    "93": [1, 1],
    "99": [1, 3, 4],
    "23": [3, 18],
    "63": [3, 18, 10],
    "17": [18],
    "11": [1, 1, 18, 18],
    "09": [1, 18, 18],
    "29": [1, 1, 18, 18],
    "15": [1, 18],
    "97": [],
}
REQUIRED = {
    "93": {"CN", "CO"},
    "99": set(),
    "23": {"AO", "AA", "AC", "AD"},
    "63": {"AO", "AA"},
    "17": {"AO", "AB"},
    "11": {"AO", "AA", "AB", "AC"},
    "09": {"AP", "AO", "AB", "AC"},
    "29": {"AO", "AA"},
    "15": {"AO", "AA"},
    "97": set(),
}
MOMENT = re.compile(r"\d{8}(    |   Z| UTC)\d{6}| {18}")
NOW = "20261126    101500"


class Fault(Enum):
    """What happens to the next answer."""

    NONE = "nothing: it is well"
    SLOW = "it comes after the client gave up"
    DROP_BEFORE = "the connection ends and nothing was done"
    DROP_AFTER = "it was done, and the connection ends"
    GARBLE = "a byte of it is another"
    CUT = "its second half is lost"
    ASK_AGAIN = "the system asks for the message again"
    NO_SUM = "it has no checksum"
    SILENT = "it never comes"
    NONSENSE = "bytes that are no message"
    OTHER_ITEM = "it is the answer to another question"
    CLOSE = "it comes, and then the connection ends"


@dataclass
class Shelf:
    """What the system knows."""

    accounts: dict[str, str] = field(default_factory=lambda: {"van": "secret"})
    patrons: dict[str, str] = field(default_factory=lambda: {"R-1": "Иванова Мария", "R-2": "Ли"})
    blocked: set[str] = field(default_factory=set)
    items: dict[str, str] = field(
        default_factory=lambda: {"4600001": "Ёлка и звёзды", "4600002": "Том"}
    )
    loans: dict[str, str] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    holds: list[tuple[str, str]] = field(default_factory=list)
    num_done: dict[str, int] = field(default_factory=dict)
    """How often each thing was carried out, by message and item."""


@dataclass
class Sip2TestServer:
    """Answers one connection at a time."""

    encoding: str = "utf-8"
    terminator: bytes = b"\r"
    takes_offline: bool = True
    lists_charged: bool = True
    shelf: Shelf = field(default_factory=Shelf)
    faults: list[Fault] = field(default_factory=list)
    faults_for: str = ""
    """Only answers to this message are faulty; empty: to every one."""
    slow_s: float = 0.0
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def complain(self, told: str) -> None:
        self.complaints.append(told)

    def taken_apart(self, raw: bytes) -> tuple[str, list[str], dict[str, str], str | None] | None:
        """Code, fixed fields, fields, number; ``None`` where the sum is wrong."""
        number = None
        if len(raw) > 5 and raw[-6:-4] == b"AZ":
            total = sum(raw[:-4]) + int(raw[-4:], 16)
            if total % 65536 != 0:
                return None
            raw = raw[:-6]
            if raw[-3:-1] == b"AY":
                number, raw = chr(raw[-1]), raw[:-3]
        text = raw.decode(self.encoding)
        code, rest = text[:2], text[2:]
        if code not in FIXED:
            self.complain(f"message {code} is not in the document")
            return code, [], {}, number
        fixed = []
        for width in FIXED[code]:
            fixed.append(rest[:width])
            if len(fixed[-1]) != width:
                self.complain(f"{code}: fixed fields cut off")
            rest = rest[width:]
        for part in fixed:
            if len(part) == 18 and not MOMENT.fullmatch(part):
                self.complain(f"{code}: {part!r} is no date")
        if rest and not rest.endswith("|"):
            self.complain(f"{code}: the last field has no end")
        fields: dict[str, str] = {}
        for part in rest.split("|")[:-1]:
            if not re.fullmatch(r"[A-Z]{2}", part[:2]):
                self.complain(f"{code}: {part!r} is no field")
            fields[part[:2]] = part[2:]
        if missing := REQUIRED[code] - set(fields):
            self.complain(f"{code} lacks {sorted(missing)}")
        return code, fixed, fields, number

    def answer(self, code: str, fixed: list[str], fields: dict[str, str]) -> str:
        """Carry a message out."""
        item, card = fields.get("AB", ""), fields.get("AA", "")
        self.asked.append(code)
        match code:
            case "93":
                known = self.shelf.accounts.get(fields["CN"])
                return "94" + ("1" if known is not None and known == fields["CO"] else "0")
            case "99":
                yes = "Y" if self.takes_offline else "N"
                return f"98YYYYY{yes}010003{NOW}2.00AOBM|AMЦБС|BXYYYYYYYYYYYYYYYY|"
            case "23" | "63":
                return self._patron(code, card)
            case "17":
                status = "04" if item in self.shelf.loans else "03"
                if item not in self.shelf.items:
                    return f"18010001{NOW}AB{item}|AJ|AFНет такого|"
                due = self.shelf.due.get(item, "")
                told = f"AH{due}|" if due else ""
                return f"18{status}0001{NOW}{told}AB{item}|AJ{self.shelf.items[item]}|"
            case "11":
                return self._lend(fixed, card, item)
            case "09":
                return self._take_back(item)
            case "29":
                return self._renew(fixed, card, item)
            case "15":
                return self._hold(fixed, fields)
        raise AssertionError(code)

    def _count(self, code: str, item: str) -> None:
        key = f"{code} {item}"
        self.shelf.num_done[key] = self.shelf.num_done.get(key, 0) + 1

    def _patron(self, code: str, card: str) -> str:
        known = card in self.shelf.patrons
        mark = "Y" if card in self.shelf.blocked or not known else " "
        own = [i for i, c in self.shelf.loans.items() if c == card]
        head = f"{'24' if code == '23' else '64'}{mark}{' ' * 13}000{NOW}"
        if code == "63":
            head += f"00000000{len(own):04d}000000000000"
        told = f"AOBM|AA{card}|AE{self.shelf.patrons.get(card, '')}|BL{'Y' if known else 'N'}|"
        if code == "63" and self.lists_charged:
            told += "".join(f"AU{i}|" for i in own)
        return head + told

    def _lend(self, fixed: list[str], card: str, item: str) -> str:
        is_done = fixed[1] == "Y"
        why = ""
        if item not in self.shelf.items:
            why = "Экземпляр не найден"
        elif card not in self.shelf.patrons:
            why = "Читатель не найден"
        elif card in self.shelf.blocked and not is_done:
            why = "Читатель заблокирован"
        elif self.shelf.loans.get(item, card) != card:
            why = "Книга числится за другим читателем"
        due = "20261214    235959" if not fixed[3].strip() else fixed[3]
        if why:
            return f"120NUN{NOW}AOBM|AA{card}|AB{item}|AJ|AH|AF{why}|"
        self._count("11", item)
        self.shelf.loans[item], self.shelf.due[item] = card, due
        title = self.shelf.items[item]
        return f"121NUY{NOW}AOBM|AA{card}|AB{item}|AJ{title}|AH{due}|"

    def _take_back(self, item: str) -> str:
        if item not in self.shelf.items:
            return f"100NUN{NOW}AOBM|AB{item}|AQ|AFЭкземпляр не найден|"
        self._count("09", item)
        card = self.shelf.loans.pop(item, "")
        self.shelf.due.pop(item, None)
        return f"101YUN{NOW}AOBM|AB{item}|AQMAIN|AJ{self.shelf.items[item]}|AA{card}|"

    def _renew(self, fixed: list[str], card: str, item: str) -> str:
        if self.shelf.loans.get(item) != card:
            return f"300NUN{NOW}AOBM|AA{card}|AB{item}|AJ|AH|AFНе выдана|"
        self._count("29", item)
        self.shelf.due[item] = fixed[3]
        return f"301YUY{NOW}AOBM|AA{card}|AB{item}|AJТом|AH{fixed[3]}|"

    def _hold(self, fixed: list[str], fields: dict[str, str]) -> str:
        key = (fields["AA"], fields.get("AB") or fields.get("AJ", ""))
        done = "1"
        if fixed[0] == "+" and key not in self.shelf.holds:
            self.shelf.holds.append(key)
        elif fixed[0] == "-" and key in self.shelf.holds:
            self.shelf.holds.remove(key)
        else:
            done = "0"
        words = "" if done == "1" else "AFУже заказано|"
        return f"16{done}N{NOW}AOBM|AA{key[0]}|AB{fields.get('AB', '')}|{words}"


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        told, kept = self.server.told, b""
        last_raw, last_answer = b"", b""
        while True:
            while b"\r" not in kept:
                try:
                    piece = self.request.recv(4096)
                except OSError:
                    return
                if not piece:
                    return
                kept += piece
            raw, _, kept = kept.partition(b"\r")
            raw = raw.lstrip(b"\n")
            parts = told.taken_apart(raw)
            if parts is None:
                self._send(b"96", None, is_checked=True)
                continue
            code, fixed, fields, number = parts
            is_checked = raw[-6:-4] == b"AZ"
            if code == "97":
                self.request.sendall(last_answer)
                continue
            fault = None
            if told.faults and told.faults_for in ("", code):
                fault = told.faults.pop(0)
            if fault is Fault.DROP_BEFORE:
                return
            if fault is Fault.ASK_AGAIN:
                self._send(b"96", None, is_checked=is_checked)
                continue
            if raw == last_raw and is_checked:
                answer = last_answer
            else:
                text = told.answer(code, fixed, fields)
                if fault is Fault.OTHER_ITEM:
                    text = re.sub(r"AB[^|]*\|", "AB999|", text)
                answer = self._whole(text.encode(told.encoding), number, is_checked=is_checked)
            last_raw, last_answer = raw, answer
            if fault is Fault.DROP_AFTER:
                return
            with suppress(OSError):
                self._answered(answer, fault)
            if fault is Fault.CLOSE:
                return

    def _answered(self, answer: bytes, fault: Fault | None) -> None:
        told = self.server.told
        if fault is Fault.SLOW:
            time.sleep(told.slow_s)
        elif fault is Fault.GARBLE:
            middle = len(answer) // 2
            answer = answer[:middle] + bytes([answer[middle] ^ 1]) + answer[middle + 1 :]
        elif fault is Fault.CUT:
            answer = answer[: len(answer) // 2] + told.terminator
        elif fault is Fault.NO_SUM:
            answer = answer.rstrip(b"\r\n")[:-9] + told.terminator
        elif fault is Fault.NONSENSE:
            answer = b"\xff\xfe\x00 HTTP/1.1 400 Bad Request" + told.terminator
        elif fault is Fault.SILENT:
            return
        self.request.sendall(answer)

    def _whole(self, raw: bytes, number: str | None, *, is_checked: bool) -> bytes:
        if is_checked:
            if number is not None:
                raw += b"AY" + number.encode()
            raw += b"AZ"
            raw += b"%04X" % ((65536 - sum(raw) % 65536) % 65536)
        return raw + self.server.told.terminator

    def _send(self, raw: bytes, number: str | None, *, is_checked: bool) -> None:
        self.request.sendall(self._whole(raw, number, is_checked=is_checked))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    told: Sip2TestServer


@contextmanager
def running(told: Sip2TestServer) -> Iterator[Sip2TestServer]:
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


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
