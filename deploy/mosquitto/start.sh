#!/bin/sh
# mosquitto under the files that `manage.py broker_config watch` writes: waits for them, takes a copy that
# is its own, and reads accounts and rights anew within a second of each change.
set -eu
written=/mosquitto/written
own=/mosquitto/data

take() {
    for name in mosquitto.conf passwords acl ca.crt server.crt server.key; do
        [ -f "$written/$name" ] || continue
        cmp -s "$written/$name" "$own/$name" && continue
        cp "$written/$name" "$own/.$name.new"
        chown mosquitto:mosquitto "$own/.$name.new"
        chmod 600 "$own/.$name.new"
        mv "$own/.$name.new" "$own/$name"
        changed=1
    done
}

until [ -f "$written/mosquitto.conf" ] && [ -f "$written/passwords" ]; do sleep 0.5; done
take
chown mosquitto:mosquitto "$own"
mosquitto -c "$own/mosquitto.conf" &
broker=$!
trap 'kill -TERM "$broker"; wait "$broker"; exit 0' TERM INT
while kill -0 "$broker" 2>/dev/null; do
    sleep 1 &
    wait $! || true
    changed=""
    take
    [ -z "$changed" ] || kill -HUP "$broker"
done
wait "$broker"
