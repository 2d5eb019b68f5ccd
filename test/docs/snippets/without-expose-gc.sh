#!/bin/sh
# Starts the runtime with all that Lambda hands over, but for one flag.
for argument do
  shift
  [ "$argument" = --expose-gc ] || set -- "$@" "$argument"
done
exec "$@"
