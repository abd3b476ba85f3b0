"""Versions of templates, where a copy came from, and the clinic's own clips."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from clinic.audit.triggers import of, record
from clinic.row_security.policies import IN_CLINIC, PLATFORM, let_operator_read, of_staff, protect, share

TEMPLATE_WRITTEN = (
    "EXISTS (SELECT FROM programs_template WHERE programs_template.id = template_id "
    f"AND (({of_staff()}) OR ({PLATFORM} AND clinic_id IS NULL)))"
)
TEMPLATE_READ = "EXISTS (SELECT FROM programs_template WHERE programs_template.id = template_id)"
USABLE = (
    "EXISTS (SELECT FROM programs_exercise AS used WHERE used.id = exercise_id "
    "AND (used.clinic_id IS NULL OR used.clinic_id = programs_clip.clinic_id))"
)


def of_the_library(model: str) -> list[migrations.AddField]:
    return [
        migrations.AddField(
            model,
            "version",
            models.PositiveIntegerField(
                db_default=1, default=1, editable=False, help_text="Rises with each change of its content."
            ),
        ),
        migrations.AddField(
            model,
            "copied_from",
            models.SlugField(
                blank=True,
                db_default="",
                db_index=False,
                editable=False,
                help_text="Of the starter library.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model, "copied_version", models.PositiveIntegerField(blank=True, editable=False, null=True)
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("programs", "0008_drafts"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        *of_the_library("exercise"),
        *of_the_library("template"),
        migrations.AddField(
            "program",
            "template_version",
            models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content", models.JSONField()),
                (
                    "replaced_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former",
                        to="programs.template",
                    ),
                ),
            ],
            options={
                "ordering": ("-number",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("template", "number"), name="template_version_number_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Clip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=500)),
                (
                    "clinic",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.clinic",
                    ),
                ),
                (
                    "exercise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clips",
                        to="programs.exercise",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "exercise"), name="clip_once_per_exercise")
                ],
            },
        ),
        protect("programs_templateversion", TEMPLATE_WRITTEN),
        share("programs_templateversion", TEMPLATE_READ),
        protect("programs_clip", of_staff(), written=f"{of_staff()} AND {USABLE}"),
        share("programs_clip", IN_CLINIC),
        let_operator_read("programs_clip"),
        record(
            "programs_templateversion",
            clinic=of("programs_template", "this.template_id", "clinic_id"),
            kept_out=("content",),
        ),
        record("programs_clip"),
    ]
