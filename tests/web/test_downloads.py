"""Links to sealed blobs: good for 15 minutes, of ciphertext only, and each is written down."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from app.core import clock, db
from tests.web.builders import assert_problem, logged, minutes, picture, place, serials


async def link_of(client, order) -> dict:
    answer = await client.get(f"/fulfillment/{order.id}/download-link?itemId={order.item_id}", headers=order.bearer)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"links"}
    [link] = answer.json()["links"]
    return link


async def test_the_link_has_the_shape_of_the_design_and_fetches_ciphertext(client, ready, box) -> None:
    link, [serial] = await link_of(client, ready), await serials(box)
    assert set(link) == {"keyId", "url", "expiresAt"}
    blob = await client.get(link["url"])
    assert blob.status_code == 200
    assert blob.headers["content-type"] == "application/octet-stream"
    assert blob.headers["content-disposition"] == f'attachment; filename="bitloot-{link["keyId"]}.sealed"'
    assert "no-store" in blob.headers["cache-control"]
    assert blob.content[0] == 1
    assert len(blob.content) == 1 + 12 + len(serial) + 16
    assert serial.encode() not in blob.content


async def test_the_link_works_for_fifteen_minutes_and_then_no_more(client, ready) -> None:
    link = await link_of(client, ready)
    expires = datetime.fromisoformat(link["expiresAt"])
    assert abs(expires - clock.now() - timedelta(minutes=15)) < timedelta(seconds=10)
    with minutes(14.5):
        assert (await client.get(link["url"])).status_code == 200
    with minutes(15.1):
        assert_problem(await client.get(link["url"]), 403, "link_expired")
        fresh = await link_of(client, ready)
        assert (await client.get(fresh["url"])).status_code == 200


async def test_each_link_is_written_to_the_audit_log_and_reveals_nothing(client, ready) -> None:
    await link_of(client, ready)
    await link_of(client, ready)
    assert await logged() == ["key.link_issued"] * 2
    assert await db.fetch_value("SELECT count(*) FROM sealed_key WHERE revealed_at IS NOT NULL") == 0


def bent(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sign, end = query["signature"], query["expires"]
    key = parts.path
    return {
        "no query": key,
        "no signature": f"{key}?expires={end}",
        "no end": f"{key}?signature={sign}",
        "later": f"{key}?expires={int(end) + 60}&signature={sign}",
        "end in words": f"{key}?expires=never&signature={sign}",
        "other signature": f"{key}?expires={end}&signature={'0' * len(sign)}",
        "cut signature": f"{key}?expires={end}&signature={sign[:-1]}",
        "signature in capitals": f"{key}?expires={end}&signature={sign.upper()}",
        "odd signs": f"{key}?expires=%00&signature=%FF",
        "another key": f"{key[:-1]}{'0' if key[-1] != '0' else '1'}?expires={end}&signature={sign}",
        "the folder above": f"{key.rpartition('/')[0]}?expires={end}&signature={sign}",
        "double slash": f"{key.replace('/keys', '//keys')}x?expires={end}&signature={sign}",
        "out of the store": f"/blobs/%2e%2e/%2e%2e/etc/passwd?expires={end}&signature={sign}",
        "nul": f"/blobs/a%00b?expires={end}&signature={sign}",
    }


async def test_a_tampered_link_fetches_nothing(client, ready) -> None:
    link = await link_of(client, ready)
    for name, url in bent(link["url"]).items():
        answer = await client.get(url)
        assert answer.status_code == 403, (name, answer.text)


async def test_a_blob_that_is_gone_answers_not_found(client, ready, app) -> None:
    link = await link_of(client, ready)
    await app.state.store.delete(await db.fetch_value("SELECT blob FROM sealed_key"))
    assert_problem(await client.get(link["url"]), 404, "not_found")


async def test_a_person_is_sent_on_to_the_file(visitor, ready) -> None:
    browser = visitor(**ready.bearer)
    answer = await browser.get(f"/fulfillment/{ready.id}/download-link?itemId={ready.item_id}")
    assert answer.status_code == 303
    assert (await browser.get(answer.headers["location"])).headers["content-type"] == "application/octet-stream"


async def test_a_link_without_an_item_is_refused_and_writes_nothing(client, ready) -> None:
    before = await picture()
    for query in ("", "?itemId=", "?itemId=x", "?itemId=%00", "?item=1"):
        answer = await client.get(f"/fulfillment/{ready.id}/download-link{query}", headers=ready.bearer)
        assert_problem(answer, 400, "which_item", "itemId", about=query)
    assert await picture() == before


async def test_before_there_is_a_key_there_is_no_link(client) -> None:
    order = await place(client)
    path = f"/fulfillment/{order.id}/download-link?itemId={order.item_id}"
    assert_problem(await client.get(path, headers=order.bearer), 409, "key_not_ready")
    assert await logged() == ["key.denied"]
