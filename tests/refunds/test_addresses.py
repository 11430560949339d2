"""The shape of addresses: what a slip of the hand looks like, and what the sandbox's own coins take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payments.coins import NETWORKS
from app.refunds.addresses import SHAPES, BadAddress, parse
from dev.sandbox.nowpayments.coins import COINS

GENUINE = [
    ("Bitcoin", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("Bitcoin", "3EZ2uTdVDAMFXTfc6uLDDKR6o8qKBZXVkj"),
    ("Bitcoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ("Ethereum", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
    ("Tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("Solana", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
    ("XRP Ledger", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
    ("Stellar", "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"),
    ("Dogecoin", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"),
    ("Litecoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"),
    ("Monero", "4" + "A" * 94),
]


def read(network: str, address: str, memo: str = "", *, has_memo: bool = False):
    return parse("x", network, network, address, memo, has_memo=has_memo)


@pytest.mark.parametrize(("network", "address"), GENUINE)
def test_genuine_addresses_pass_however_they_were_pasted(network: str, address: str) -> None:
    assert read(network, f" {address[:9]} {address[9:]}\n").address == address


@pytest.mark.parametrize(("network", "address"), GENUINE)
def test_slips_are_named_and_refused(network: str, address: str) -> None:
    for slip in ("", "   ", address[:-14], address + address, "x" + address, address[:-1] + "!", "my wallet"):
        with pytest.raises(BadAddress) as raised:
            read(network, slip)
        assert raised.value.field == "address"


def test_an_address_of_one_network_is_not_taken_for_another() -> None:
    for network, address in GENUINE:
        for other in {name for name, _ in GENUINE} - {network}:
            if {network, other} <= {"Bitcoin", "Litecoin", "Solana", "Tron", "Dogecoin", "XRP Ledger", "Monero"}:
                continue  # their alphabets overlap; the provider's own check tells those apart
            with pytest.raises(BadAddress):
                read(other, address)


@pytest.mark.parametrize("code", COINS)
def test_the_addresses_of_the_sandboxes_coins_pass(code: str) -> None:
    coin = COINS[code]
    network = NETWORKS.get(coin.network, coin.network)
    assert network in SHAPES
    found = parse(code, coin.name, network, coin.new_address(), coin.new_memo() or "", has_memo=coin.memo)
    assert (found.memo is not None) is coin.memo


@pytest.mark.parametrize("memo", ["12345678901", "abc", "-1", "1 2", "１２"])
def test_a_destination_tag_is_a_number(memo: str) -> None:
    with pytest.raises(BadAddress) as raised:
        read("XRP Ledger", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", memo, has_memo=True)
    assert raised.value.field == "memo"


def test_a_memo_where_there_is_none_is_refused() -> None:
    with pytest.raises(BadAddress, match="has no memo"):
        read("Tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "7")


@given(network=st.sampled_from([*SHAPES, "a network we never heard of"]), address=st.text(max_size=300), memo=st.text())
def test_any_text_is_taken_or_refused_with_words(network: str, address: str, memo: str) -> None:
    try:
        found = read(network, address, memo, has_memo=True)
    except BadAddress as bad:
        said = bad.field, bad.detail
    else:
        said = "address", found.address
        assert found.address.isascii()
        assert 20 <= len(found.address) <= 150
    assert said[0] in {"address", "memo"}
    assert said[1]
