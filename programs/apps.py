"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from programs.checks import letters_can_be_set


class ProgramsConfig(AppConfig):
    name = "programs"
    verbose_name = "Programs"

    def ready(self) -> None:
        register(letters_can_be_set, deploy=True)
