"""Piccolo finds its engine and tables here."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

from app.core.settings import settings

DB = PostgresEngine(config={"dsn": settings().database_url.get_secret_value()})
APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
