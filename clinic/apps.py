"""App configuration."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from clinic.audit.checks import audited_tables
from clinic.checks import database_role, protected_tables


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "Clinic"

    def ready(self) -> None:
        register(database_role, Tags.database)
        register(protected_tables, Tags.database)
        register(audited_tables, Tags.database)
