"""Whether this process lives, and whether it can work: what load balancers and people ask."""

from typing import Any

from litestar import Response, get

from web.doors import Doors

UP = "up"
NEEDED = "postgres"
"""The part without which nothing works. Without Redis everything goes on, slower: a balancer must not give us up."""


@get("/health/live", include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    """Say that the process answers at all."""
    return {"status": UP}


@get("/health/ready", include_in_schema=False)
async def ready(doors: Doors) -> Response[dict[str, Any]]:
    """Say whether every part works: 503 when one that is needed does not, "degraded" for the others."""
    parts = await doors.check_health()
    broken = [name for name, state in parts.items() if state != UP]
    is_down = NEEDED in broken
    status = "down" if is_down else f"degraded: {', '.join(broken)}" if broken else UP
    body = {"status": status, "parts": parts, "broken": broken}
    return Response(body, status_code=503 if is_down else 200, headers={"Cache-Control": "no-store"})


routes = [live, ready]
