"""Alarms come from rules in versions; they are silenced, commented, escalated."""

import django.db.models.deletion
from django.db import migrations, models


APPEND_ONLY = """
CREATE TRIGGER alarmrules_append_only BEFORE UPDATE OR DELETE ON devices_alarmrules
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite();
CREATE TRIGGER alarmrules_no_truncate BEFORE TRUNCATE ON devices_alarmrules
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_rewrite();
"""
UNDO = """
DROP TRIGGER alarmrules_append_only ON devices_alarmrules;
DROP TRIGGER alarmrules_no_truncate ON devices_alarmrules;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0006_shared_buffers'),
        ('devices', '0010_foreign'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlarmComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('by', models.CharField(max_length=160)),
                ('text', models.CharField(max_length=1000)),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AlarmPending',
            fields=[
                ('pk', models.CompositePrimaryKey('device', 'rule', blank=True, editable=False, primary_key=True, serialize=False)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='devices.device')),
                ('rule', models.CharField(max_length=40)),
                ('since', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('raised', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='AlarmRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(unique=True)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.CharField(help_text='as the audit trail names them', max_length=160)),
                ('note', models.CharField(blank=True, max_length=240)),
                ('document', models.JSONField()),
            ],
            options={
                'ordering': ['-version'],
            },
        ),
        migrations.CreateModel(
            name='AlarmSilence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=240)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.CharField(max_length=160)),
                ('until', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddField(
            model_name='alarm',
            name='escalated',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='steps of escalation that were told'),
        ),
        migrations.AddField(
            model_name='alarm',
            name='good_since',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alarm',
            name='notified_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='alarm',
            name='rule',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='alarm',
            name='runbook_en',
            field=models.CharField(blank=True, db_default='', default='', max_length=600),
        ),
        migrations.AddField(
            model_name='alarm',
            name='runbook_zh',
            field=models.CharField(blank=True, db_default='', default='', max_length=400),
        ),
        migrations.AddField(
            model_name='alarm',
            name='title_en',
            field=models.CharField(blank=True, db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='alarm',
            name='title_zh',
            field=models.CharField(blank=True, db_default='', default='', max_length=80),
        ),
        migrations.AlterField(
            model_name='alarm',
            name='code',
            field=models.CharField(max_length=40),
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(condition=models.Q(('cleared_at', None)), fields=['raised_at'], name='alarm_open'),
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(fields=['device', 'code', 'raised_at'], name='alarm_history'),
        ),
        migrations.AddField(
            model_name='alarmcomment',
            name='alarm',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='devices.alarm'),
        ),
        migrations.AddConstraint(
            model_name='alarmrules',
            constraint=models.CheckConstraint(condition=models.Q(('version__gt', 0)), name='alarmrules_version_positive'),
        ),
        migrations.AddField(
            model_name='alarmsilence',
            name='device',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='devices.device'),
        ),
        migrations.AddField(
            model_name='alarmsilence',
            name='space',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.space'),
        ),
        migrations.AddConstraint(
            model_name='alarmsilence',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('device__isnull', True), ('space__isnull', False)), models.Q(('device__isnull', False), ('space__isnull', True)), _connector='OR'), name='silence_of_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='alarmsilence',
            constraint=models.CheckConstraint(condition=models.Q(('until__gt', models.F('created_at'))), name='silence_ends_after_start'),
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
