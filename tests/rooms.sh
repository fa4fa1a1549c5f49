#!/bin/sh
# The include rule: a room includes only itself and rooms before it in this list, by paths from
# the root, and no modules (a header and its source) need each other. Prints what breaks it.
rooms="runtime/rt.h runtime/base runtime/peers runtime/kernels runtime/draw runtime/data runtime/checkpoint
runtime/train gen/base gen/weights gen/ir gen/config gen/passes gen/emit gen/run gen/ptq gen/show
gen/session gen/verbs gen/main.c"
includes=$(grep -r '^ *# *include "' runtime gen --include=*.[ch] | sed 's/: *# *include "/ /; s/".*//')
echo "$includes" | awk -v rooms="$rooms" '
    function room(path) { return path in order ? path : substr(path, 1, match(path, "/[^/]*$") - 1) }
    BEGIN { count = split(rooms, list); for (i = 1; i <= count; i++) order[list[i]] = i }
    !order[room($2)] || order[room($2)] > order[room($1)] { print $1 " may not include " $2; bad = 1 }
    END { exit bad }' || bad=1
echo "$includes" | sed 's/\.[ch]\>//g' | awk '$1 != $2' | tsort 2>&1 >/dev/null | grep . && bad=1
exit ${bad:-0}
