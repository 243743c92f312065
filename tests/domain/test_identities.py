"""Records of people, joined where their evidence says so, and only there."""

from collections.abc import Sequence

from domain.identities import Record, compare, read_identity
from domain.resolving import resolve
from infra.romanising import romanise


def groups(*records: tuple[str, str] | tuple[str, str, str]) -> list[list[int]]:
    """Places of the records, by person."""
    clusters: dict[str, list[int]] = {}
    for place, (_, cluster) in enumerate(resolve([_record(i, each) for i, each in enumerate(records)], romanise)):
        clusters.setdefault(cluster, []).append(place)
    return list(clusters.values())


def _record(place: int, fields: Sequence[str]) -> Record:
    return Record(str(place), *fields)


def test_one_persons_names_and_addresses_come_together() -> None:
    assert groups(
        ("Lena Okafor", "lena.okafor@harbour.example"),
        ("L. Okafor", "lokafor@harbour.example", ""),
        ("lokafor", "lokafor@users.noreply.github.com"),
        ("Okafor, Lena", "lena.okafor@harbour.example"),
        ("", "lena.okafor+wiki@harbour.example"),
    ) == [[0, 1, 2, 3, 4]]


def test_an_address_joins_whatever_the_name() -> None:
    assert groups(("Lena Okafor", "lena@okafor.example"), ("Lena Brandt", "lena@okafor.example")) == [[0, 1]]


def test_namesakes_in_different_teams_stay_two_people() -> None:
    assert groups(
        ("Marta Vieira", "marta.vieira@harbour.example", "billing"), ("Marta Vieira", "mv@port.example", "firmware")
    ) == [[0], [1]]


def test_two_mailboxes_of_one_name_at_one_company_are_two_people() -> None:
    assert groups(
        ("Marta Vieira", "marta.vieira@harbour.example"), ("Marta Vieira", "marta.vieira2@harbour.example")
    ) == [[0], [1]]


def test_a_frequent_name_alone_joins_nobody() -> None:
    assert groups(("John Smith", "john.smith@one.example"), ("John Smith", "john.smith@two.example")) == [[0], [1]]


def test_a_machines_address_and_a_shared_mailbox_join_nobody() -> None:
    assert groups(("Ada Byron via Lists", "lists@relay.example"), ("Tom Reed via Lists", "lists@relay.example")) == [
        [0],
        [1],
    ]
    assert groups(("Ada Byron", "info@harbour.example"), ("Tom Reed", "info@harbour.example")) == [[0], [1]]


def test_every_joining_has_its_reasons() -> None:
    one = read_identity(Record("1", "Lena Okafor", "lena@okafor.example"), romanise)
    other = read_identity(Record("2", "L. Okafor", "lena@okafor.example"), romanise)
    assert compare(one, other).reasons[0] == "share the address lena@okafor.example"


def test_thousands_of_records_take_seconds_because_only_neighbours_are_compared() -> None:
    records = [Record(str(n), f"Given{n:05} Family{n:05}", f"person{n:05}@harbour.example") for n in range(4_000)]
    assert len({cluster for _, cluster in resolve(records, romanise)}) == 4_000


def test_addresses_without_names_come_together_by_what_they_spell() -> None:
    assert groups(
        ("", "lena.okafor@harbour.example"),
        ("", "lena_okafor@port.example"),
        ("", "okafor.lena@gmail.com"),
        ("", "12345+lenaokafor@users.noreply.github.com"),
        ("", "LENA.OKAFOR@harbour.example"),
        ("Lena Okafor", ""),
    ) == [[0, 1, 2, 3, 4, 5]]
    assert groups(("", "kvistgard77@one.example"), ("", "kvistgard@two.example")) == [[0, 1]]
    assert groups(("", "lokafor@harbour.example"), ("Lena Okafor", "lena.okafor@harbour.example")) == [[0, 1]]


def test_addresses_without_names_stay_apart_where_they_spell_what_many_are_called() -> None:
    assert groups(("", "john.smith@one.example"), ("", "john.smith@two.example")) == [[0], [1]]
    assert groups(("", "anna@one.example"), ("", "anna@two.example")) == [[0], [1]]
    assert groups(("", "linux@one.example"), ("", "linux@two.example")) == [[0], [1]]
    assert groups(("", "marta.vieira@one.example"), ("", "marta.vieira2@one.example")) == [[0], [1]]
    assert groups(("", ""), ("", ""), ("", "?@?"), ("", "?@?")) == [[0], [1], [2], [3]]


def test_a_domain_of_ones_own_speaks_for_its_owner() -> None:
    assert groups(("David Brown", "mail@davidbrown.example"), ("David Brown", "davidbrown@two.example")) == [[0, 1]]
    assert groups(("David Brown", "david@one.example"), ("David Brown", "david@two.example")) == [[0], [1]]


def test_a_line_that_stands_twice_is_one_person_and_a_family_may_be_called_king() -> None:
    assert groups(*[("Jeff King", "peff@one.example")] * 3, ("Jeff King", "peff@two.example")) == [[0, 1, 2, 3]]


def test_a_bare_name_does_not_bring_namesakes_together_and_goes_to_neither() -> None:
    marta, other = ("Marta Vieira", "marta.vieira@harbour.example"), ("Marta Vieira", "marta.vieira2@harbour.example")
    assert groups(marta, ("Marta Vieira", ""), other) == [[0], [1], [2]]
    assert groups(("Marta Vieira", ""), marta) == [[0, 1]]
    assert groups(
        (*marta, "billing"), ("Marta Vieira", "mv@port.example", "firmware"), ("Marta Vieira", "", "firmware")
    ) == [[0], [1, 2]]


def test_one_person_in_two_teams_is_one_by_the_address() -> None:
    assert groups(("Marta Vieira", "mv@port.example", "a"), ("M. Vieira", "mv@port.example", "b")) == [[0, 1]]


def test_a_frequent_name_without_address_goes_to_the_only_one_who_bears_it() -> None:
    one, two = ("John Smith", "john.smith@one.example"), ("John Smith", "john.smith@two.example")
    assert groups(("John Smith", ""), one) == [[0, 1]]
    assert groups(("John Smith", ""), one, two) == [[0], [1], [2]]
