"""A demo world that is always "today": fictional people who book, come, go live and leave."""
