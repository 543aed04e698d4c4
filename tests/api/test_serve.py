"""The demo's server shows the map of a plan folder and finds a free port."""

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import uvicorn

from api.plan_site import create_plan_site
from api.serve import listening


def test_the_root_leads_to_the_map(tmp_path: Path) -> None:
    """Whoever opens the address sees the map; the plan's other files lie beside it."""
    (tmp_path / "map.html").write_text("<title>map</title>", encoding="utf-8")
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    server = uvicorn.Server(uvicorn.Config(create_plan_site(tmp_path), log_level="error"))
    with listening(0) as bound:
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        try:
            assert b"<title>map" in read(address + "/")
            assert json.loads(read(address + "/plan.json")) == {}
            assert json.loads(read(address + "/health")) == {"plan": True}
            with pytest.raises(urllib.error.HTTPError) as missing:
                read(address + "/nothing")
            assert missing.value.code == 404
            missing.value.close()
        finally:
            server.should_exit = True
            thread.join()


def read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:
        body: bytes = answer.read()
    return body


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    """Two servers at once do not collide."""
    with listening(0) as first:
        first.listen()
        port = first.getsockname()[1]
        with listening(port) as second:
            assert second.getsockname()[1] != port
