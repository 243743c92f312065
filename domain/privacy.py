"""Work or personal: what a person's own account brings is judged by rules, then by likeness to what they have decided.

The judgement fails closed. Words alone never make something work: only colleagues who take part do, or likeness to what
the owner has called work. What is personal, or not certain, is its owner's alone, in every statement that reads.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec
import numpy as np

from domain.embedding import Matrix
from domain.integrations import Item
from domain.parsing import ParsedDocument
from domain.people import email_principal

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PEOPLE_FIELDS = ("from", "sender", "to", "cc", "bcc", "reply-to", "participants", "attendees", "shared-with")
LABEL_FIELDS = ("labels", "label", "folder", "mailbox")
BULK_FIELDS = ("list-id", "list-unsubscribe", "precedence")
HEAD_CHARACTERS = 4_000
PUBLIC_MAIL = frozenset(
    """gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com
    aol.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org proton.me protonmail.com
    pm.me fastmail.com zoho.com yandex.ru mail.ru orange.fr free.fr laposte.net libero.it qq.com 163.com""".split()  # noqa: SIM905
)
"""Where anybody has an address, so that sharing the domain says nothing."""
PERSONAL_LABELS = frozenset(
    "personal private privat privé family familie friends category_social category_promotions".split()  # noqa: SIM905
)
PERSONAL_WORDS = frozenset(
    """birthday wedding honeymoon mum mom dad grandma grandpa daughter son husband wife girlfriend boyfriend fiancé kids
    kindergarten daycare babysitter school homework doctor dentist clinic hospital diagnosis prescription therapy
    pregnancy vaccination mortgage landlord rent tenancy divorce alimony inheritance funeral tinder dating
    geburtstag hochzeit mama papa oma opa tochter sohn ehemann ehefrau freundin kita schule arzt zahnarzt krankenhaus
    rezept schwangerschaft miete vermieter scheidung unterhalt erbschaft beerdigung urlaubsreise""".split()  # noqa: SIM905
)
WORD = re.compile(r"\w+")
NAMED = ("email:", "group:", "domain:")
"""Principals that only a source gives."""
N_WORDS = 2
"""One such word may stand anywhere; two different ones are a sign."""
N_EXAMPLES = 2
"""Fewer decisions than these on either side say nothing yet."""
N_NEAREST = 3
MARGIN = 0.06
"""By so much must the nearest examples of one kind be nearer, in cosine, than those of the other."""
MAX_EXAMPLES = 500


class Label(StrEnum):
    """What something is."""

    WORK = "work"
    PERSONAL = "personal"
    UNSURE = "unsure"


class DecidedBy(StrEnum):
    """Who said so; a person's word stands whatever comes later."""

    RULE = "rule"
    EXAMPLES = "examples"
    PERSON = "person"


class Verdict(msgspec.Struct, frozen=True):
    """A judgement with its reason, for the owner."""

    label: Label
    decided_by: DecidedBy
    reason: str


class Signals(msgspec.Struct, frozen=True):
    """What an item shows of itself."""

    people: frozenset[str]
    """Addresses in lower case."""
    labels: frozenset[str]
    words: frozenset[str]
    is_bulk: bool
    readers: frozenset[str] = frozenset()
    """Principals the source lets read it."""


class Circle(msgspec.Struct, frozen=True):
    """Whose account it is, and who belongs to the tenant."""

    owner_email: str
    colleagues: frozenset[str]
    own: frozenset[str] = frozenset()
    """Principals that stand for the owner alone."""

    @property
    def domains(self) -> frozenset[str]:
        """The domains of the company's addresses."""
        found = {address.rpartition("@")[2] for address in {*self.colleagues, self.owner_email.lower()}}
        return frozenset(found - PUBLIC_MAIL)


@dataclass(frozen=True, slots=True)
class Examples:
    """What the owner has decided: (n, d) float32, unit norm, and a label for each row."""

    labels: tuple[Label, ...]
    vectors: Matrix


@dataclass(frozen=True, slots=True)
class Judge:
    """What one sync judges by."""

    owner_id: int
    circle: Circle
    examples: Examples
    model: str = ""
    """The label of the model that made the examples' vectors; those of another are not compared with them."""


class Review(msgspec.Struct, frozen=True):
    """One document of the review queue."""

    document_id: int
    title: str
    author: str
    integration_name: str
    excerpt: str
    label: Label
    decided_by: DecidedBy
    reason: str


class Reviews(Protocol):
    """Judgements over what the viewer's own accounts have brought. Nobody sees another person's."""

    async def judge(self, owner_id: int) -> Judge:
        """Return what to judge an owner's items by."""

    async def put(
        self, document_id: int, owner_id: int, verdict: Verdict, vector: Matrix | None, model: str = ""
    ) -> None:
        """Keep a judgement, and reserve the document for its owner unless it is work; a person's word stays.

        `model` is the label of the one that made the vector.
        """

    async def page(self, label: Label, after_id: int, size: int) -> list[Review]:
        """Return the viewer's documents with this label, in order of id."""

    async def counts(self) -> dict[Label, int]:
        """Return how many of the viewer's documents have each label."""

    async def decide(self, document_id: int, label: Label) -> None:
        """Write down what the viewer says of their own document. Raises: NotFound."""

    async def open_questions(self, size: int) -> tuple[list[int], Matrix]:
        """Return the viewer's unsure documents, newest first, with their vectors."""


def signals_of(item: Item, parsed: ParsedDocument) -> Signals:
    """Return what an item shows of itself."""
    told = parsed.metadata
    people = " ".join([*(told.get(name, "") for name in PEOPLE_FIELDS), item.author, parsed.author])
    labels = [*item.labels, *(part for name in LABEL_FIELDS for part in re.split(r"[,;/\n]", told.get(name, "")))]
    head = f"{parsed.title}\n{parsed.text[:HEAD_CHARACTERS]}".lower()
    return Signals(
        frozenset(address.lower() for address in ADDRESS.findall(people)),
        frozenset(label.strip().lower() for label in labels if label.strip()),
        frozenset(WORD.findall(head)),
        is_bulk=any(told.get(name) for name in BULK_FIELDS),
        readers=frozenset(item.principals),
    )


def classify(signals: Signals, vector: Matrix | None, judge: Judge) -> Verdict:
    """Return the judgement over an item; what no rule decides is compared with the owner's decisions."""
    return by_rule(signals, judge.circle) or by_examples(vector, judge.examples)


def by_rule(signals: Signals, circle: Circle) -> Verdict | None:
    """Return what the rules say, or None where they are silent."""
    if named := signals.labels & PERSONAL_LABELS:
        return Verdict(Label.PERSONAL, DecidedBy.RULE, f"It is labelled “{min(named)}” at the source.")
    if verdict := if_shared(signals.readers, circle):
        return verdict
    others = signals.people - {circle.owner_email.lower()}
    domains = circle.domains
    colleagues = sorted(each for each in others if each in circle.colleagues or each.rpartition("@")[2] in domains)
    private_words = sorted(signals.words & PERSONAL_WORDS)
    is_private = len(private_words) >= N_WORDS
    if colleagues and is_private:
        return Verdict(
            Label.UNSURE, DecidedBy.RULE, f"{colleagues[0]} takes part, but it speaks of {_listed(private_words)}."
        )
    if colleagues:
        return Verdict(Label.WORK, DecidedBy.RULE, f"{colleagues[0]} takes part, who belongs to the company.")
    if is_private and not signals.is_bulk:
        return Verdict(
            Label.PERSONAL,
            DecidedBy.RULE,
            f"Nobody of the company takes part, and it speaks of {_listed(private_words)}.",
        )
    return None


def if_shared(readers: Iterable[str], circle: Circle) -> Verdict | None:
    """Return that it is work where the source shares it with others by name; None where nobody has done that.

    What is open to everyone in the vault was opened here, by a setting, and tells nothing of a single item.
    """
    named = {each for each in readers if each.startswith(NAMED)}
    others = named - circle.own - {email_principal(circle.owner_email)}
    return Verdict(Label.WORK, DecidedBy.RULE, "The source shares it with others.") if others else None


def by_examples(vector: Matrix | None, examples: Examples) -> Verdict:
    """Return the label whose nearest examples are clearly nearer; unsure where they are not, or are too few."""
    unsure = Verdict(
        Label.UNSURE, DecidedBy.EXAMPLES, "Nothing tells for certain yet. What you decide here helps to judge the next."
    )
    if vector is None or not vector.any() or not examples.labels:
        return unsure
    cosines = examples.vectors @ vector
    nearness = {label: _nearness(cosines, examples.labels, label) for label in (Label.WORK, Label.PERSONAL)}
    work, personal = nearness[Label.WORK], nearness[Label.PERSONAL]
    if work is None or personal is None or abs(work - personal) < MARGIN:
        return unsure
    label = Label.WORK if work > personal else Label.PERSONAL
    return Verdict(label, DecidedBy.EXAMPLES, f"It is most like what you have called {label.value}.")


def mean_vector(vectors: Matrix | None) -> Matrix | None:
    """Return the direction of a document's chunks, (d,) float32, unit norm; None where there are none."""
    if vectors is None or not vectors.size:
        return None
    mean: Matrix = vectors.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    return mean / np.float32(norm) if norm else None


def _nearness(cosines: Matrix, labels: Sequence[Label], label: Label) -> float | None:
    own = np.sort(cosines[np.array([each is label for each in labels])])[::-1]
    return float(own[:N_NEAREST].mean()) if own.size >= N_EXAMPLES else None


def _listed(words: Sequence[str]) -> str:
    return " and ".join(words[:2])
