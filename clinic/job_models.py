"""What is kept of the periodic jobs: how each last ran, and the rows that it could not handle."""

from __future__ import annotations

from django.db import models

from clinic.tenancy import ClinicRow, ScopedQuerySet


class SweepRun(models.Model):
    """When each periodic job last ran and what came of it: "nothing to do" and "broken" look different."""

    name = models.CharField(max_length=60, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "periodic job"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class RowAttemptQuerySet(ScopedQuerySet):
    """Filters on rows in trouble."""

    def given_up(self) -> RowAttemptQuerySet:
        return self.filter(next_at=None)


class RowAttempt(ClinicRow):
    """A due row that a sweep has begun and not brought to an end: the worker died on it, or it failed.

    ``key`` is the row's id in the table that the sweep works on. Without ``next_at`` it is given up.
    """

    sweep = models.CharField(max_length=40)
    key = models.BigIntegerField()
    attempts = models.PositiveSmallIntegerField()
    began_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = RowAttemptQuerySet.as_manager()

    class Meta:
        verbose_name = "row in trouble"
        verbose_name_plural = "rows in trouble"
        ordering = ("-began_at",)
        constraints = [models.UniqueConstraint(fields=["sweep", "key"], name="row_attempt_once")]

    def __str__(self) -> str:
        return f"{self.sweep}: row {self.key}"
