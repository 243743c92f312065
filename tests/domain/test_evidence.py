"""What an answer's confidence rests on."""

from domain.confidence import confidence
from domain.evidence import Signs, weigh
from tests.domain.fakes import WordAnalyzer, WordEmbedder
from tests.domain.test_answers import passage

QUESTION = "When does the harbour fair open?"


async def signs_of(*texts: str) -> Signs:
    passages = [passage(number, text, title="Notes") for number, text in enumerate(texts, start=1)]
    return (await weigh(QUESTION, passages, WordEmbedder(), WordAnalyzer())).signs


async def test_one_sentence_that_says_it_all_makes_surer_than_two_that_share_its_words() -> None:
    whole = await signs_of("The harbour fair will open in June. Boats leave from pier four at noon.")
    parted = await signs_of("The harbour lies in the north. The fair is loud. Shops open at noon.")
    assert whole.quote_nearness > parted.quote_nearness
    assert confidence(whole) > confidence(parted)


async def test_the_order_of_the_passages_makes_no_difference() -> None:
    one, other = "The harbour fair will open in June.", "Stalls are painted blue every spring."
    assert await signs_of(one, other) == await signs_of(other, one)


async def test_nothing_to_quote_is_no_evidence() -> None:
    assert await signs_of() == Signs()
    assert confidence(Signs()) < 0.01
