"""What load balancers ask."""

from tests.web.browser import Browser


async def test_a_process_that_works_is_ready(browser: Browser) -> None:
    await browser.visit("/health/ready")
    assert browser.response.json() == {"status": "up", "parts": {"postgres": "up", "redis": "up"}, "broken": []}


async def test_without_postgres_a_process_is_not_ready(browser: Browser, health: dict[str, str]) -> None:
    health["postgres"] = "no answer"
    await browser.visit("/health/ready")
    assert browser.status == 503
    assert browser.response.json()["broken"] == ["postgres"]
    assert (await browser.visit("/health/live")).status == 200


async def test_without_redis_a_process_is_ready_and_says_what_is_missing(
    browser: Browser, health: dict[str, str]
) -> None:
    health["redis"] = "no answer"
    await browser.visit("/health/ready")
    assert browser.status == 200
    assert browser.response.json()["status"] == "degraded: redis"
    assert browser.response.json()["parts"]["redis"] == "no answer"
