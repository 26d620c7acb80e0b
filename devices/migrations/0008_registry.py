"""Places, life cycle, adoption, windows and tests; each device hangs at a place of its own."""

import devices.domain.commissioning
import devices.models.places
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


PLACES = """
INSERT INTO devices_place (code, space_id, kind, role, name)
  SELECT code, space_id, kind, role, '' FROM devices_device
   WHERE space_id IS NOT NULL AND status IN ('active', 'maintenance');
INSERT INTO devices_mounting (place_id, device_id, since, "by", why)
  SELECT p.id, d.id, '2000-01-01 00:00+00', '', ''
    FROM devices_device d JOIN devices_place p USING (code);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0006_shared_buffers'),
        ('devices', '0007_outages'),
    ]

    operations = [
        migrations.CreateModel(
            name='Adoption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place_code', models.CharField(max_length=64)),
                ('role', models.CharField(blank=True, max_length=40)),
                ('why', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                ('proposed_by', models.CharField(max_length=160)),
                ('proposed_by_id', models.CharField(max_length=64)),
                ('proposed_at', models.DateTimeField()),
                ('decided_by', models.CharField(blank=True, max_length=160)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_why', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-proposed_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='CommissioningRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor_kind', models.CharField(max_length=8)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_label', models.CharField(max_length=160)),
                ('actor_role', models.CharField(blank=True, max_length=16)),
                ('actor_tenant_id', models.BigIntegerField(blank=True, null=True)),
                ('result', models.CharField(choices=[('running', 'running'), ('passed', 'passed'), ('failed', 'failed'), ('aborted', 'aborted')], default=devices.domain.commissioning.Result['RUNNING'], max_length=8)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('firmware', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'ordering': ['-started_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='CommissioningStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=64)),
                ('title_zh', models.CharField(max_length=120)),
                ('title_en', models.CharField(max_length=120)),
                ('state', models.JSONField(blank=True, null=True)),
                ('status', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('passed', 'passed'), ('failed', 'failed'), ('skipped', 'skipped')], default=devices.domain.commissioning.StepStatus['WAITING'], max_length=8)),
                ('seen', models.JSONField(blank=True, null=True)),
                ('why', models.CharField(blank=True, max_length=64)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['run', 'number'],
            },
        ),
        migrations.CreateModel(
            name='LifeEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor_kind', models.CharField(max_length=8)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_label', models.CharField(max_length=160)),
                ('actor_role', models.CharField(blank=True, max_length=16)),
                ('actor_tenant_id', models.BigIntegerField(blank=True, null=True)),
                ('at', models.DateTimeField()),
                ('deed', models.CharField(choices=[('adopt', 'adopt'), ('reject', 'reject'), ('service', 'service'), ('return', 'return'), ('retire', 'retire'), ('readmit', 'readmit')], max_length=12)),
                ('was', models.CharField(choices=[('quarantine', 'quarantine'), ('active', 'active'), ('maintenance', 'maintenance'), ('retired', 'retired')], max_length=16)),
                ('became', models.CharField(choices=[('quarantine', 'quarantine'), ('active', 'active'), ('maintenance', 'maintenance'), ('retired', 'retired')], max_length=16)),
                ('why', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='MaintenanceWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('why', models.CharField(max_length=200)),
                ('created_by', models.CharField(max_length=160)),
                ('created_at', models.DateTimeField()),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, help_text='its devices were given back', null=True)),
                ('version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'ordering': ['-starts_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Mounting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('by', models.CharField(blank=True, max_length=160)),
                ('why', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-since'],
            },
        ),
        migrations.CreateModel(
            name='Place',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(max_length=24)),
                ('role', models.CharField(blank=True, max_length=40)),
                ('name', models.CharField(blank=True, max_length=120)),
            ],
            options={
                'ordering': ['code'],
            },
        ),
        migrations.CreateModel(
            name='RegistrySettings',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('adoption_needs_approval', models.BooleanField(db_default=True, default=True)),
                ('max_waiting', models.PositiveIntegerField(db_default=1000, default=1000, help_text='devices in quarantine at a time', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('max_newcomers_per_hour', models.PositiveIntegerField(db_default=600, default=600, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('keep_silent_days', models.PositiveSmallIntegerField(db_default=14, default=14, help_text='a stranger that says nothing for so long is forgotten', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)])),
                ('version', models.PositiveIntegerField(db_default=1, default=1)),
            ],
        ),
        migrations.CreateModel(
            name='WindowStay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='device',
            name='device_placed_unless_quarantined',
        ),
        migrations.AddField(
            model_name='command',
            name='test',
            field=models.BooleanField(db_default=False, default=False, help_text='of a commissioning test: maintenance obeys too'),
        ),
        migrations.AddField(
            model_name='device',
            name='first_heard_at',
            field=models.DateTimeField(blank=True, help_text='when it came to us as a stranger', null=True),
        ),
        migrations.AddField(
            model_name='device',
            name='heard_at',
            field=models.DateTimeField(blank=True, help_text='when it last said what it is, while in quarantine', null=True),
        ),
        migrations.AddField(
            model_name='device',
            name='note',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='device',
            name='orphaned_at',
            field=models.DateTimeField(blank=True, help_text='its announcement was withdrawn', null=True),
        ),
        migrations.AddField(
            model_name='device',
            name='serial',
            field=models.CharField(blank=True, db_default='', help_text='as labelled', max_length=64),
        ),
        migrations.AddField(
            model_name='device',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='devicemodel',
            name='firmware',
            field=models.CharField(blank=True, db_default='', help_text='what its devices should run', max_length=64),
        ),
        migrations.AddField(
            model_name='devicemodel',
            name='limits',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='see devices/domain/limits.py'),
        ),
        migrations.AddField(
            model_name='devicemodel',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddIndex(
            model_name='device',
            index=models.Index(condition=models.Q(('first_heard_at__isnull', False)), fields=['first_heard_at'], name='device_newcomers'),
        ),
        migrations.AddIndex(
            model_name='device',
            index=models.Index(condition=models.Q(('status', 'quarantine')), fields=['heard_at'], name='device_waiting'),
        ),
        migrations.AddConstraint(
            model_name='device',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'active'), _negated=True), models.Q(('model__isnull', False), ('space__isnull', False)), _connector='OR'), name='device_placed_when_active'),
        ),
        migrations.AddField(
            model_name='adoption',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='adoptions', to='devices.device'),
        ),
        migrations.AddField(
            model_name='adoption',
            name='model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.devicemodel'),
        ),
        migrations.AddField(
            model_name='adoption',
            name='space',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.space'),
        ),
        migrations.AddField(
            model_name='commissioningrun',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tests', to='devices.device'),
        ),
        migrations.AddField(
            model_name='commissioningstep',
            name='command',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='devices.command'),
        ),
        migrations.AddField(
            model_name='commissioningstep',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='devices.commissioningrun'),
        ),
        migrations.AddField(
            model_name='lifeevent',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='life', to='devices.device'),
        ),
        migrations.AddField(
            model_name='maintenancewindow',
            name='devices',
            field=models.ManyToManyField(blank=True, related_name='+', to='devices.device'),
        ),
        migrations.AddField(
            model_name='maintenancewindow',
            name='space',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.space'),
        ),
        migrations.AddField(
            model_name='mounting',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mountings', to='devices.device'),
        ),
        migrations.AddField(
            model_name='place',
            name='space',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.space'),
        ),
        migrations.AddField(
            model_name='mounting',
            name='place',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mountings', to='devices.place'),
        ),
        migrations.AddField(
            model_name='lifeevent',
            name='place',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.place'),
        ),
        migrations.AddField(
            model_name='commissioningrun',
            name='place',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.place'),
        ),
        migrations.AddConstraint(
            model_name='registrysettings',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='registry_settings_once'),
        ),
        migrations.AddField(
            model_name='windowstay',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='devices.device'),
        ),
        migrations.AddField(
            model_name='windowstay',
            name='window',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stays', to='devices.maintenancewindow'),
        ),
        migrations.AddConstraint(
            model_name='adoption',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'proposed')), fields=('device',), name='adoption_proposed_once'),
        ),
        migrations.AddConstraint(
            model_name='adoption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('status', 'proposed')), models.Q(models.Q(('status', 'proposed'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='adoption_decided_iff_closed'),
        ),
        migrations.AddConstraint(
            model_name='commissioningstep',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='test_step_once'),
        ),
        migrations.AddIndex(
            model_name='maintenancewindow',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['starts_at'], name='window_open'),
        ),
        migrations.AddConstraint(
            model_name='maintenancewindow',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='window_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='mounting',
            constraint=models.UniqueConstraint(condition=models.Q(('until', None)), fields=('place',), name='place_holds_one'),
        ),
        migrations.AddConstraint(
            model_name='mounting',
            constraint=models.UniqueConstraint(condition=models.Q(('until', None)), fields=('device',), name='device_hangs_once'),
        ),
        migrations.AddConstraint(
            model_name='mounting',
            constraint=models.CheckConstraint(condition=models.Q(('until', None), ('until__gt', models.F('since')), _connector='OR'), name='mounting_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='mounting',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(devices.models.places.TsTzRange('since', 'until', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&'), ('place', '=')], name='place_held_by_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='mounting',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(devices.models.places.TsTzRange('since', 'until', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&'), ('device', '=')], name='device_at_one_place_at_a_time'),
        ),
        migrations.AddIndex(
            model_name='lifeevent',
            index=models.Index(fields=['device', '-at'], name='lifeevent_device'),
        ),
        migrations.AddConstraint(
            model_name='commissioningrun',
            constraint=models.UniqueConstraint(condition=models.Q(('result', devices.domain.commissioning.Result['RUNNING'])), fields=('device',), name='test_runs_once'),
        ),
        migrations.AddConstraint(
            model_name='commissioningrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('result', devices.domain.commissioning.Result['RUNNING'])), models.Q(models.Q(('result', devices.domain.commissioning.Result['RUNNING']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='test_ended_iff_not_running'),
        ),
        migrations.AddConstraint(
            model_name='windowstay',
            constraint=models.UniqueConstraint(fields=('window', 'device'), name='window_takes_device_once'),
        ),
        migrations.RunSQL(PLACES, migrations.RunSQL.noop),
    ]
