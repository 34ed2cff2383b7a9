"""A Postgres server for one run of the tests: made from the installed binaries, stopped and removed at the end.

Nothing of the machine's own servers is touched: it has its own folder, its own socket and a port that was free.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

USER = "guichet"
START_S = 60
STOP_S = 20
# Speed instead of durability: nothing here outlives the run. Crash tests kill our server, never this one.
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
    "max_connections": "300", "shared_buffers": "64MB", "log_min_messages": "warning",
}
PR_SET_PDEATHSIG = 1


class PostgresError(Exception):
    """The server cannot be had; the message says why and what to do."""


def binaries() -> Path:
    """The folder of the newest installed server."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found and (initdb := shutil.which("initdb")):
        found = [Path(initdb).resolve().parent]
    if not found:
        raise PostgresError("no Postgres server is installed; run: python3 scripts/setup.py test-tools")
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()])


@contextmanager
def throwaway_postgres(keep: bool = False):
    """Yields the URL of a fresh server. With `keep` the folder (with the server's log) stays; the server never does."""
    bin_folder, account = binaries(), unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="guichet-postgres-"))
    process = None
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
        password = secrets.token_hex(16)
        initialise(bin_folder, folder, password, account)
        port = free_port()
        log = (folder / "log").open("w")
        command = [str(bin_folder / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-p", str(port),
                   "-c", "listen_addresses=127.0.0.1"]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        # Its own session: a ctrl-C goes to us alone, and we stop it when the tests have ended.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent, cwd=folder, **account)
        wait_until_ready(bin_folder, folder, port, process)
        yield f"postgres://{USER}:{password}@127.0.0.1:{port}/postgres"
    finally:
        stop(process)
        if keep:
            print(f"kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def unprivileged_account() -> dict[str, int]:
    """Postgres refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise PostgresError("run as root, and there is neither a user postgres nor nobody to run the server as")


def initialise(bin_folder: Path, folder: Path, password: str, account: dict[str, int]) -> None:
    word = folder / "password"
    word.touch(mode=0o600)
    if account:
        os.chown(word, account["user"], account["group"])
    word.write_text(password)
    command = [str(bin_folder / "initdb"), "-D", str(folder / "data"), "-U", USER, "--pwfile", str(word), "--auth=scram-sha-256",
               "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, **account)
    word.unlink()
    if done.returncode != 0:
        raise PostgresError(f"initdb failed:\n{done.stderr.strip() or done.stdout.strip()}")


def die_with_parent() -> None:
    """Even a SIGKILL of ours stops the server (its fast shutdown is SIGINT)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(bin_folder: Path, folder: Path, port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        asked = subprocess.run([str(bin_folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    raise PostgresError(f"the server did not start:\n{(folder / 'log').read_text(errors='replace').strip()[-2000:]}")


def stop(process: subprocess.Popen | None) -> None:
    """Fast shutdown, then immediate, then SIGKILL."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
