"""How each program stands, as the reviews made so far say; the rest comes with each program's next review."""

from django.db import migrations

from clinic.backfill import in_batches

FROM_REVIEWS = """
UPDATE programs_program SET
    reviewed_on = latest.day, review_state = latest.state, review_trend = latest.trend, review_week = latest.week,
    succeeded_on = first.day, success_week = first.week
FROM (
    SELECT DISTINCT ON (program_id) program_id, day, state, trend, week
    FROM programs_review WHERE program_id = ANY(%(ids)s) ORDER BY program_id, day DESC, id DESC
) AS latest
LEFT JOIN (
    SELECT DISTINCT ON (program_id) program_id, day, week
    FROM programs_review WHERE program_id = ANY(%(ids)s) AND state = 'on_track' ORDER BY program_id, day, id
) AS first USING (program_id)
WHERE latest.program_id = programs_program.id AND programs_program.reviewed_on IS NULL
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0016_new_answers")]

    operations = [in_batches("programs_program", FROM_REVIEWS)]
