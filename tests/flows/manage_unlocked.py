"""manage.py without the row lock on spaces: for the negative control of the race test only."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")


def main() -> None:
    """Put a plain read in the lock's place, then do what manage.py does."""
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    from booking.services import locking

    for name in ("lock_spaces", "ask_spaces"):
        vars(locking)[name] = lambda space_ids: []
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
