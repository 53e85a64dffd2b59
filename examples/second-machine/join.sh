#!/bin/sh
# Adds this machine to a Funnel that `npm start` runs on another one. Run it in a clone on this machine:
#   examples/second-machine/join.sh USER@HOST FOLDER
# FOLDER is the clone on the other machine, or its FUNNEL_HOME if that is set there. All traffic goes through SSH, so no port opens on the network.
set -eu
if [ $# -ne 2 ]; then
  echo 'Expected the other machine, and its clone or FUNNEL_HOME: examples/second-machine/join.sh alice@first /home/alice/funnel' >&2
  exit 2
fi
host=$1
local_port=${LOCAL_PORT:-15432} # a free port of this machine

# The folder in which Funnel keeps its data there: the clone's .funnel, or FUNNEL_HOME itself.
home=$(ssh "$host" "for home in '$2/.funnel' '$2'; do if [ -f \"\$home/pgdata.port\" ]; then echo \"\$home\"; exit; fi; done")
if [ -z "$home" ]; then
  echo "Expected a running Funnel with its own PostgreSQL, but $host has no file $2/.funnel/pgdata.port or $2/pgdata.port. Run \`npm start\` there; if FUNNEL_HOME is set there, give its folder." >&2
  exit 2
fi

# Funnel's own PostgreSQL listens on 127.0.0.1 of the other machine. These two files hold its port and its password.
port=$(ssh "$host" "cat '$home/pgdata.port'")
password=$(ssh "$host" "cat '$home/pgdata.password'")

# A tunnel from the port here to PostgreSQL there. -f: SSH goes to the background once the tunnel stands. The socket is for ending it.
socket=$(mktemp -u "${TMPDIR:-/tmp}/funnel-tunnel-XXXXXX")
trap 'ssh -S "$socket" -O exit "$host" 2>/dev/null' EXIT
trap : INT TERM # on Ctrl-C the worker returns its work and ends by itself; until then it needs the tunnel
ssh -M -S "$socket" -f -N -o ExitOnForwardFailure=yes -L "127.0.0.1:$local_port:127.0.0.1:$port" "$host"

DATABASE_URL="postgres://funnel:$password@127.0.0.1:$local_port/funnel" "$(dirname "$0")/../../funnel" worker
