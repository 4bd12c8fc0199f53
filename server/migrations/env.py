"""How Alembic reaches the database: the connection is given by `server.database.migrate`."""

from alembic import context

from server.accounts import model as accounts_model
from server.audit import model as audit_model
from server.database import Base
from server.lessons import model as lessons_model
from server.schools import model as schools_model

TABLES = (accounts_model, audit_model, lessons_model, schools_model)  # imported so that Base knows their tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
