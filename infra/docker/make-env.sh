#!/bin/sh
# Writes .env from .env.example, with a fresh random value for every empty secret. Does not change an existing .env.
set -eu
cd "${1:-$(dirname "$0")/../..}"

if [ -e .env ]; then
  echo "$(pwd)/.env exists: nothing was changed"
  exit 0
fi

random() { od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n'; }

umask 077
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    '#'*) printf '%s\n' "$line" ;;
    *_PASSWORD= | *_TOKEN=) printf '%s%s\n' "$line" "$(random)" ;;
    *) printf '%s\n' "$line" ;;
  esac
done <.env.example >.env.new
mv .env.new .env
echo "wrote $(pwd)/.env: keep it to yourself; FUNNEL_ADMIN_TOKEN in it is the first token"
