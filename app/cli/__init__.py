"""The ``bitloot`` command: a module a group of commands; ``main`` gathers them and says errors in words."""

from app.cli.main import run

__all__ = ["run"]
