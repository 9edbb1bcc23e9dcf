"""Set reader-app up on a machine that has only Python, and start it.

    python installers/start.py demo     play the whole job on phantom radiographs
    python installers/start.py test     run the tests
    python installers/start.py run      open the window
    python installers/start.py bench    measure speed
    python installers/start.py setup    only set up

Standard library only. Everything is installed into `.venv` beside this folder, from the locked and
hashed list `installers/requirements.lock`; nothing else on the machine is changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "installers" / "requirements.lock"
STAMP = ENVIRONMENT / "reader-app-setup.sha256"
SUPPORTED = ((3, 11), (3, 13))
NEEDED_GIB = 9
COMMANDS = ("setup", "demo", "test", "run", "bench")

# What the window needs of a Linux system, with the Debian package that brings it.
LINUX_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
}


class SetupError(Exception):
    """Something is missing; the text says what and what to do."""


def say(text: str) -> None:
    """Tell the user what is going on."""
    print(f"[reader-app] {text}", flush=True)


def python_of(environment: Path) -> Path:
    """Return the environment's interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_python() -> None:
    """Refuse a Python that the locked packages do not support."""
    low, high = SUPPORTED
    if not low <= sys.version_info[:2] <= high:
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is not supported: "
            f"start this with Python {low[0]}.{low[1]} to {high[0]}.{high[1]}."
        )


def check_disk() -> None:
    """Refuse to begin where the packages cannot fit."""
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < NEEDED_GIB:
        raise SetupError(
            f"{ROOT} has {free:.1f} GiB free, the packages need {NEEDED_GIB} GiB. Free some space first."
        )


def wanted_stamp() -> str:
    """Return a hash of everything that the environment is made from."""
    digest = hashlib.sha256()
    for part in (LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def is_ready() -> bool:
    """Whether the environment is there and made from the present lists."""
    try:
        return python_of(ENVIRONMENT).exists() and STAMP.read_text(encoding="ascii") == wanted_stamp()
    except OSError:
        return False


def call(*words: str | Path, doing: str) -> None:
    """Run a step of the set-up; its own output is shown only when it fails."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        errors="replace",  # a tool may write in another encoding than the console's
        cwd=ROOT,
        env=plain_environment(),
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SetupError(
            f"{doing} failed:\n{tail}\nCheck the network and the free disk space, then try again."
        )


def plain_environment() -> dict[str, str]:
    """Return the process environment without what leads a Python to other packages than ours."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def locked_entry(name: str) -> str:
    """Return the lines of one package of the lock, hashes included."""
    found = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", LOCK.read_text(encoding="utf-8"), re.M | re.S)
    if found is None:
        raise SetupError(f"{LOCK} does not name {name}. Get a complete copy of reader-app.")
    return "\n".join(line for line in found.group().splitlines() if not line.lstrip().startswith("#"))


def was_moved(environment: Path) -> bool:
    """Whether an environment was made in another place: its scripts would start the Python there."""
    try:
        settings = (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    made = re.search(r"^command = .* -m venv (?:--\S+ )*(.+)$", settings, re.M)
    return made is not None and Path(made[1].strip()) != environment


def is_usable(environment: Path) -> bool:
    """Whether an environment has a Python that we support, can install packages, and was made here."""
    if not python_of(environment).exists() or was_moved(environment):
        return False
    question = (
        "import sys, importlib.util as u\n"
        "print(*sys.version_info[:2])\n"
        "sys.exit(not (u.find_spec('uv') or u.find_spec('pip')))"
    )
    answer = subprocess.run(
        [str(python_of(environment)), "-c", question],
        capture_output=True,
        text=True,
        env=plain_environment(),
        check=False,
    )
    version = tuple(int(part) for part in answer.stdout.split() if part.isdigit())
    return answer.returncode == 0 and SUPPORTED[0] <= version <= SUPPORTED[1]


def make_environment() -> None:
    """Make `.venv` where it is missing, was cut off half-way, was moved, or is of another Python."""
    if is_usable(ENVIRONMENT):
        return
    check_disk()
    say(f"making the environment {ENVIRONMENT}")
    try:
        if ENVIRONMENT.exists():
            shutil.rmtree(ENVIRONMENT)
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(ENVIRONMENT)
    except (subprocess.CalledProcessError, OSError) as fault:
        raise SetupError(
            f"The environment cannot be made ({fault}). "
            "On Debian and Ubuntu install python3-venv, then try again."
        ) from fault


def install_packages() -> None:
    """Install the locked packages, and reader-app itself in place."""
    python = python_of(ENVIRONMENT)
    probe = subprocess.run([str(python), "-m", "uv", "--version"], capture_output=True, check=False)
    if probe.returncode:
        say("installing the installer (uv)")
        with tempfile.TemporaryDirectory() as folder:
            only_uv = Path(folder) / "uv.txt"
            only_uv.write_text(locked_entry("uv"), encoding="utf-8")
            pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
            call(*pip, "--require-hashes", "-r", only_uv, doing="Installing uv")
    uv = (python, "-m", "uv", "pip")
    say("installing the locked packages (about 6 GB with the AI libraries; a minute or more the first time)")
    # Compiled now, once: some machines never write bytecode, and every start would pay for it.
    call(
        *uv,
        *("sync", "-q", "--compile-bytecode", "--python", python, "--require-hashes", LOCK),
        doing="Installing the packages",
    )
    call(
        *uv,
        *("install", "-q", "--python", python, "--no-deps", "--no-build-isolation", "-e", ROOT),
        doing="Installing reader-app",
    )


def check_window_libraries() -> None:
    """Say which system library the window lacks, before Qt says it in its own way."""
    probe = subprocess.run(
        [str(python_of(ENVIRONMENT)), "-c", "import PySide6.QtWidgets, PySide6.QtSvg"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not probe.returncode:
        return
    found = re.search(r"(lib[\w.+-]+\.so[.\d]*)", probe.stderr)
    if found is None:
        raise SetupError(f"Qt does not start:\n{probe.stderr.strip()}")
    library = found.group(1)
    package = LINUX_LIBRARIES.get(library)
    hint = f"Install it with: apt-get install {package}" if package else "Install the package that brings it."
    raise SetupError(f"The system library {library} is missing; the window needs it. {hint}")


def set_up() -> None:
    """Make everything ready; does nothing where it is."""
    check_python()
    if is_ready():
        return
    make_environment()
    STAMP.unlink(missing_ok=True)
    install_packages()
    check_window_libraries()
    STAMP.write_text(wanted_stamp(), encoding="ascii")
    say("set up")


def surroundings(command: str) -> dict[str, str]:
    """Return the process environment of a command: offscreen where there is no display."""
    variables = plain_environment()
    has_display = os.name == "nt" or sys.platform == "darwin" or "DISPLAY" in variables
    has_display = has_display or "WAYLAND_DISPLAY" in variables
    if command == "test" or (not has_display and command in ("demo", "bench")):
        variables.setdefault("QT_QPA_PLATFORM", "offscreen")
        if command != "test":
            say("this machine has no display: rendering offscreen")
    return variables


def start(command: str, further: list[str]) -> int:
    """Run a command in the environment and return its exit code."""
    words = {
        "demo": ["-m", "reader_app", "demo"],
        "test": ["-m", "pytest"],
        "run": ["-m", "reader_app", "run"],
        "bench": ["-m", "reader_app", "bench"],
    }[command]
    done = subprocess.run(
        [str(python_of(ENVIRONMENT)), *words, *further], cwd=ROOT, env=surroundings(command), check=False
    )
    return done.returncode


def main(arguments: list[str]) -> int:
    """Set up, then run the command; 2 where something is missing."""
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    command, further = arguments[0], arguments[1:]
    try:
        set_up()
    except SetupError as fault:
        say(str(fault))
        return 2
    return 0 if command == "setup" else start(command, further)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
