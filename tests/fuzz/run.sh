#!/bin/sh
# Every harness of fuzz.c for SECONDS each: run.sh SECONDS [NAME...]. It starts from the files
# named here, keeps what it learns in out/fuzz/corpus and what it finds in out/fuzz/findings.
seconds=$1; shift
cd "$(dirname "$0")/../.." || exit 1
mkdir -p out/fuzz/findings
seeds() {
    case $1 in
    config) echo tests/bad tests/nets tests/golden configs ;;
    weights) echo tests/weights ;;
    picture) echo tests/sample/images ;;
    *) echo tests/fuzz/corpus/$1 ;;
    esac
}
[ $# -gt 0 ] || set -- config set weights checkpoint picture npy labels records jpeg idx tar csv
for name; do
    mkdir -p out/fuzz/corpus/$name
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
        failed=1
    fi
done
exit ${failed:-0}
