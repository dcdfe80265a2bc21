"""All tables, roles and policies of the first version."""

from alembic import op

from hub.migrations.security import create_roles, protect
from hub.models import metadata
from hub.models.search import FUNCTIONS, keep_words
from hub.models.views import create_views, drop_views

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    for statement in create_roles():
        op.execute(statement)
    for table in metadata.sorted_tables:
        for statement in protect(table.name):
            op.execute(statement)
    for statement in (*keep_words(), *create_views()):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_views():
        op.execute(statement)
    metadata.drop_all(op.get_bind())
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
