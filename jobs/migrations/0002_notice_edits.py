"""Triggers on django-celery-beat's five tables: whatever edits a periodic task, and however, marks its schedule dirty
and wakes the schedulers. Bookkeeping columns that only stock beat writes are ignored."""

from django.db import migrations

NOTICE = """
CREATE FUNCTION jobs_notice_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE jobs_schedule SET dirty = true WHERE periodic_task_id = OLD.id;
    ELSIF TG_OP = 'INSERT' OR (to_jsonb(NEW) - '{last_run_at,total_run_count,date_changed}'::text[])
                   IS DISTINCT FROM (to_jsonb(OLD) - '{last_run_at,total_run_count,date_changed}'::text[]) THEN
        IF TG_OP = 'UPDATE' THEN
            UPDATE jobs_schedule SET dirty = true WHERE periodic_task_id = OLD.id AND OLD.id <> NEW.id;
        END IF;
        INSERT INTO jobs_schedule (periodic_task_id, name, job, task, queue, arguments, timing, enabled, one_off, dirty,
                                   broken, paused_by, pause_reason)
        VALUES (NEW.id, NEW.name, '', NEW.task, '', '{}', '{}', NEW.enabled, NEW.one_off, true, '', '', '')
        ON CONFLICT (periodic_task_id) DO UPDATE SET dirty = true;
    ELSE
        RETURN NULL;
    END IF;
    NOTIFY cron_wake;
    RETURN NULL;
END $$;

CREATE FUNCTION jobs_notice_timing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE jobs_schedule SET dirty = true WHERE periodic_task_id IN
                    (SELECT id FROM django_celery_beat_periodictask WHERE %I = $1)', TG_ARGV[0]) USING NEW.id;
    NOTIFY cron_wake;
    RETURN NULL;
END $$;

CREATE FUNCTION jobs_notice_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE jobs_schedule SET dirty = true;
    NOTIFY cron_wake;
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_notice AFTER INSERT OR UPDATE OR DELETE ON django_celery_beat_periodictask
    FOR EACH ROW EXECUTE FUNCTION jobs_notice_task();
CREATE TRIGGER jobs_notice_truncation AFTER TRUNCATE ON django_celery_beat_periodictask
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_notice_truncation();
CREATE TRIGGER jobs_notice AFTER UPDATE ON django_celery_beat_crontabschedule
    FOR EACH ROW EXECUTE FUNCTION jobs_notice_timing('crontab_id');
CREATE TRIGGER jobs_notice AFTER UPDATE ON django_celery_beat_intervalschedule
    FOR EACH ROW EXECUTE FUNCTION jobs_notice_timing('interval_id');
CREATE TRIGGER jobs_notice AFTER UPDATE ON django_celery_beat_clockedschedule
    FOR EACH ROW EXECUTE FUNCTION jobs_notice_timing('clocked_id');
CREATE TRIGGER jobs_notice AFTER UPDATE ON django_celery_beat_solarschedule
    FOR EACH ROW EXECUTE FUNCTION jobs_notice_timing('solar_id');

INSERT INTO jobs_schedule (periodic_task_id, name, job, task, queue, arguments, timing, enabled, one_off, dirty, broken,
                           paused_by, pause_reason)
SELECT id, name, '', task, '', '{}', '{}', enabled, one_off, true, '', '', '' FROM django_celery_beat_periodictask
    ON CONFLICT DO NOTHING;
"""

FORGET = """
DROP TRIGGER jobs_notice_truncation ON django_celery_beat_periodictask;
DROP FUNCTION jobs_notice_truncation();
DROP TRIGGER jobs_notice ON django_celery_beat_periodictask;
DROP TRIGGER jobs_notice ON django_celery_beat_crontabschedule;
DROP TRIGGER jobs_notice ON django_celery_beat_intervalschedule;
DROP TRIGGER jobs_notice ON django_celery_beat_clockedschedule;
DROP TRIGGER jobs_notice ON django_celery_beat_solarschedule;
DROP FUNCTION jobs_notice_task();
DROP FUNCTION jobs_notice_timing();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("django_celery_results", "0014_alter_taskresult_status"),
    ]

    operations = [migrations.RunSQL(NOTICE, FORGET)]
