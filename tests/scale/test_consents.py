"""Row 1: a consent begun on one instance counts on any other, and once on all of them together."""

import asyncio

from tests.scale.cluster import Cluster
from tests.scale.consents import callback_path
from tests.scale.people import person


async def test_row_1_a_consent_begun_on_one_instance_is_finished_on_another(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        begun = await ada.client.get("/connect/github", follow_redirects=False)
        path, is_elsewhere = await callback_path(ada), False
        while not is_elsewhere:
            answer = await ada.client.get(path, follow_redirects=False)
            assert answer.status_code == 303, answer.text
            is_elsewhere = answer.headers["X-Instance"] != begun.headers["X-Instance"]
            path = path if is_elsewhere else await callback_path(ada)
        assert "GitHub: ana" in (await ada.visit("/integrations")).words


async def test_row_1_exactly_one_of_twenty_simultaneous_callbacks_on_three_instances_wins(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        path = await callback_path(ada)
        answers = await asyncio.gather(*(ada.client.get(path, follow_redirects=False) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [303] + [403] * 19
        assert len({answer.headers["X-Instance"] for answer in answers}) == 3
        assert (await ada.client.get(path, follow_redirects=False)).status_code == 403
