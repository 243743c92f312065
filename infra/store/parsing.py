"""How files are read in a tenant: one row, where somebody has chosen other limits than the product's own."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.parsing import ParseSettings
from domain.people import Viewer


class ParsingStore:
    """The parse settings of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def get(self) -> ParseSettings:
        rows = await self._connection.execute(
            sa.text(
                "select version, timeout_s, max_memory_bytes, max_unpacked_bytes, max_characters from parse_settings"
            )
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), ParseSettings) if row else ParseSettings()

    async def change(self, settings: ParseSettings) -> ParseSettings:
        await self._connection.execute(
            sa.text(
                "insert into parse_settings"
                " (tenant_id, version, timeout_s, max_memory_bytes, max_unpacked_bytes, max_characters)"
                " values (:tenant, 2, :timeout_s, :max_memory_bytes, :max_unpacked_bytes, :max_characters)"
                " on conflict (tenant_id) do update set version = parse_settings.version + 1,"
                " timeout_s = excluded.timeout_s, max_memory_bytes = excluded.max_memory_bytes,"
                " max_unpacked_bytes = excluded.max_unpacked_bytes, max_characters = excluded.max_characters"
            ),
            {"tenant": self._viewer.tenant_id, **msgspec.structs.asdict(settings)},
        )
        return await self.get()
