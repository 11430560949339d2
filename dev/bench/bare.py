"""The floor of a page: Litestar and Jinja alone, 24 products from memory."""

import os
from pathlib import Path
from typing import Any

from litestar import Litestar, get
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

PRODUCTS = [{"name": f"Game {n}", "platform": "Steam", "region": "Europe", "price": "$19.99"} for n in range(24)]


@get("/")
async def index() -> Template:
    return Template("page.html", context={"products": PRODUCTS})


def create_app() -> Litestar:
    templates: TemplateConfig[Any] = TemplateConfig(
        directory=Path(os.environ["BENCH_TEMPLATES"]), engine=JinjaTemplateEngine
    )
    return Litestar([index], template_config=templates, openapi_config=None)
