import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The index is made while runs go on logging; only then does the one that it replaces go, which takes a moment."""

    atomic = False

    dependencies = [("jobs", "0004_worker_usage")]

    operations = [
        AddIndexConcurrently("runlog", models.Index(fields=["run", "id"], name="run_lines")),
        migrations.AlterField(
            "runlog",
            "run",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="log_lines",
                to="jobs.run",
            ),
        ),
    ]
