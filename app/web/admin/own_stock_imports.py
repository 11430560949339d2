"""Importing the owner's own keys. No key is ever shown."""

from typing import Any

from litestar import Request, Response, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from app.suppliers import own_stock_files, own_stock_import
from app.suppliers.own_stock_files import Upload
from app.web.admin import own_stock
from app.web.admin.own_stock import PATH
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]
LARGEST_IMPORT = 1000 * 1000  # bytes of a form with its files: so little that none is ever put on a disk


@post(
    f"{PATH}/{{product_id:str}}/imports",
    include_in_schema=False,
    status_code=200,
    request_max_body_size=LARGEST_IMPORT,
)
async def create(request: Req, product_id: FromPath[str]) -> Response[bytes]:
    """Import keys. What can't be read is named by its line, and neither kept nor shown."""
    product = await own_stock.find(product_id)
    form, who = await request.form(), visitor(request)
    pasted = form.get("keys", "")
    try:
        uploads = [
            Upload(sent.filename, await sent.read())
            for sent in form.getall("files", [])
            if isinstance(sent, UploadFile)
        ]
        keys = own_stock_files.read(pasted if isinstance(pasted, str) else "", uploads)
        done = await own_stock_import.import_keys(product.id, keys, by=who.actor, ip=who.ip, user_agent=who.user_agent)
    except own_stock_files.UnreadableKeys as error:
        if wants_json(request):
            raise
        return await own_stock.shown(request, product, error=error)
    return answer(done, status=201) if wants_json(request) else see_other(f"{PATH}/{product.id}")
