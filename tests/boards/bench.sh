#!/bin/bash
# bench.sh [WHAT...]: millions of instructions that one image takes on each processor, counted
# under QEMU, a column for each. Two images less one: without start-up. WHAT is an emitted file,
# a config, or CONFIG.lua=WEIGHTS (README's table: the zoo's 8 and 4 bits); without weights, those of an epoch of noise are taken: how
# many instructions there are does not depend on them. COMMITS="A B": each config as each of
# these commits emits it. FLAGS: what the files are compiled with (-O2). TARGETS: some of those
# below.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
finish() {
    for commit in ${COMMITS:-}; do
        git -C "$root" worktree remove --force "$work/$commit" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
gcc -O2 -shared -fPIC -o "$work/count.so" "$here/count.c"

board() { # NAME CPU FPU CODE DATA: sets what `machine` does
    tools=arm-none-eabi- flags="-mthumb -mcpu=cortex-$2 $3"
    link="$here/start.c -T $here/board.ld -Wl,--defsym=code=$4,--defsym=data=$5 -nostartfiles \
        --specs=nosys.specs -Wl,--no-warnings"
    qemu=qemu-system-arm
    options="-M $1 -nographic -monitor none -serial null \
        -semihosting-config enable=on,target=native -kernel"
}

machine() { # NAME FLAGS
    tools=$1-linux-gnu- flags=${2:-} link=-static qemu=qemu-$1 options=
}

choose() {
    case $1 in
    m0plus) board mps2-an385 m0plus -mfloat-abi=soft 0 0x21000000 ;; # on an M3
    m3) board mps2-an385 m3 -mfloat-abi=soft 0 0x21000000 ;;
    m4) board mps2-an386 m4 -mfloat-abi=hard 0 0x21000000 ;;
    m7) board mps2-an500 m7 -mfloat-abi=hard 0 0x60000000 ;;
    m33) board mps2-an505 m33 -mfloat-abi=hard 0x10000000 0x80000000 ;;
    m55) board mps3-an547 m55 -mfloat-abi=hard 0 0x70000000 ;;
    aarch64) machine aarch64 ;;
    aarch64+dotprod) machine aarch64 -march=armv8.2-a+dotprod ;;
    aarch64+i8mm) machine aarch64 -march=armv8.2-a+i8mm ;;
    riscv64) machine riscv64 ;;
    riscv64+v) machine riscv64 -march=rv64gcv && options="-cpu rv64,v=true,vext_spec=v1.0,vlen=128" ;;
    x86_64) machine x86_64 ;;
    *) echo "bench.sh: no target $1" >&2; exit 1 ;;
    esac
}

# The instructions of FILE.c's program of so many images, and the hash of its scores.
count() { # FILE.c IMAGES
    local header=${1%.c}.h name score upper
    read -r name score < <(sed -n 's/^void \(.*\)_scores(.*, \(.*\) \*scores);$/\1 \2/p' "$header")
    upper=${name^^}
    ${tools}gcc -std=gnu99 $flags -O2 -w "-DHEADER=\"$(basename "$header")\"" \
        -I "$(dirname "$header")" -DNAME=$name -DUPPER=$upper "-DSCORE=$score" \
        -DIMAGES=$2 "$here/bench.c" "$work/net.o" $link -o "$work/program"
    $qemu -plugin "$work/count.so,out=$work/count" $options "$work/program" \
        >"$work/hash" 2>&1 </dev/null ||
        { cat "$work/hash" >&2; exit 1; }
}

# The lathe of a commit, or of this tree.
lathe_of() { # [COMMIT]
    if [ -z "${1:-}" ]; then
        echo "$root/out/lathe"
        return
    fi
    if [ ! -x "$work/$1/out/lathe" ]; then
        git -C "$root" worktree add -q --detach "$work/$1" "$1" >&2
        make -s -C "$work/$1" out/lathe >&2
    fi
    echo "$work/$1/out/lathe"
}

# Weights of an epoch of noise, of a quantised config calibrated on it, as TO.
make_weights() { # CONFIG.lua TO
    local folder=${2%/*}
    mkdir -p "$folder"
    "$root/out/lathe" train "$1" --set "quant.quantizer='none'" --data random:300 --epochs 1 \
        -o "$folder/run" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
    if ! "$root/out/lathe" ptq "$1" --weights "$folder/run/last.ckpt" --data random:300 --plain \
        -o "$2" >"$work/said" 2>&1; then
        grep -q 'nothing to quantise' "$work/said" || { cat "$work/said" >&2; exit 1; }
        cp "$folder/run/last.ckpt" "$2"
    fi
}

# Emits a config, and adds the file as a column.
emit() { # CONFIG.lua[=WEIGHTS] [COMMIT]
    local config=${1%%=*} weights=${1#*=} name to lathe
    name=$(basename "$config" .lua)
    if [ "$weights" = "$1" ]; then
        weights=$work/weights/$name/weights.ckpt
        [ -f "$weights" ] || make_weights "$config" "$weights"
    fi
    lathe=$(lathe_of "${2:-}")
    to=$work/emitted/${#files[@]}
    mkdir -p "$to"
    "$lathe" emit "$config" --weights "$weights" -o "$to/$name.c" >/dev/null
    files+=("$to/$name.c")
    names+=("${2:+$2 }$name")
}

zoo=$root/configs/zoo/resnet20
[ $# -gt 0 ] || set -- ${zoo}_int8.lua=${zoo}_int8.ckpt ${zoo}_int4.lua=${zoo}_int4.ckpt
files=() names=()
for what in "$@"; do
    case $what in
    *.c) files+=("$what") names+=("${what##*/}") ;;
    *.lua | *.lua=*)
        if [ -z "${COMMITS:-}" ]; then
            emit "$what"
        else
            for commit in $COMMITS; do emit "$what" "$commit"; done
        fi
        ;;
    *) echo "bench.sh: $what: want FILE.c, CONFIG.lua or CONFIG.lua=WEIGHTS" >&2; exit 1 ;;
    esac
done

printf '%-16s' target
printf '  %36s' "${names[@]}"
echo
all="m0plus m3 m4 m7 m33 m55 aarch64 aarch64+dotprod aarch64+i8mm riscv64 riscv64+v x86_64"
for target in ${TARGETS:-$all}; do
    choose $target
    command -v ${tools}gcc >/dev/null && command -v $qemu >/dev/null || { echo "$target: no ${tools}gcc or $qemu"; continue; }
    printf '%-16s' $target
    for file in "${files[@]}"; do
        ${tools}gcc -std=gnu99 $flags ${FLAGS:--O2} -c -o "$work/net.o" "$file"
        count "$file" 1
        one=$(cat "$work/count")
        count "$file" 2
        text=$(${tools}size -A "$work/net.o" | awk '/^\.text/ { n += $2 } END { print n }')
        printf '  %8d.%02d M, text %6d, %8s' $(((millions = ($(cat "$work/count") - one) / 10000) / 100)) \
            $((millions % 100)) $text "$(tail -n 1 "$work/hash")"
    done
    echo
done
