"""The file's encryption: it opens whole and untouched with the right key, or not at all."""

import io
import os
import struct

import pytest

from app.backup.sealed import CHUNK, BackupKeys, BackupRefused, SealedReader, SealedWriter
from app.core.crypto import MasterKeys

NEW, OLD = MasterKeys.draw("new"), MasterKeys.draw("old")
KEYS = BackupKeys(MasterKeys.parse(NEW))
OWN = BackupKeys(MasterKeys.parse(NEW), b"a backup key of at least 32 characters")


def sealed(data: bytes, keys: BackupKeys = KEYS) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, keys)
    for at in range(0, len(data), 300_000):
        writer.write(data[at : at + 300_000])
    writer.close()
    return file.getvalue()


def opened(raw: bytes, keys: BackupKeys = KEYS) -> bytes:
    """Read in pieces of one byte, and once in a piece of more than a chunk."""
    reader, parts = SealedReader(io.BytesIO(raw), keys), list[bytes]()
    while part := reader.read(1):
        parts.append(part)
        if len(parts) == 5 and len(raw) > 3 * CHUNK:
            parts.append(reader.read(2 * CHUNK))
    return b"".join(parts)


def refused(raw: bytes) -> bool:
    try:
        opened(raw)
    except BackupRefused:
        return True
    return False


def frames(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and each chunk with its frame."""
    at = 8 + 2 + raw[9] + 32
    head, parts = raw[:at], list[bytes]()
    while at < len(raw):
        _, length = struct.unpack_from(">BI", raw, at)
        parts.append(raw[at : at + 5 + length])
        at += 5 + length
    return head, parts


SHORT = os.urandom(1000)
LONG = os.urandom(3 * CHUNK + 17)


@pytest.mark.parametrize("data", [b"", b"x", SHORT, os.urandom(CHUNK), os.urandom(2 * CHUNK), LONG], ids=len)
def test_what_was_written_is_read(data: bytes) -> None:
    assert opened(sealed(data)) == data


def test_nothing_of_it_can_be_seen_and_no_two_files_are_alike() -> None:
    text = b"ABCDE-FGHIJ-KLMNO" * 100
    one, other = sealed(text), sealed(text)
    assert b"FGHIJ" not in one
    assert frames(one)[1] != frames(other)[1]


def test_a_flipped_bit_anywhere_is_refused() -> None:
    raw = sealed(SHORT)
    for at in range(len(raw)):
        bent = bytearray(raw)
        bent[at] ^= 1 << at % 8
        assert refused(bytes(bent)), at


def test_a_file_cut_anywhere_is_refused() -> None:
    raw = sealed(SHORT)
    for length in range(len(raw)):
        with pytest.raises(BackupRefused):
            opened(raw[:length])


def test_chunks_left_out_moved_repeated_borrowed_or_added_are_refused() -> None:
    head, (one, two, three, last) = frames(sealed(LONG))
    _, (foreign, *_rest) = frames(sealed(LONG))
    changed = {
        "without its end": [one, two, three],
        "without its beginning": [two, three, last],
        "without its middle": [one, three, last],
        "swapped": [two, one, three, last],
        "repeated": [one, one, two, three, last],
        "with another file's": [foreign, two, three, last],
        "ended early": [one, b"\x01" + two[1:]],
        "gone on": [one, two, three, b"\x00" + last[1:], last],
        "with more behind": [one, two, three, last, b"x"],
        "nothing": [],
    }
    assert opened(head + one + two + three + last) == LONG
    for name, parts in changed.items():
        assert refused(head + b"".join(parts)), name


def test_an_enormous_chunk_is_refused_before_it_is_read() -> None:
    head, (one,) = frames(sealed(SHORT))
    with pytest.raises(BackupRefused):
        opened(head + struct.pack(">BI", 0, 2**32 - 1) + one[5:])


def test_another_format_and_another_file_are_named_as_such() -> None:
    raw = sealed(SHORT)
    with pytest.raises(BackupRefused, match="format 2"):
        opened(raw[:8] + b"\x02" + raw[9:])
    for other in (b"", b"PK\x03\x04", b"BITLOOT", os.urandom(5000)):
        with pytest.raises(BackupRefused, match="not a BitLoot backup"):
            opened(other)


def test_a_rotated_master_key_still_opens_and_a_forgotten_one_is_named() -> None:
    old = sealed(SHORT, BackupKeys(MasterKeys.parse(OLD)))
    assert opened(old, BackupKeys(MasterKeys.parse(f"{NEW},{OLD}"))) == SHORT
    with pytest.raises(BackupRefused, match="master key 'old'"):
        opened(old, KEYS)
    with pytest.raises(BackupRefused):
        opened(sealed(SHORT), BackupKeys(MasterKeys.parse(MasterKeys.draw("new"))))


def test_a_backup_key_of_its_own_seals_and_another_does_not_open() -> None:
    assert OWN.current_id.startswith("own:")
    assert opened(sealed(SHORT, OWN), OWN) == SHORT
    assert opened(sealed(SHORT, KEYS), OWN) == SHORT, "what the master key has sealed before"
    for other in (KEYS, BackupKeys(KEYS.master, b"another backup key of 32 characters")):
        with pytest.raises(BackupRefused, match="BACKUP_KEY"):
            opened(sealed(SHORT, OWN), other)


def test_the_keys_show_nothing_of_themselves() -> None:
    assert "backup key of" not in f"{OWN!r} {OWN} {OWN.current_id}"
