"""Settings: what an operator sets wrong is one line that names it."""

from pathlib import Path

import pytest

from infra.settings import WrongSetting, read_settings

PRODUCTION = {
    "KNOWLEDGEVAULT_ENV": "production",
    "DATABASE_URL": "postgres://u:p@db/kv",
    "SECRET_KEY": "s" * 32,
    "BASE_URL": "https://kv.example/",
}


def test_nothing_has_to_be_set_on_ones_own_machine() -> None:
    settings = read_settings({})
    assert settings.is_embedded
    assert (settings.host, settings.port, settings.folder) == ("127.0.0.1", 8000, Path(".vault"))


def test_the_platforms_port_is_honoured_and_links_lose_their_last_slash() -> None:
    settings = read_settings({**PRODUCTION, "PORT": "5123"})
    assert (settings.port, settings.host, settings.base_url) == (5123, "0.0.0.0", "https://kv.example")


@pytest.mark.parametrize("missing", ["DATABASE_URL", "SECRET_KEY", "BASE_URL"])
def test_production_does_not_start_without_what_it_needs(missing: str) -> None:
    with pytest.raises(WrongSetting, match=missing):
        read_settings({name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://db"),
        ("REDIS_URL", "localhost:6379"),
        ("WORKER_CONCURRENCY", "0"),
        ("EMBEDDING_PRECISION", "int4"),
        ("LOG_LEVEL", "loud"),
        ("LLM_BASE_URL", "localhost"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_language_model_server_needs_a_models_name() -> None:
    with pytest.raises(WrongSetting, match="LLM_MODEL"):
        read_settings({"LLM_BASE_URL": "http://127.0.0.1:9/v1"})


def test_a_provider_is_set_up_by_id_and_secret_and_answers_where_it_is_said_to() -> None:
    environment = {"GITHUB_CLIENT_ID": "id", "GITHUB_CLIENT_SECRET": "s", "GITHUB_API_URL": "http://ghe.test/api/"}
    github = read_settings(environment).providers["github"]
    assert (github.client_id, github.token_url) == ("id", "https://github.com/login/oauth/access_token")
    assert github.revoke_url == "http://ghe.test/api/applications/{client_id}/token"
    assert read_settings({}).providers["github"].client_id == ""
    with pytest.raises(WrongSetting, match="GITHUB_CLIENT_SECRET"):
        read_settings({"GITHUB_CLIENT_ID": "id"})


def test_earlier_keys_are_kept_for_opening() -> None:
    assert read_settings({"SECRET_KEY_PREVIOUS": "one two"}).previous_secret_keys == ("one", "two")
