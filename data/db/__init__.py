"""The database: tables, migrations, transactions and the only queries.

SQLite in one file serves a library; PostgreSQL, by another URL, a region. No row leaves this
package: repositories give and take the types of ``data.model``.
"""
