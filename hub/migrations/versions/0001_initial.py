"""All tables, roles, policies, triggers and views of the first version; the statements stand in 0001_initial.sql."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

END = "\n--\n"
_DROP = """
    DO $$ DECLARE thing record; BEGIN
        FOR thing IN SELECT viewname FROM pg_views WHERE schemaname = 'public' LOOP
            EXECUTE format('DROP VIEW %I CASCADE', thing.viewname);
        END LOOP;
        FOR thing IN SELECT tablename FROM pg_tables
                     WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
            EXECUTE format('DROP TABLE %I CASCADE', thing.tablename);
        END LOOP;
        FOR thing IN SELECT oid::regprocedure AS signature FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
            EXECUTE format('DROP FUNCTION %s CASCADE', thing.signature);
        END LOOP;
    END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(END):
        if statement.strip():
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DROP)
