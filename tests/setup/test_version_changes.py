"""What new versions change for others is said of every schema and every version of the file."""

from secondpost.config.versions import VERSION
from secondpost.setup.version_changes import version_changes
from secondpost.store.sqlite.schema import Database, migrations, newest_schema

CHANGES = version_changes()


def test_every_schema_and_every_version_of_the_file_was_looked_at() -> None:
    newest = max(newest_schema(each) for each in Database)
    assert (CHANGES.schema_looked_at, CHANGES.configuration_looked_at) == (newest, VERSION)


def test_each_change_names_one_that_exists_and_says_something() -> None:
    schemas = {each.number for each in migrations(Database.NEWSLETTER)}
    for each in CHANGES.change:
        assert (each.schema in schemas) != (1 < each.configuration <= VERSION)
        assert len(each.readers) + len(each.others) > 0
        assert all(text == "" or text.endswith(".") for text in (each.readers, each.others))


def test_only_what_came_since_is_told() -> None:
    assert list(CHANGES.since({"mail.db": CHANGES.schema_looked_at}, VERSION)) == []
    since = list(CHANGES.since({"mail.db": 28, "newsletter.db": 27}, VERSION))
    assert [each.schema for each in since] == [28, 34]
    assert [each.configuration for each in CHANGES.since({"mail.db": 40}, 1)] == [2]
