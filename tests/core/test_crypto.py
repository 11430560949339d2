"""Sealing: what was closed for one place opens there, and nowhere else, and nothing of it can be shown."""

import base64
import copy
import dataclasses
import hmac
import json
import logging
import pickle
import traceback
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import (
    BadMasterKeys,
    DataKey,
    MasterKeyMissing,
    MasterKeys,
    Plaintext,
    SealBroken,
    WrappedKey,
    derive,
    sealed_under,
)

CANARY = b"KEY-CANARY-0ddbebb2"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def entry(ident: str, key: bytes) -> str:
    return f"{ident}:{base64.b64encode(key).decode()}"


idents = st.uuids() | st.text(max_size=8)
places = st.fixed_dictionaries({"order_id": idents, "item_id": idents, "ordinal": st.integers(0, 2**63)})


@given(st.binary(max_size=200), places)
def test_a_sealed_key_opens_in_its_place(secret: bytes, place: dict[str, Any]) -> None:
    key = DataKey.random()
    blob = key.seal(Plaintext(secret), **place)
    assert blob[0] == 1
    assert len(blob) == 1 + 12 + len(secret) + 16
    assert key.open(blob, **place).reveal() == secret


@given(st.binary(min_size=1, max_size=64), st.data())
def test_a_changed_or_cut_blob_does_not_open(secret: bytes, data: st.DataObject) -> None:
    key = DataKey.random()
    place: dict[str, Any] = {"order_id": "o", "item_id": "i", "ordinal": 0}
    blob = key.seal(Plaintext(secret), **place)
    at, bit = data.draw(st.integers(0, len(blob) - 1)), data.draw(st.integers(0, 7))
    flipped = blob[:at] + bytes([blob[at] ^ 1 << bit]) + blob[at + 1 :]
    cut = blob[: data.draw(st.integers(0, len(blob) - 1))]
    for broken in (flipped, cut, blob + b"\x00", blob[:1] + blob):
        with pytest.raises(SealBroken):
            key.open(broken, **place)


@given(places, places)
def test_a_moved_blob_does_not_open(here: dict[str, Any], there: dict[str, Any]) -> None:
    key = DataKey.random()
    blob = key.seal(Plaintext(CANARY), **here)
    if {n: str(v) for n, v in here.items()} != {n: str(v) for n, v in there.items()}:
        with pytest.raises(SealBroken):
            key.open(blob, **there)
    for member, other in (("order_id", uuid4()), ("item_id", uuid4()), ("ordinal", here["ordinal"] + 1)):
        with pytest.raises(SealBroken):
            key.open(blob, **here | {member: other})
    with pytest.raises(SealBroken):
        DataKey.random().open(blob, **here)


def test_ids_that_run_together_are_told_apart() -> None:
    key = DataKey.random()
    blob = key.seal(Plaintext(CANARY), order_id="ab", item_id="c", ordinal=0)
    with pytest.raises(SealBroken):
        key.open(blob, order_id="a", item_id="bc", ordinal=0)


def test_every_seal_has_an_iv_of_its_own() -> None:
    key = DataKey.random()
    blobs = {key.seal(Plaintext(CANARY), order_id="o", item_id="i", ordinal=0)[1:13] for _ in range(200)}
    assert len(blobs) == 200


def test_the_blob_is_plain_aes_256_gcm() -> None:
    # Opened with the library alone, by the layout that the module's head promises.
    blob = DataKey(OLD).seal(Plaintext(CANARY), order_id="o-1", item_id="i-1", ordinal=2)
    parts = (b"bitloot key", b"o-1", b"i-1", (2).to_bytes(8, "big"))
    bound = b"\x01" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert AESGCM(OLD).decrypt(blob[1:13], blob[13:], bound) == CANARY


def test_the_first_master_key_wraps_and_all_unwrap() -> None:
    order, data_key = uuid4(), DataKey.random()
    before = MasterKeys.parse(entry("2025", OLD))
    after = MasterKeys.parse(f"{entry('2026', NEW)} , {entry('2025', OLD)}")
    wrapped = before.wrap(data_key, order_id=order)
    assert wrapped.master_key_id == "2025"
    moved = after.rewrap(wrapped, order_id=str(order))
    assert moved.master_key_id == after.current_id == "2026"
    assert after.rewrap(moved, order_id=order) is moved
    blob = data_key.seal(Plaintext(CANARY), order_id=order, item_id="i", ordinal=0)
    only_new = MasterKeys.parse(entry("2026", NEW))
    for keys, one in ((before, wrapped), (after, wrapped), (after, moved), (only_new, moved)):
        opened = keys.unwrap(one, order_id=order).open(blob, order_id=order, item_id="i", ordinal=0)
        assert opened.reveal() == CANARY
    with pytest.raises(MasterKeyMissing, match="2025"):
        only_new.unwrap(wrapped, order_id=order)


@given(st.data())
def test_a_wrapped_key_is_bound_to_its_order_and_master_key(data: st.DataObject) -> None:
    keys = MasterKeys.parse(f"{entry('a', OLD)},{entry('b', OLD)}")
    wrapped = keys.wrap(DataKey.random(), order_id="o-1")
    at, bit = data.draw(st.integers(0, len(wrapped.blob) - 1)), data.draw(st.integers(0, 7))
    flipped = wrapped.blob[:at] + bytes([wrapped.blob[at] ^ 1 << bit]) + wrapped.blob[at + 1 :]
    for broken in (WrappedKey("a", flipped), WrappedKey("b", wrapped.blob), WrappedKey("a", b"")):
        with pytest.raises(SealBroken):
            keys.unwrap(broken, order_id="o-1")
    with pytest.raises(SealBroken):
        keys.unwrap(wrapped, order_id="o-2")


def test_a_sealed_key_is_no_wrapped_key() -> None:
    keys = MasterKeys.parse(entry("a", OLD))
    blob = DataKey(OLD).seal(Plaintext(NEW), order_id="o", item_id="i", ordinal=0)
    with pytest.raises(SealBroken):
        keys.unwrap(WrappedKey("a", blob), order_id="o")


GOOD = base64.b64encode(OLD).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        GOOD,
        f":{GOOD}",
        f"a:{GOOD},",
        f"a:{GOOD},a:{GOOD}",
        f"a b:{GOOD}",
        f"{'x' * 33}:{GOOD}",
        f"a:{GOOD[:-4]}",
        f"a:{GOOD}AAAA",
        f"a:{GOOD[:-1]}",
        f"a:!{GOOD[1:]}",
        f"a:é{GOOD[1:]}",
        "a:",
    ],
)
def test_bad_master_keys_are_named_by_place_and_never_shown(text: str) -> None:
    with pytest.raises(BadMasterKeys) as bad:
        MasterKeys.parse(text)
    shown = "".join(traceback.format_exception(bad.value)).partition("BadMasterKeys: ")[2]
    assert "entry" in shown
    assert GOOD[:12] not in shown


def test_a_drawn_master_key_is_fresh_and_fits() -> None:
    one, two = MasterKeys.draw("k1"), MasterKeys.draw("k1")
    assert one != two
    assert MasterKeys.parse(one).current_id == "k1"


def test_url_safe_base64_is_taken_too() -> None:
    key = b"\xfb\xff" * 16
    text = base64.urlsafe_b64encode(key).decode()
    assert "_" in text
    wrapped = MasterKeys.parse(f"a:{text}").wrap(DataKey(OLD), order_id="o")
    assert MasterKeys.parse(entry("a", key)).unwrap(wrapped, order_id="o") is not None


def test_a_data_key_has_32_bytes() -> None:
    for wrong in (b"", OLD[:31], OLD + b"\x00"):
        with pytest.raises(ValueError, match="32 bytes"):
            DataKey(wrong)


HIDDEN: list[Any] = [Plaintext(CANARY), DataKey(CANARY.ljust(32)), MasterKeys.parse(entry("a", CANARY.ljust(32)))]


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda hidden: type(hidden).__name__)
def test_secrets_cannot_be_shown(hidden: Any, caplog: pytest.LogCaptureFixture) -> None:
    @dataclasses.dataclass
    class Carrier:
        secret: object

    logging.getLogger("test").warning("%s %r", hidden, hidden, extra={"secret": hidden})
    shown = [str(hidden), repr(hidden), f"{hidden}", f"{hidden!r:>40}", "%s" % hidden, repr(Carrier(hidden))]  # noqa: UP031
    shown += [repr([hidden]), str({"a": hidden}), caplog.text, repr(dir(hidden))]
    encoded = base64.b64encode(CANARY).decode()[:12]
    for text in shown:
        assert "CANARY" not in text
        assert encoded not in text


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda hidden: type(hidden).__name__)
def test_secrets_cannot_leave_the_process(hidden: Any) -> None:
    ways = (
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        msgspec.json.encode,
        msgspec.to_builtins,
        bytes,
        vars,
    )
    for way in ways:
        with pytest.raises(TypeError):
            way(hidden)


def test_broken_seals_say_nothing_of_the_content() -> None:
    key = DataKey.random()
    blob = key.seal(Plaintext(CANARY), order_id="o", item_id="i", ordinal=0)
    with pytest.raises(SealBroken) as broken:
        key.open(blob, order_id="o", item_id="i", ordinal=1)
    assert broken.value.__suppress_context__
    assert "CANARY" not in "".join(traceback.format_exception(broken.value))


def test_what_is_derived_for_one_purpose_tells_nothing_of_anothers() -> None:
    made = {derive(secret, purpose) for secret in ("a" * 32, "b" * 32) for purpose in ("one", "other")}
    assert len(made) == 4
    assert {len(key) for key in made} == {32}
    # RFC 5869 with SHA-256, no salt: computed here step by step.
    extracted = hmac.digest(bytes(32), b"a" * 32, "sha256")
    assert derive("a" * 32, "one") == hmac.digest(extracted, b"one\x01", "sha256")


def test_a_derived_key_also_depends_on_its_salt() -> None:
    extracted = hmac.digest(b"salt", b"a" * 32, "sha256")
    assert derive(b"a" * 32, "one", salt=b"salt") == hmac.digest(extracted, b"one\x01", "sha256")
    assert derive(b"a" * 32, "one", salt=b"salt") != derive(b"a" * 32, "one")


def test_a_master_key_derives_by_its_id_and_an_unknown_one_is_named() -> None:
    keys = MasterKeys.parse(f"{entry('new', NEW)},{entry('old', OLD)}")
    assert keys.derive("old", "backup", salt=b"salt") == derive(OLD, "backup", salt=b"salt")
    assert keys.derive("new", "backup", salt=b"salt") == derive(NEW, "backup", salt=b"salt")
    with pytest.raises(MasterKeyMissing, match=r"^no master key 'gone'$"):
        keys.derive("gone", "backup", salt=b"salt")


@given(st.binary(max_size=64), st.text(max_size=20))
def test_a_small_secret_opens_for_its_owner_alone(secret: bytes, owner: str) -> None:
    keys = MasterKeys.parse(entry("mine", OLD))
    sealed = keys.seal(Plaintext(secret), owner=owner)
    assert sealed[:6] == b"\x04mine\x01"
    assert sealed_under(sealed) == "mine"
    assert keys.open(sealed, owner=owner).reveal() == secret
    with pytest.raises(SealBroken):
        keys.open(sealed, owner=owner + "x")


def test_a_small_secret_is_plain_aes_256_gcm_bound_to_key_and_owner() -> None:
    sealed = MasterKeys.parse(entry("mine", OLD)).seal(Plaintext(b"totp"), owner="staff 7")
    body = sealed[5:]
    bound_to = b"".join(len(part).to_bytes(4, "big") + part for part in (b"bitloot secret", b"mine", b"staff 7"))
    assert AESGCM(OLD).decrypt(body[1:13], body[13:], b"\x01" + bound_to) == b"totp"


def test_a_small_secret_is_sealed_by_the_first_key_and_opened_by_whichever_it_names() -> None:
    before = MasterKeys.parse(entry("old", OLD))
    after = MasterKeys.parse(f"{entry('new', NEW)},{entry('old', OLD)}")
    sealed = before.seal(Plaintext(b"totp"), owner="staff 7")
    assert after.open(sealed, owner="staff 7").reveal() == b"totp"
    assert sealed_under(after.seal(Plaintext(b"totp"), owner="staff 7")) == "new"
    with pytest.raises(MasterKeyMissing, match=r"^no master key 'old'$"):
        MasterKeys.parse(entry("new", NEW)).open(sealed, owner="staff 7")
    with pytest.raises(MasterKeyMissing, match=r"^no master key ''$"):
        after.open(b"", owner="staff 7")
    assert sealed_under(b"\x02\xff\xfe") == "\ufffd\ufffd"  # never ours: it names no key, and is no error of its own


def test_plaintexts_are_compared_whole() -> None:
    assert Plaintext(b"AAAA-1").equals(Plaintext(b"AAAA-1"))
    assert not Plaintext(b"AAAA-1").equals(Plaintext(b"AAAA-2"))


def test_what_is_hidden_says_its_type_and_why_it_stays() -> None:
    shown = [(str(one), f"{one}") for one in HIDDEN]
    assert shown == [("<Plaintext hidden>",) * 2, ("<DataKey hidden>",) * 2, ("<MasterKeys of 1, hidden>",) * 2]
    for one in HIDDEN:
        with pytest.raises(TypeError, match=rf"^{type(one).__name__} can't be copied or pickled$"):
            pickle.dumps(one)


def test_what_is_wrapped_and_is_no_data_key_is_named_so() -> None:
    bound_to = b"".join(len(part).to_bytes(4, "big") + part for part in (b"bitloot data key", b"a", b"o"))
    blob = b"\x01" + bytes(12) + AESGCM(OLD).encrypt(bytes(12), b"too short", b"\x01" + bound_to)
    with pytest.raises(SealBroken, match=r"^not a data key$"):
        MasterKeys.parse(entry("a", OLD)).unwrap(WrappedKey("a", blob), order_id="o")


def test_a_wrapped_key_is_plain_aes_256_gcm_bound_to_master_key_and_order() -> None:
    wrapped = MasterKeys.parse(entry("a", OLD)).wrap(DataKey(NEW), order_id="o")
    bound_to = b"".join(len(part).to_bytes(4, "big") + part for part in (b"bitloot data key", b"a", b"o"))
    assert AESGCM(OLD).decrypt(wrapped.blob[1:13], wrapped.blob[13:], b"\x01" + bound_to) == NEW


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "entry 1 is not id:base64"),
        (f"{entry('a', OLD)},b", "entry 2 is not id:base64"),
        ("a:?", "entry 1 is not base64"),
        ("a:b:AAAA", "entry 1 is not base64"),
        (f"{entry('a', OLD)},{entry('b', OLD[:31])}", "the key of entry 2 has 31 bytes, not 32"),
        (f"{entry('a', OLD)},{entry('a', NEW)}", "entry 2 repeats the id of an earlier one"),
    ],
)
def test_the_entry_that_is_wrong_is_named_by_its_place(text: str, said: str) -> None:
    with pytest.raises(BadMasterKeys) as refused:
        MasterKeys.parse(text)
    assert str(refused.value) == said
