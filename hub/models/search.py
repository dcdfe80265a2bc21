"""The words of all `search` columns, kept by triggers: an index that row-level security leaves usable.

Only leakproof operators reach an index behind the policies; ranges of text are, LIKE and text search are not.
"""

from collections.abc import Iterator

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from hub.models.columns import string
from hub.search import LONGEST_WORD, SEPARATORS


class SearchWord(SQLModel, table=True):
    """One word of one record; `noun` is its table."""

    __tablename__ = "search_words"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    noun: str = string(63, primary_key=True)
    word: str = string(LONGEST_WORD, primary_key=True)
    record_id: int = Field(sa_type=BigInteger, primary_key=True)


FUNCTIONS = ("search_words_added", "search_words_removed", "search_words_changed", "search_tokens")
SEARCHED = ("categories", "companies", "nirs", "orders", "products")
"""The tables with a `search` column."""

_ESCAPED = "".join(f"\\{ord(sign):03o}" for sign in SEPARATORS)
_WORDS = (
    f"SELECT DISTINCT left(word, {LONGEST_WORD}) "
    "FROM string_to_table(search_tokens({}), ' ') AS word WHERE word <> ''"
)
_CREATE = (
    "CREATE FUNCTION search_tokens(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE "
    f"RETURN translate($1, E'{_ESCAPED}', repeat(' ', {len(SEPARATORS)}))",
    f"""CREATE FUNCTION search_words_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO search_words (tenant_id, noun, word, record_id)
        SELECT added.tenant_id, TG_TABLE_NAME, word, added.id
        FROM added CROSS JOIN LATERAL ({_WORDS.format("added.search")}) AS words (word);
        RETURN NULL;
    END $$""",
    f"""CREATE FUNCTION search_words_removed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        DELETE FROM search_words USING removed CROSS JOIN LATERAL ({_WORDS.format("removed.search")}) AS words (word)
        WHERE search_words.tenant_id = removed.tenant_id AND noun = TG_TABLE_NAME
        AND search_words.word = words.word AND record_id = removed.id;
        RETURN NULL;
    END $$""",
    # As an array the words lead into the primary key; as a sub-select they made each row scan the tenant's words.
    f"""CREATE FUNCTION search_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE gone text[] := ARRAY({_WORDS.format("OLD.search")} EXCEPT {_WORDS.format("NEW.search")});
        BEGIN
        DELETE FROM search_words WHERE tenant_id = OLD.tenant_id AND noun = TG_TABLE_NAME AND record_id = OLD.id
        AND word = ANY (gone);
        INSERT INTO search_words (tenant_id, noun, word, record_id)
        SELECT NEW.tenant_id, TG_TABLE_NAME, word, NEW.id
        FROM ({_WORDS.format("NEW.search")} EXCEPT {_WORDS.format("OLD.search")}) AS words (word);
        RETURN NULL;
    END $$""",
)


def keep_words() -> Iterator[str]:
    """The statements that make the database keep the words, whoever writes the texts."""
    yield from _CREATE
    for table in SEARCHED:
        yield (
            f"CREATE TRIGGER search_words_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            "FOR EACH STATEMENT EXECUTE FUNCTION search_words_added()"
        )
        yield (
            f"CREATE TRIGGER search_words_removed AFTER DELETE ON {table} REFERENCING OLD TABLE AS removed "
            "FOR EACH STATEMENT EXECUTE FUNCTION search_words_removed()"
        )
        yield (
            f"CREATE TRIGGER search_words_changed AFTER UPDATE OF search ON {table} FOR EACH ROW "
            "WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION search_words_changed()"
        )
