#!/bin/sh
# Every harness of fuzz.c for SECONDS each, one on each core: run.sh SECONDS [NAME...]. It
# starts from the files named here, keeps what it learns in out/fuzz/corpus and what it finds
# in out/fuzz/findings.
cd "$(dirname "$0")/../.." || exit 1
run=tests/fuzz/run.sh
seconds=$1; shift
seeds() {
    case $1 in
    config) echo tests/bad tests/nets tests/golden configs ;;
    weights) echo tests/weights ;;
    picture) echo tests/sample/images ;;
    *) echo tests/fuzz/corpus/$1 ;;
    esac
}
[ $# -gt 0 ] || set -- config set weights checkpoint picture npy labels records jpeg idx tar csv pack
if [ $# -gt 1 ]; then
    printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 $run "$seconds"
    exit
fi
name=$1
mkdir -p out/fuzz/corpus/$name out/fuzz/findings
LATHE_FUZZ=$name out/fuzz/fuzz -max_total_time=$seconds -timeout=120 -rss_limit_mb=2048 \
    -max_len=65536 -artifact_prefix=out/fuzz/findings/$name- \
    out/fuzz/corpus/$name $(seeds $name) >out/fuzz/$name.log 2>&1
status=$?
runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' out/fuzz/$name.log)
if [ $status -eq 0 ] && [ -n "$runs" ]; then
    echo "fuzz $name: $runs runs, nothing found"
else
    echo "fuzz $name: FOUND something, see out/fuzz/$name.log"
    tail -n 40 out/fuzz/$name.log
    exit 1
fi
