"""Piccolo finds its engine and tables here."""

from piccolo.conf.apps import AppRegistry

from app.core.database_url import parse
from app.core.postgres import CONNECT, Connection, Engine
from app.core.settings import settings

# For statements outside of a pool; without named prepared statements, which a pooler in between would lose.
OPTIONS = {"statement_cache_size": 0, "connection_class": Connection, "timeout": CONNECT}
DB = Engine(config=parse(settings().database_url.get_secret_value()).options() | OPTIONS)
APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
