"""Identifiers: unique, in the order of their making, and read without a fuss."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import drawn_by, new_id, parse_id


def test_new_ids_differ_and_sort_in_the_order_of_their_making() -> None:
    made = [new_id() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert made == sorted(made)
    assert {i.version for i in made} == {7}
    assert type(made[0]) is UUID


@given(st.text(max_size=60))
def test_whatever_is_no_id_reads_as_none(text: str) -> None:
    found = parse_id(text)
    assert found is None or found.hex in text.lower().replace("-", "")


@given(st.uuids())
def test_an_id_reads_back(value: UUID) -> None:
    assert parse_id(str(value)) == value


def test_ids_can_be_drawn_from_elsewhere_until_the_block_ends() -> None:
    with drawn_by(lambda: UUID(int=7)):
        assert new_id() == UUID(int=7)
    assert new_id() != UUID(int=7)
