"""Row-level security: the database itself keeps each tenant to its rows, whatever a query forgets.

``context`` says for whom we work, ``base`` (a Django database backend) tells each transaction, ``policies``
are the migration operations that protect a table. Above it, ``clinic.tenancy`` says what queries ask for.
"""

from clinic.audit.origin import Origin
from clinic.row_security.context import NOBODY, Tenant, acting_for, current, enter, explain

__all__ = ["NOBODY", "Origin", "Tenant", "acting_for", "current", "enter", "explain"]
