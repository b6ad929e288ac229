"""Which file is used as the configuration."""

from pathlib import Path

import pytest

from secondpost.config.finding import ConfigNotFound, find_config


def test_the_option_comes_first(tmp_path: Path) -> None:
    for name in ("option.toml", "variable.toml", "secondpost.toml"):
        (tmp_path / name).touch()
    environment = {"SECONDPOST_CONFIG": str(tmp_path / "variable.toml")}
    folder = str(tmp_path)
    assert find_config("option.toml", environment, folder) == str(tmp_path / "option.toml")
    assert find_config(None, environment, folder) == str(tmp_path / "variable.toml")
    assert find_config(None, {}, folder) == str(tmp_path / "secondpost.toml")


def test_a_file_that_was_named_and_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secondpost.toml").touch()
    with pytest.raises(ConfigNotFound, match="--config names it"):
        find_config("missing.toml", {}, str(tmp_path))
    with pytest.raises(ConfigNotFound, match="SECONDPOST_CONFIG names it"):
        find_config(None, {"SECONDPOST_CONFIG": "missing.toml"}, str(tmp_path))


def test_nothing_anywhere_says_where_it_was_looked(tmp_path: Path) -> None:
    system = str(tmp_path / "etc" / "secondpost.toml")
    with pytest.raises(ConfigNotFound) as caught:
        find_config(None, {"SECONDPOST_CONFIG": ""}, str(tmp_path), system)
    assert caught.value.looked == (str(tmp_path / "secondpost.toml"), system)
    assert str(tmp_path / "secondpost.toml") in str(caught.value)
    assert system in str(caught.value)
    assert "--config" in str(caught.value)


def test_the_process_s_own_folder_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secondpost.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECONDPOST_CONFIG", raising=False)
    assert find_config(None) == str(tmp_path / "secondpost.toml")
