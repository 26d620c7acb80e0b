"""Freeze the buffers of bookings that were made before buffers were frozen."""

from django.db import migrations

FREEZE = """
UPDATE booking_booking b SET setup_min = t.setup_min, teardown_min = t.teardown_min
  FROM core_space s JOIN core_spacetype t ON t.id = s.type_id WHERE s.id = b.space_id
"""


class Migration(migrations.Migration):

    dependencies = [("booking", "0005_resources")]

    operations = [migrations.RunSQL(FREEZE, migrations.RunSQL.noop)]
