"""A scene is taken back: what it changed is put as it was before, under the rights of all."""

from datetime import datetime

from django.db import transaction

from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict
from devices.models import SceneRun
from devices.services import queueing


class NothingToRestore(Conflict):
    """It changed nothing, or all is as before already."""

    code, title_zh, title_en = "nothing_to_restore", "没有可恢复的内容", "Nothing to restore"


def roll_back(*, run: SceneRun, actor: Actor, now: datetime) -> SceneRun:
    """Queue what leads the devices of a run back, as a run of its own.

    A stream is never started again by this, and a target never set: the holder does that.

    Raises:
        NothingToRestore; queueing.send_command's refusals (then nothing is queued).
    """
    with transaction.atomic():
        rows = run.commands.select_related("device__model").order_by("-pk")
        back = queueing.begin_run(
            space=run.space, scene=run.scene, actor=actor, booking_code=run.booking_code, now=now
        )
        count = 0
        for command in rows:
            had = run.before.get(command.device.code, {})
            state = {k: v for k, v in had.items() if k not in ("run", "target_ref", "until")}
            if state:
                made = queueing.send_command(
                    device=command.device, state=state, actor=actor,
                    booking_code=run.booking_code or None, now=now, ttl_s=30,
                )  # fmt: skip
                made.scene_run = back
                made.save(update_fields=["scene_run"])
                count += 1
        if not count:
            raise NothingToRestore(run.pk)
    return back
