"""What the hub counts."""

from prometheus_client import Counter, Gauge

DELTAS = Counter("base_ops_live_deltas_total", "Changes read from the database by this hub")
FRAMES = Counter("base_ops_live_frames_total", "Frames sent to sockets", ["kind"])
CLOSED = Counter("base_ops_live_closed_total", "Sockets closed by us", ["reason"])
SOCKETS = Gauge("base_ops_live_sockets", "Open live sockets")
LAG = Gauge(
    "base_ops_live_database_lag_seconds", "Seconds since the database last answered the hub"
)
