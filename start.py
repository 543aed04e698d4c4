#!/usr/bin/env python3
"""Install Bookmobile beside this file and start it; any Python from 3.8 on can run this.

    python3 start.py demo [options]     install, then ``bookmobile demo`` with the same options
    python3 start.py test [options]     install with the test tools, then pytest

Everything lands in two folders here: ``.venv`` (the program) and, only where this computer has
no fitting Python, ``.start`` (uv and the Python that it fetches). Delete both to start afresh.
"""
# ruff: noqa: T201

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SIDE = ROOT / ".start"
STAMP = VENV / "bookmobile-installed.json"
IS_WINDOWS = os.name == "nt"

FITTING = ((3, 12), (3, 13), (3, 14))
"""Versions that every locked package has a ready-made wheel for, the preferred one first."""

SOURCE_ONLY = "gpsd-py3"
"""Locked packages without a ready-made wheel (pure Python, built by pip in a moment)."""

REQUIREMENTS = {"demo": "requirements.txt", "test": "requirements-dev.txt"}

PROBE = (
    "import sys, sysconfig, venv, ensurepip;"
    "ok = sys.implementation.name == 'cpython' and sys.maxsize > 2**32"
    " and not sysconfig.get_config_var('Py_GIL_DISABLED');"
    "print(*sys.version_info[:2] if ok else (0, 0))"
)


class SetupError(Exception):
    """Why we cannot go on, and what to do about it."""


def child_environment():
    """The environment of every process started here.

    No file of the current folder may pass for one of our packages (``data``, ``maps`` …), and
    settings made for another Python must not reach ours; what is read once is kept compiled.
    """
    others = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    env = {k: v for k, v in os.environ.items() if k not in others}
    env.update(PYTHONSAFEPATH="1", PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUTF8="1")
    return env


def run(command, quiet=False, **more):
    """Run a command to its end and give its exit code; Ctrl-C reaches it as it reaches us."""
    if quiet:
        more.update(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    env = more.pop("env", None) or child_environment()
    child = subprocess.Popen([str(part) for part in command], env=env, **more)
    try:
        return child.wait()
    except KeyboardInterrupt:
        # The child has the same Ctrl-C and may be saving its work: let it finish.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = child.wait()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if code in (0, 130):
            return code
        raise


def step(text):
    print("start.py: " + text, flush=True)


# --- a fitting Python --------------------------------------------------------------------------


def version_of(command):
    """(major, minor) of an interpreter that can make a virtual environment, or None."""
    try:
        answer = subprocess.run(
            [*command, "-c", PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
            env=child_environment(),
        ).stdout.split()
        found = (int(answer[0]), int(answer[1]))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
    return found if found in FITTING else None


def candidates():
    """Commands that may be a fitting Python, the likeliest first."""
    yield [sys.executable or "python3"]
    names = ["{}.{}".format(*version) for version in FITTING]
    for name in names:
        at = shutil.which("python" + name)
        if at:
            yield [at]
    if IS_WINDOWS:
        launcher = shutil.which("py")
        if launcher:
            for name in names:
                yield [launcher, "-" + name]
    home = Path.home()
    inside = "python.exe" if IS_WINDOWS else "bin/python3"
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    if IS_WINDOWS:
        pyenv = pyenv / "pyenv-win"
        data = Path(os.environ.get("APPDATA") or home / "AppData/Roaming")
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    folders = [(pyenv / "versions", "{}*")]
    folders += [(at, "cpython-{}*") for at in (managed, SIDE / "python")]
    for folder, pattern in folders:
        for name in names:
            for at in sorted(folder.glob(pattern.format(name)), reverse=True):
                if (at / inside).exists():
                    yield [str(at / inside)]
    for name in ("python3", "python"):
        at = shutil.which(name)
        if at:
            yield [at]


def find_python():
    """The command of a fitting Python on this computer, or None."""
    for command in candidates():
        found = version_of(command)
        if found:
            step("Python {}.{}: {}".format(*found, " ".join(command)))
            return command
    return None


def fetch_uv():
    """The path of uv: the one on PATH, or one installed from the package index into ``.start``."""
    at = shutil.which("uv")
    if at:
        return at
    uv = SIDE / "uv" / ("Scripts/uv.exe" if IS_WINDOWS else "bin/uv")
    flat = SIDE / "flat" / "bin" / ("uv.exe" if IS_WINDOWS else "uv")
    if not uv.exists() and not flat.exists():
        inner = SIDE / "uv" / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")
        if run([sys.executable, "-m", "venv", "--clear", SIDE / "uv"], quiet=True) == 0:
            run([inner, "-m", "pip", "install", "--quiet", "uv"])
        else:
            # Debian's Python without python3-venv may still have pip.
            run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--target", SIDE / "flat", "uv"]
            )
    return str(uv) if uv.exists() else str(flat) if flat.exists() else None


def fetch_python():
    """Let uv fetch a Python into ``.start`` and give its command."""
    wanted = "{}.{}".format(*FITTING[0])
    step("no Python " + wanted + " or newer here; fetching one into .start (about 100 MB) …")
    uv = fetch_uv()
    if uv:
        env = child_environment()
        env["UV_PYTHON_INSTALL_DIR"] = str(SIDE / "python")
        if run([uv, "python", "install", "--no-bin", wanted], env=env) == 0:
            found = find_python()
            if found:
                return found
    raise SetupError(
        "This computer has no Python 3.12, 3.13 or 3.14 with venv, and none could be fetched\n"
        "  (see the lines above; usually there is no network).\n"
        "  Install Python 3.12 from python.org or your system's packages (Debian, Ubuntu:\n"
        "  python3.12 and python3.12-venv), then run this command again."
    )


# --- the virtual environment --------------------------------------------------------------------


def in_venv(name):
    return VENV / ("Scripts/" + name + ".exe" if IS_WINDOWS else "bin/" + name)


def digest_of(task):
    """Changes when the locked packages, the project's own build or the folder's place change."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (REQUIREMENTS[task], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_installed(task):
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # The test tools come on top of everything that the demo needs.
    kinds = ("demo", "test") if task == "demo" else ("test",)
    return in_venv("bookmobile").exists() and any(stamp.get(k) == digest_of(k) for k in kinds)


def install(task):
    """Make ``.venv`` and install the locked packages and the project, unless that is done."""
    if is_installed(task):
        return
    digest = digest_of(task)
    if not version_of([str(in_venv("python"))]):
        python = find_python() or fetch_python()
        step("making .venv …")
        if run([*python, "-m", "venv", "--clear", VENV]) != 0:
            raise SetupError(
                f"The virtual environment {VENV} could not be made (see the lines above).\n"
                "  Is the folder writable and is there room for about 1.5 GB?"
            )
    pip = [in_venv("python"), "-m", "pip"]
    if run([*pip, "--version"], quiet=True) != 0:
        run([in_venv("python"), "-m", "ensurepip", "--upgrade"], quiet=True)
    pip += ["install", "--quiet"]
    step(f"installing the packages of {REQUIREMENTS[task]} (a minute or two the first time) …")
    # Wheels only: a platform without one gets a clear refusal, not an hour of compiling.
    locked = ["--require-hashes", "--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    locked += ["-r", ROOT / REQUIREMENTS[task]]
    if run([*pip, *locked]) != 0:
        raise SetupError(
            f"The packages of {REQUIREMENTS[task]} could not be installed (see the lines above).\n"
            "  No network? Connect once and run the same command again; what was fetched is kept.\n"
            "  Behind a company proxy? Set HTTPS_PROXY, or point pip at your own mirror with\n"
            "  PIP_INDEX_URL. Disk full? About 1.5 GB is needed."
        )
    if run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT]) != 0:
        raise SetupError(
            "The project itself could not be installed into .venv (see the lines above)."
        )
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stamp = {}
    stamp[task] = digest
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    step("installed.")


def main(arguments):
    task = arguments[0] if arguments else ""
    if task not in REQUIREMENTS:
        print(__doc__)
        return 0 if task in ("-h", "--help") else 2
    try:
        install(task)
        if task == "demo":
            return run([in_venv("bookmobile"), "demo", *arguments[1:]])
        # Files side by side, one process a core; whoever names tests runs them as pytest does.
        chosen = arguments[1:] or ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
        return run([in_venv("python"), "-m", "pytest", *chosen], cwd=str(ROOT))
    except SetupError as reason:
        print("\nstart.py: " + str(reason), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nstart.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstart.py: stopped. The same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
