"""Indexes for what every booking asks: what is owed, and who is there at the same time."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThan


class Migration(migrations.Migration):
    dependencies = [("booking", "0012_ruled_bookings")]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["tenant"],
                name="booking_owed",
                condition=Q(status__in=("held", "pending_approval", "confirmed", "checked_in")),
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["starts_at"],
                name="booking_long",
                condition=Q(GreaterThan(F("ends_at") - F("starts_at"), Value(timedelta(days=1)))),
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["starts_at"], name="booking_apart", condition=Q(part_count__gt=0)
            ),
        ),
        # booking_of_tenant begins with the tenant too.
        migrations.AlterField(
            model_name="booking",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.tenant",
            ),
        ),
    ]
