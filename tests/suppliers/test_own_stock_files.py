"""What an owner pastes or uploads is read as keys; what is wrong is named by its line and never shown."""

import base64

import pytest

from app.suppliers.own_stock_files import LARGEST_IMAGE, MOST, UnreadableKeys, Upload, read

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def keys(pasted: str = "", *uploads: Upload) -> list[str]:
    return [key.serial.reveal().decode() for key in read(pasted, uploads)]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("keys.txt", b"AAA-1\n\n  BBB-2 \r\n", ["AAA-1", "BBB-2"]),
        ("keys.txt", b"\xef\xbb\xbfAAA-1", ["AAA-1"]),
        ("keys.csv", b"AAA-1,x\nBBB-2,y\n", ["AAA-1", "BBB-2"]),
        ("keys.csv", b"No,Key\n1,AAA-1\n2,BBB-2\n3,\n4\n", ["AAA-1", "BBB-2"]),
        ("KEYS.CSV", b'Code;Note\n"AAA-1";"a, b"\n', ["AAA-1"]),
    ],
)
def test_files_of_keys_are_read(name: str, content: bytes, found: list[str]) -> None:
    assert keys("", Upload(name, content)) == found


def test_a_text_and_files_are_read_together_and_an_image_is_one_key() -> None:
    (pasted, image) = read("AAA-1", [Upload("scan.png", PNG)])
    assert (pasted.media_type, image.media_type) == ("text/plain", "image/png")
    assert base64.b64decode(image.serial.reveal()) == PNG


@pytest.mark.parametrize(
    ("pasted", "upload", "said"),
    [
        ("", None, "Paste at least one key"),
        (" \n ", Upload("empty.txt", b""), "Paste at least one key"),
        ("OK-1\n" + "S" * 501, None, "line 2 is longer than 500 characters"),
        ("SECRET\x07KEY", None, "line 1 has a character that can’t be shown"),
        ("", Upload("scan.webp", b"RIFF\xff\xfeWEBP"), "scan.webp: it is neither text in UTF-8 nor a PNG"),
        ("", Upload("big.png", PNG + bytes(LARGEST_IMAGE)), "big.png: an image may have 256 kB"),
        ("", Upload("odd.csv", b'"SECRET'), "odd.csv: its quotation marks do not match"),
        ("\n".join(f"K-{n}" for n in range(MOST + 1)), None, "Import at most 5000 keys at a time"),
    ],
)
def test_what_can_not_be_read_is_refused_without_showing_it(pasted: str, upload: Upload | None, said: str) -> None:
    with pytest.raises(UnreadableKeys) as refused:
        read(pasted, [upload] if upload else [])
    assert said in refused.value.detail
    assert "SECRET" not in str(refused.value) + refused.value.detail + repr(upload)
    assert "SSSS" not in refused.value.detail
