#!/bin/bash
# bench.sh FILE.c...: millions of instructions that one image takes on each processor, counted
# under QEMU, a column for each emitted file. Two images less one: without start-up.
# FLAGS: what the files are compiled with (-O2). TARGETS: some of those below.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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

printf '%-16s' target
printf '  %36s' "${@##*/}"
echo
all="m0plus m3 m4 m7 m33 m55 aarch64 aarch64+dotprod aarch64+i8mm riscv64 riscv64+v x86_64"
for target in ${TARGETS:-$all}; do
    choose $target
    command -v ${tools}gcc >/dev/null && command -v $qemu >/dev/null || { echo "$target: no ${tools}gcc or $qemu"; continue; }
    printf '%-16s' $target
    for file in "$@"; do
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
