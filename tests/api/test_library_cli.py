"""``bookmobile library-system`` as a person types it, against live test servers."""

import json
import re
import stat
from pathlib import Path

import pytest

import api
import data
import fleet
from api.services.library_queue import open_queue
from api.words import LANGUAGES, Words
from data.feeds.irbis_record import IrbisField, IrbisRecord, read_field, text_file
from data.model.errors import InputError
from data.model.library_ops import OperationKind
from fleet.library.outbox import Outbox, Standing, add, sending
from fleet.library.outbox_json import operation_to_json
from tests.api.runner import Terminal
from tests.fleet.library import irbis_server, sip2_server
from tests.fleet.library.evergreen_rules import Evergreen
from tests.fleet.library.koha_rules import Koha
from tests.fleet.library.operations import CARD, ITEM, operation


@pytest.fixture
def bookmobile(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Terminal:
    return Terminal(monkeypatch, capfd, tmp_path / "cache")


def day(folder: Path) -> Path:
    """A loan, a renewal, a loan of an unknown item, and a hold."""
    told = [
        operation(),
        operation(OperationKind.RENEWAL, operation_id="op-2", after_s=60),
        operation(operation_id="op-3", item_id="999", after_s=90),
        operation(OperationKind.HOLD, operation_id="op-4", item_id="4600002", after_s=95),
    ]
    path = folder / "day.jsonl"
    lines = [json.dumps(operation_to_json(o), ensure_ascii=False) for o in told]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def settings(folder: Path, kind: str, port: int, login: str, password: str) -> Path:
    path = folder / "library.toml"
    (folder / "password.txt").write_text(password + "\n", encoding="utf-8")
    path.write_text(
        f'kind = "{kind}"\nhost = "127.0.0.1"\nport = {port}\nlogin = "{login}"\n'
        'password_file = "password.txt"\ntimeout_s = 3\n',
        encoding="utf-8",
    )
    return path


def test_a_day_is_told_by_sip2(bookmobile: Terminal, tmp_path: Path) -> None:
    """What the system takes is settled; what it refuses is told in its words and decided."""
    queue = tmp_path / "queue.jsonl"
    with sip2_server.running(sip2_server.Sip2TestServer()) as server:
        own = settings(tmp_path, "sip2", server.port, "van", "secret")
        told = bookmobile(
            "library-system", "check", "--settings", own, "--card", CARD, "--lang", "ru"
        )
        assert "Читатель в ней есть." in told.said
        send = ("library-system", "send", "--settings", own, "--queue", queue, "--lang", "ru")
        done = bookmobile(*send, day(tmp_path))
        assert done.code == 1
        assert "Завершены 3 операции." in done.said
        assert "op-3: выдача, экземпляр 999, билет R-1. Экземпляр не найден" in done.said
        assert bookmobile(*send, day(tmp_path)).code == 1
        decided = bookmobile(
            "library-system", "decide", "op-3", "by_hand", "--queue", queue, "--note", "внесено"
        )
        assert decided.code == 0
        assert bookmobile(*send).code == 0
        assert server.shelf.num_done == {f"11 {ITEM}": 1, f"29 {ITEM}": 1}
        assert server.complaints == []
    assert stat.S_IMODE(queue.stat().st_mode) == 0o600


def test_a_day_is_told_by_irbis(bookmobile: Terminal, tmp_path: Path) -> None:
    """The same day over the protocol of IRBIS64; the hold goes to a person."""
    with irbis_server.running(irbis_server.IrbisTestServer()) as server:
        server.readers.add("10#Иванова", f"30#{CARD}")
        server.books.add("200#^aТом", "903#84/Т", f"910#^a0^b1^h{ITEM}")
        own = settings(tmp_path, "irbis64", server.port, "kibo", "Секрет")
        told = bookmobile(
            "library-system", "check", "--settings", own, "--card", CARD, "--item", "7", "--json"
        )
        assert json.loads(told.said) == {
            "kind": "irbis64",
            "version": "64.2022.1",
            "card_found": True,
            "item_found": False,
        }
        queue = tmp_path / "queue.jsonl"
        done = bookmobile(
            *("library-system", "send", "--settings", own, "--queue", queue, "--json"),
            day(tmp_path),
        )
        asking = {p["operation"]["operation_id"]: p for p in json.loads(done.said)["asking"]}
        assert {i: p["answer"]["code"] for i, p in asking.items()} == {
            "op-3": "library.irbis_no_copy",
            "op-4": "library.irbis_cannot_carry",
        }
        assert len(server.readers.lines(1, 40)) == 1
        assert server.clients == set()


def test_a_system_that_is_down_loses_nothing(bookmobile: Terminal, tmp_path: Path) -> None:
    """Nobody listens: all is kept, and told when the system is there again."""
    own = settings(tmp_path, "sip2", sip2_server.free_port(), "van", "secret")
    queue = tmp_path / "queue.jsonl"
    done = bookmobile(
        *("library-system", "send", "--settings", own, "--queue", queue, "--lang", "en"),
        day(tmp_path),
    )
    assert (done.code, "4 operations wait to be told." in done.said) == (0, True)
    told = bookmobile("library-system", "check", "--settings", own, "--lang", "ru")
    assert told.code == 2
    assert "не отвечает" in told.said


def test_files_for_koha_and_evergreen(bookmobile: Terminal, tmp_path: Path) -> None:
    """Both files pass those systems' own rules; the hold is named as left out."""
    for form, rules in (("koc", Koha()), ("evergreen", Evergreen())):
        out = tmp_path / form
        told = bookmobile(
            "library-system", "export", day(tmp_path), "--format", form, "--out", out, "--json"
        )
        answer = json.loads(told.said)
        assert answer["carried"] == ["op-1", "op-2", "op-3"]
        assert [x["operation_id"] for x in answer["left_out"]] == ["op-4"]
        if isinstance(rules, Koha):
            rules.process(out.read_bytes())
        else:
            rules.execute(out.read_bytes())
        assert rules.errors == []
        assert rules.loans[ITEM][0] == CARD


@pytest.mark.parametrize("form", ["irbis-text", "irbis-iso"])
def test_files_for_irbis(bookmobile: Terminal, tmp_path: Path, form: str) -> None:
    """Exports in cp1251 go in, changed records come out in the same encoding."""
    reader = IrbisRecord(
        fields=(IrbisField(tag=10, value="Ёлкина"), IrbisField(tag=30, value=CARD))
    )
    book = IrbisRecord(fields=(read_field(903, "84/Т"), read_field(910, f"^a0^b1^h{ITEM}")))
    (tmp_path / "rdr.txt").write_bytes(text_file([reader], encoding="cp1251"))
    (tmp_path / "ibis.txt").write_bytes(text_file([book], encoding="cp1251"))
    told = bookmobile(
        *("library-system", "export", day(tmp_path), "--format", form),
        *("--out", tmp_path / "out", "--encoding", "cp1251", "--lang", "ru"),
        *("--readers", tmp_path / "rdr.txt", "--books", tmp_path / "ibis.txt"),
    )
    assert told.code == 0
    assert "В файле 2 операции." in told.said
    assert "Не вошло в файл: op-3. В каталоге ИРБИС нет экземпляра" in told.said
    ending = "txt" if form == "irbis-text" else "iso"
    raw = (tmp_path / "out" / f"readers.{ending}").read_bytes()
    assert "Ёлкина".encode("cp1251") in raw
    assert b"bm:op-1 bm:op-2" in raw


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kind = "z39"\nhost = "x"\n', "kind"),
        ('kind = "sip2"\n', "host"),
        ('kind = "sip2"\nhost = "x"\nport = "6001"\n', "port"),
        ('kind = "sip2"\nhost = "x"\nport = 99999\n', "99999"),
        ('kind = "sip2"\nhost = "x"\nencoding = "klingon"\n', "klingon"),
        ('kind = "sip2"\nhost = "x"\nterminator = "lf"\n', "lf"),
        ('kind = "irbis64"\nhost = "x"\nterminator = "cr"\n', "terminator"),
        ('kind = "irbis64"\nhost = "x"\ntime_zone = "Mars/X"\n', "Mars/X"),
        ('kind = "irbis64"\nhost = "x"\npassword_file = "none"\n', "none"),
        ("kind = ", "TOML"),
    ],
)
def test_wrong_settings_are_named(
    bookmobile: Terminal, tmp_path: Path, text: str, told: str
) -> None:
    """The setting and its value are told; nothing is connected."""
    path = tmp_path / "library.toml"
    path.write_text(text, encoding="utf-8")
    done = bookmobile("library-system", "check", "--settings", path, "--lang", "ru")
    assert done.code == 2
    assert told in done.said
    assert "{" not in done.said


def test_a_wrong_operation_is_told_with_its_line(bookmobile: Terminal, tmp_path: Path) -> None:
    """Nothing of the file is taken."""
    path = day(tmp_path)
    path.write_text(path.read_text("utf-8").replace('"renewal"', '"gift"'), encoding="utf-8")
    done = bookmobile(
        "library-system", "export", path, "--format", "koc", "--out", tmp_path / "x", "--lang", "ru"
    )
    assert done.code == 2
    assert "Строка 2 файла day.jsonl" in done.said
    assert "«gift»" in done.said
    assert not (tmp_path / "x").exists()


def test_a_queue_cut_off_is_mended(tmp_path: Path) -> None:
    """The machine lost power while a line was written: the line before it counts."""
    path = tmp_path / "queue.jsonl"
    with open_queue(path) as kept:
        kept.take(add(Outbox(), [operation(), operation(operation_id="op-2")]))
        kept.keep(sending(kept.outbox["op-1"]))
    whole = path.read_bytes()
    with path.open("ab") as added:
        added.write(b'{"operation": {"operation_id": "op-2", "ki')
    with open_queue(path) as kept:
        assert kept.outbox["op-1"].standing is Standing.DOUBTFUL
        assert kept.outbox["op-2"].standing is Standing.WAITING
        kept.keep(sending(kept.outbox["op-2"]))
    assert path.read_bytes().startswith(whole)
    with open_queue(path) as kept:
        assert kept.outbox["op-2"].standing is Standing.DOUBTFUL
        with pytest.raises(InputError, match="queue_held"), open_queue(path):
            raise AssertionError
    with path.open("ab") as added:
        added.write(b"nonsense\n")
    with pytest.raises(InputError, match="bad_line"), open_queue(path):
        raise AssertionError


CODE = re.compile(r'"(library\.[a-z0-9_]+(?:\.[a-z_]+)*)"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    """Whatever the adaptors say can be said in both languages."""
    folders = [Path(str(package.__file__)).parent for package in (api, data, fleet)]
    files = [f for folder in folders for f in folder.rglob("*.py")]
    codes = {c for f in files for c in CODE.findall(f.read_text("utf-8"))}
    codes |= {f"library.irbis_{x}" for x in ("lost", "written_off", "refused")}
    codes |= {f"library.kind.{k.value}" for k in OperationKind}
    assert len(codes) > 60
    words = Words(language)
    counted = {f"library.cli.{s.value}" for s in Standing} | {"library.cli.carried"}
    assert [c for c in sorted(codes - counted) if words(c) == c] == []
    assert [c for c in sorted(counted) if words.count(c, 5) == c] == []
