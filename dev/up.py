"""``bitloot up``: everything on one machine, from nothing to a shop that can be bought from."""

import asyncio
import base64
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from app.core.files import shipped
from app.core.settings import SANDBOX_MAIL_SECRET
from dev import embedded
from dev.stack import SANDBOX, Stack, read_procfile

LOOK = 0.5  # seconds between looks at the embedded servers
PATIENCE = 60.0  # seconds for a process to answer
ADMIN = "admin@bitloot.localhost"


class StartFailed(Exception):
    """Something did not come up; the text says what and where its log is."""


def run() -> int:
    """Start servers and processes, print where everything is, and stop it all on Ctrl-C or SIGTERM."""
    var = Path(os.environ.get("BITLOOT_VAR", "var")).resolve()
    began = time.monotonic()
    try:
        with _alone(var):
            return _up(var, began)
    except StartFailed as failed:
        print(f"\n  {failed}", file=sys.stderr, flush=True)
        return 1


def _up(var: Path, began: float) -> int:
    servers = None
    needs_postgres, needs_redis = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
    try:
        env = _environment(var)
        Stack(var, env).end_leftovers()
        _check_ports(env)
        if needs_postgres or needs_redis:
            servers = embedded.start(var)
        env = _environment(var, servers)
        return asyncio.run(_run(Stack(var, env), env, began, servers))
    finally:
        if servers is not None:
            servers.stop()


@contextlib.contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with this process however it dies. Raises StartFailed if another has it."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StartFailed(
                f"BitLoot is running already in {var} (process {lock.read().strip() or 'unknown'}). Stop it first with "
                "Ctrl-C, or start another one with its own BITLOOT_VAR, PORT and SANDBOX_PORT."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _check_ports(env: dict[str, str]) -> None:
    """Raises StartFailed where somebody else listens on a port of ours: we would show our admin's login for theirs."""
    for setting, port in _ports(env).items():
        with socket.socket() as probe:
            # As a server does: a port that waits for its last connections' end may be used.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((env.get("HOST", "127.0.0.1"), int(port)))
            except OSError:
                raise StartFailed(f"Port {port} is in use. Stop what uses it, or set {setting}.") from None


def _ports(env: dict[str, str]) -> dict[str, str]:
    """The setting → the port it names, of those that are needed."""
    ports = {"PORT": env.get("PORT", "8000")}
    if _uses_sandbox(env):
        ports["SANDBOX_PORT"] = env.get("SANDBOX_PORT", "8010")
    return ports


def _uses_sandbox(env: dict[str, str]) -> bool:
    return not env.get("NOWPAYMENTS_API_KEY") or not env.get("KINGUIN_API_KEY")


def _environment(var: Path, servers: embedded.Embedded | None = None) -> dict[str, str]:
    """The processes' environment; what was made up for it is kept in ``stack.env`` for other terminals."""
    made = _kept(var)
    if servers is not None:
        made |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        _keep(var, made)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    defaults = {"BITLOOT_ENV": "development", "BITLOOT_VAR": str(var), "HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    defaults["RESEND_WEBHOOK_SECRET"] = SANDBOX_MAIL_SECRET
    return {**defaults, **made, **os.environ, "BITLOOT_VAR": str(var), "PATH": path}


def _kept(var: Path) -> dict[str, str]:
    """Secrets made on the first run and kept: without them sealed keys could not be opened again."""
    with contextlib.suppress(OSError):
        lines = (var / "stack.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)
    made = {
        "BITLOOT_ENV": "development",
        "JWT_SECRET": secrets.token_urlsafe(48),
        "MASTER_KEYS": f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ADMIN_PASSWORD": secrets.token_urlsafe(12),
    }
    _keep(var, made)
    return made


def _keep(var: Path, made: dict[str, str]) -> None:
    var.mkdir(parents=True, exist_ok=True)
    path = var / "stack.env"
    draft = var / "stack.env.new"
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    draft.replace(path)


async def _run(stack: Stack, env: dict[str, str], began: float, servers: embedded.Embedded | None) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch(servers), name="servers") if servers is not None else None
    try:
        await _start(stack, env)
        _greet(env, time.monotonic() - began)
        await stop.wait()
        print("\n  Stopping…", flush=True)
    except StartFailed as failed:
        print(f"\n  {failed}", file=sys.stderr, flush=True)
        return 1
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await stack.stop()
    return 0


async def _watch(servers: embedded.Embedded) -> None:
    """Start the embedded servers again when they die. What they carried is in Postgres' files, which survive a kill."""
    while True:
        await asyncio.sleep(LOOK)
        try:
            for name in await asyncio.to_thread(servers.revive):
                print(f"  {name} had stopped; it is running again.", flush=True)
        except Exception as error:
            print(f"  A server has stopped and does not start: {error}", file=sys.stderr, flush=True)


async def _start(stack: Stack, env: dict[str, str]) -> None:
    procfile = read_procfile(shipped("Procfile"))
    sandbox_port, port = env.get("SANDBOX_PORT", "8010"), env.get("PORT", "8000")
    uses_sandbox = _uses_sandbox(env)
    if uses_sandbox:
        stack.keep("sandbox", f"{SANDBOX} --port {sandbox_port}")
    await _command(procfile["release"], env)
    if uses_sandbox:
        await _answers("sandbox", f"http://127.0.0.1:{sandbox_port}/sandbox/api/faults", stack)
    await _command("python -m app.cli seed", env)
    for name in ("web", "worker", "webhooks", "clock"):
        stack.keep(name, procfile[name])
    await _answers("web", f"http://127.0.0.1:{port}/readyz", stack)


async def _command(command: str, env: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_shell(
        command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise StartFailed(f"`{command}` failed:\n{said.decode(errors='replace')}")


async def _answers(name: str, url: str, stack: Stack) -> None:
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(timeout=2) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            if time.monotonic() > deadline:
                raise StartFailed(f"{name} does not answer at {url}. Its log: {stack.var / 'logs' / f'{name}.log'}")
            await asyncio.sleep(0.05)


def _greet(env: dict[str, str], seconds: float) -> None:
    shop = f"http://127.0.0.1:{env.get('PORT', '8000')}"
    print(f"\n  BitLoot is up ({seconds:.1f} s).\n")
    print(f"  Shop      {shop}")
    sandbox = f"http://127.0.0.1:{env.get('SANDBOX_PORT', '8010')}/sandbox"
    print(f"  Sandbox   {sandbox}   pay orders and play the supplier here")
    print(f"  Admin     {shop}/admin   {ADMIN}   {env['ADMIN_PASSWORD']}")
    print(f"  Logs      {Path(env['BITLOOT_VAR']) / 'logs'}")
    print("\n  Ctrl-C stops everything.\n", flush=True)
