#!/bin/sh
# Writes the password file from the environment, then becomes the broker.
set -eu
passwords=/mosquitto/secrets/passwords
if [ ! -f "$passwords" ]; then
    (umask 077 && : >"$passwords")
fi
mosquitto_passwd -b "$passwords" bridge "$BRIDGE_PASSWORD"
mosquitto_passwd -b "$passwords" simulator "$SIMULATOR_PASSWORD"
chown mosquitto:mosquitto "$passwords"
chmod 0600 "$passwords"
exec mosquitto -c /mosquitto/config/mosquitto.conf
