"""The API takes whatever its own description allows, and whatever it forbids, without breaking."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from litestar import Litestar
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

N_EXAMPLES = 8


def drawn(strategy: Any) -> list[schemathesis.Case[Any]]:
    """Return a few values of a strategy, the same ones each time."""
    cases: list[schemathesis.Case[Any]] = []

    @settings(
        max_examples=N_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: schemathesis.Case[Any]) -> None:
        cases.append(case)

    collect()
    return cases


async def test_nothing_that_can_be_sent_breaks_the_api(app: Litestar, api: httpx.AsyncClient, library: None) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi_schema.to_schema())
    n_sent = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path.endswith("/uploads"):
            continue  # its form is not JSON, and what cannot be a file cannot be sent either; see test_api.py
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in drawn(operation.as_strategy(generation_mode=mode)):
                sent = case.as_transport_kwargs(base_url="http://vault.test", headers=dict(api.headers))
                sent.pop("cookies", None)
                if not isinstance(sent.get("data", {}), dict):
                    sent["content"] = sent.pop("data")
                answer = await api.request(**sent)
                n_sent += 1
                assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text}"
                if answer.status_code >= 400:
                    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.url
    assert n_sent > 150
