#!/bin/sh
# Run a search, or resume it if its study exists: for whatever restarts a lost job.
if python -m search.run "$@" --resume --dry-run > /dev/null 2>&1; then
    set -- "$@" --resume
fi
exec python -m search.run "$@"
