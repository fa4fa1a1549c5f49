#!/bin/bash
# all.sh PROGRAM...: every suite of each test program, one on each core. Prints what fails as it
# ends, then a line for each program: what check counted in all its suites, and how long they
# took, in seconds of a processor.
set -uo pipefail
if [ $# -eq 2 ] && [ -n "${TEST_LOGS:-}" ]; then # one suite: called by the last line
    log=$TEST_LOGS/${1//\//_}.$2
    TIMEFORMAT="seconds: %U %S"
    { time "$1" "$2" >"$log" 2>&1; } 2>"$log.time"
    status=$?
    awk '{ printf "%s %.0f\n", $1, $2 + $3 }' "$log.time" >>"$log"
    rm "$log.time"
    grep -q '^[0-9]*%: Checks:' "$log" || echo "0%: Checks: 1, Failures: 0, Errors: 1" >>"$log"
    [ $status -eq 0 ] && exit
    echo "---- $1 $2 (exit status $status)"
    cat "$log"
    exit 1
fi
# Both programs compile the same networks: once is enough.
export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=${CCACHE_DIR:-$PWD/out/ccache} CCACHE_NOHASHDIR=1
TEST_LOGS=$(mktemp -d)
export TEST_LOGS
trap 'rm -rf "$TEST_LOGS"' EXIT
for program; do
    $program --list | sed "s|^|$program |"
done | xargs -P "$(nproc)" -L 1 "$0"
status=$?
echo "slowest:" $(grep -H '^seconds:' "$TEST_LOGS"/* | sed 's|.*/||; s|:seconds: | |' |
    sort -k2nr | head -8 | awk '{ print $1, $2 " s;" }')
for program; do
    cat "$TEST_LOGS/${program//\//_}".* | awk -v program="$program" '
        /^[0-9]+%: Checks:/ { checks += $3; failures += $5; errors += $7 }
        /^seconds:/ { seconds += $2 }
        END { good = checks - failures - errors
              printf "%d%%: Checks: %d, Failures: %d, Errors: %d (%s, %d s)\n",
                  100 * good / checks, checks, failures, errors, program, seconds }'
done
exit $status
