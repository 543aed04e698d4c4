"""Settings: read from the environment, refused where they are not safe, all of them told."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from api.setting_variables import VARIABLES, Environment
from api.settings import Settings, is_local
from api.state import clock_of, utc_now
from data.model.errors import InputError

PAPER = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
HOME = {"XDG_DATA_HOME": "/data", "XDG_CACHE_HOME": "/cache"}


def told(variable: str) -> list[str]:
    """The row of a variable in the paper."""
    text = PAPER.read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{variable}` \|(.*)\|$", text, re.MULTILINE)
    return [cell.strip() for cell in str(row).split("|")]


def test_every_setting_has_a_variable() -> None:
    """No field of the settings can only be set by the program, and no variable is for nothing."""
    assert [v.field for v in VARIABLES] == [f.name for f in fields(Settings)]
    assert len({v.name for v in VARIABLES}) == len(VARIABLES)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_the_paper_tells_of_every_setting(variable: object) -> None:
    """What it is for, what is allowed and the default stand in ``docs/settings.md`` as here."""
    one = next(v for v in VARIABLES if v is variable)
    default = one.otherwise or str(getattr(Settings(), one.field))
    assert told(one.name) == [one.told, one.allowed, default]
    assert len(one.told) > 10


def test_the_paper_tells_of_no_other_setting() -> None:
    """A setting that was taken away leaves the paper too."""
    named = set(re.findall(r"BOOKMOBILE_[A-Z_]+", PAPER.read_text(encoding="utf-8")))
    assert named == {v.name for v in VARIABLES}


def test_without_variables_it_serves_this_machine_from_a_file() -> None:
    """The default is safe: production, this machine alone, a file in the user's data folder."""
    settings = Settings.from_environment(HOME)
    assert settings.database_url == "sqlite:////data/bookmobile/bookmobile.sqlite"
    assert settings.cache_dir == Path("/cache/bookmobile")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == "http://localhost:8000"
    assert settings.environment is Environment.PRODUCTION
    settings.check()


def test_variables_are_read() -> None:
    """Numbers, flags, paths and addresses come as their kinds; an empty one counts as not set."""
    settings = Settings.from_environment(
        HOME
        | {
            "BOOKMOBILE_PORT": "9000",
            "BOOKMOBILE_ALLOW_PLAIN_HTTP": "Yes",
            "BOOKMOBILE_PUBLIC_URL": "https://bus.example.org/",
            "BOOKMOBILE_DATABASE": "postgresql+psycopg://bus:secret@db/bus",
            "BOOKMOBILE_OIDC_SECRET_FILE": "",
            "BOOKMOBILE_ENVIRONMENT": "development",
        }
    )
    assert settings.port == 9000
    assert settings.allow_plain_http is True
    assert settings.public_url == "https://bus.example.org"
    assert settings.is_secure
    assert settings.oidc_secret_file is None
    assert settings.environment is Environment.DEVELOPMENT
    assert "bus:secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eight"),
        ("PORT", "70000"),
        ("REQUEST_MAX_MB", "0"),
        ("ALLOW_PLAIN_HTTP", "perhaps"),
        ("ENVIRONMENT", "prod"),
        ("PUBLIC_URL", "bus.example.org"),
        ("PUBLIC_URL", "https://bus.example.org/desk"),
        ("DATABASE", "mysql://bus"),
        ("OIDC_ISSUER", "accounts"),
        ("OIDC_LOGIN_CLAIM", "name"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_name(name: str, value: str) -> None:
    """The refusal names the variable, its value and what is allowed."""
    with pytest.raises(InputError) as refusal:
        Settings.from_environment(HOME | {f"BOOKMOBILE_{name}": value})
    assert refusal.value.code == "settings.bad_value"
    assert refusal.value.facts["name"] == f"BOOKMOBILE_{name}"
    assert refusal.value.facts["value"] == value
    assert refusal.value.facts["allowed"]


OPEN = Settings(host="0.0.0.0", public_url="http://bus.example.org")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (OPEN, "settings.plain_http"),
        (replace(OPEN, host="127.0.0.1"), "settings.plain_http"),
        (Settings(host="192.168.1.5"), "settings.plain_http"),
        (replace(OPEN, environment=Environment.DEMO), "settings.demo_public"),
        (
            replace(OPEN, environment=Environment.DEMO, public_url="https://bus.example.org"),
            "settings.demo_public",
        ),
        (Settings(tls_key=Path("key.pem")), "settings.half_tls"),
        (Settings(oidc_client_id="bus"), "settings.half_oidc"),
        (
            Settings(oidc_client_id="bus", oidc_issuer="http://login.example.org"),
            "settings.oidc_http",
        ),
    ],
)
def test_what_is_not_safe_is_refused(settings: Settings, code: str) -> None:
    """Nobody serves passwords in the open, or the demo's known ones to a network, by accident."""
    with pytest.raises(InputError) as refusal:
        settings.check()
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "settings",
    [
        replace(OPEN, public_url="https://bus.example.org"),
        replace(OPEN, allow_plain_http=True),
        replace(OPEN, environment=Environment.DEVELOPMENT),
        Settings(environment=Environment.DEMO),
        Settings(oidc_client_id="bus", oidc_issuer="https://login.example.org"),
        Settings(oidc_client_id="bus", oidc_issuer="http://localhost:99"),
        Settings(host="::1", public_url="http://localhost:8000"),
    ],
)
def test_what_is_safe_or_asked_for_is_served(settings: Settings) -> None:
    """Https, an explicit flag, development, and the demo on this machine."""
    settings.check()


def test_only_this_machine_is_local() -> None:
    """A name that merely begins like an address of this machine is not one."""
    assert is_local("127.0.0.7")
    assert not is_local("127.0.0.1.example.org")
    assert not is_local("10.0.0.1")


def test_only_a_demo_may_have_another_time() -> None:
    """A clock that is put back is refused elsewhere; in the demo the service goes by it."""
    for environment in (Environment.PRODUCTION, Environment.DEVELOPMENT):
        with pytest.raises(InputError, match="clock_outside_demo"):
            Settings(environment=environment, clock_offset_s=-3600).check()
    demo = Settings(environment=Environment.DEMO, clock_offset_s=-3600)
    demo.check()
    behind = utc_now() - clock_of(demo)()
    assert 3599 < behind.total_seconds() < 3601
