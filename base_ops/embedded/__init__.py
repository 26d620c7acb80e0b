"""PostgreSQL and an MQTT broker for a machine that has neither."""
