"""Changes of the tables, in order; run by ``data.db.migrate``."""
