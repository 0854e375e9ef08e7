from django.db import migrations

from access import roles


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_audit_and_sign_in"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(roles.create, migrations.RunPython.noop)]
