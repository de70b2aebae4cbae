#!/bin/sh
# search.run, which goes on with the study if there is one: for what starts a lost job again.
if python -m search.run "$@" --resume --dry-run > /dev/null 2>&1; then
    set -- "$@" --resume
fi
exec python -m search.run "$@"
