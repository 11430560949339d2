"""Forms that no browser of ours would send."""

import pytest

from tests.web.builders import EMAIL, csrf_of, picture, product, submit

MEGABYTES = 10 * 1024 * 1024


@pytest.fixture
async def shopper(client, browser_client):
    await submit(browser_client, "/cart", {"slug": (await product(client))["slug"], "quantity": "1"})
    return browser_client


def encoded(token: str, note: str) -> tuple[bytes, str]:
    return f"_csrf_token={token}&email={EMAIL}&note={note}".encode(), "application/x-www-form-urlencoded"


def in_parts(token: str, note: str) -> tuple[bytes, str]:
    fields = {"_csrf_token": token, "email": EMAIL, "note": note}
    parts = (f'--x\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())
    return ("".join(parts) + "--x--\r\n").encode(), "multipart/form-data; boundary=x"


@pytest.mark.parametrize("shape", [encoded, in_parts])
async def test_ten_megabytes_are_refused_and_nothing_is_ordered(shopper, shape) -> None:
    body, kind = shape(csrf_of(await shopper.get("/checkout")), "x" * MEGABYTES)
    before = await picture()
    for path in ("/orders", "/cart", "/login", "/admin/login"):
        answer = await shopper.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code == 413, path
    assert await picture() == before


@pytest.mark.parametrize("kind", [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=y",
    "application/x-www-form-urlencoded; charset=nonsense",
])  # fmt: skip
async def test_broken_forms_are_refused(shopper, kind: str) -> None:
    before = await picture()
    for body in (b"", b"--x", b"--x\r\n\r\n", b"\xff\xfe=\x00&%%%", b"=" * 5000, b"--y\r\ncontent-disposition: x\r\n"):
        for token in ({}, {"x-csrf-token": shopper.cookies["bitloot_csrf"]}):
            answer = await shopper.post("/orders", content=body, headers={"content-type": kind, **token})
            assert answer.status_code in ({400} if token else {400, 403}), (body[:20], answer.text[:300])
    assert await picture() == before


async def test_a_file_in_place_of_a_text_is_passed_over(shopper) -> None:
    before = await picture()
    token = csrf_of(await shopper.get("/checkout"))
    files = {"email": ("a.txt", b"a@b.de"), "pay_currency": ("x", b"btc")}
    answer = await shopper.post("/orders", data={"_csrf_token": token}, files=files)
    assert answer.status_code == 400
    assert 'id="email-error"' in answer.text
    assert await picture() == before


async def test_fields_sent_twice_or_unknown_do_no_harm(shopper) -> None:
    token = csrf_of(await shopper.get("/checkout"))
    body = f"_csrf_token={token}&email=a@b.de&email=c@d.de&constructor=x&__proto__=y&items=9&quantity=9".encode()
    answer = await shopper.post("/orders", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code in {303, 400}
