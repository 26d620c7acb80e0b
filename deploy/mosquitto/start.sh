#!/bin/sh
# Writes passwords from the environment into the password file, then becomes the broker.
# A real device gets its own:
#   docker compose exec mosquitto mosquitto_passwd -b /mosquitto/secrets/passwords ID PASSWORD
set -eu
passwords=/mosquitto/secrets/passwords
umask 077
touch "$passwords"
mosquitto_passwd -b "$passwords" bridge "$BRIDGE_PASSWORD"

# Each device of the simulated fleet signs in under its own name, with the fleet's password.
if [ -n "${SIMULATOR_PASSWORD:-}" ]; then
    fleet=$(mktemp)
    sed -n "s/.*\"tag\": *\"\([^\"]*\)\".*/\1:$SIMULATOR_PASSWORD/p" /mosquitto/plan.json >"$fleet"
    sed 's/:.*/:/' "$fleet" | grep -v -F -f - "$passwords" >"$passwords.new" || true
    mosquitto_passwd -U "$fleet"
    cat "$fleet" >>"$passwords.new"
    mv "$passwords.new" "$passwords"
    rm "$fleet"
fi
chown mosquitto:mosquitto "$passwords"
exec mosquitto -c /mosquitto/config/mosquitto.conf
