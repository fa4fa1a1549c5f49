#!/bin/bash
# The zoo's rows of the README's table, evaluated on all of CIFAR-10's test images: `make results`.
# Fails where a figure differs from the table's, otherwise draws the table's picture. Takes a
# folder of CIFAR-10, $LATHE_CIFAR10 or out/cifar10, which is fetched if it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

lathe=out/lathe
zoo=configs/zoo
cifar10=${LATHE_CIFAR10:-out/cifar10}
made=out/results # what ptq makes of the float networks
failed=0
mkdir -p "$made"

if [ ! -d "$cifar10" ]; then
    $lathe data cifar10 "$cifar10"
fi

# row NAME CONFIG WEIGHTS: its accuracy is what the README says in the row that starts with NAME.
row() {
    local said correct figure
    said=$($lathe eval "$2" --weights "$3" --data "$cifar10")
    correct=$(sed -n 's/^accuracy .*(\([0-9]*\)\/10000).*/\1/p' <<<"$said")
    [ -n "$correct" ] || { echo "$1: lathe eval printed no accuracy of 10000 images"; exit 1; }
    figure="${correct:0:2}.${correct:2} %"
    if grep "^| $1 |" README.md | grep -qF "| $figure |"; then
        echo "$1: $figure, as README.md says"
    else
        echo "$1: $figure; README.md has: $(grep "^| $1 |" README.md || echo no row)"
        failed=1
    fi
}

for weights in "$zoo"/*.ckpt; do
    name=$(basename "$weights" .ckpt)
    row "$name" "$zoo/$name.lua" "$weights"
done

for net in resnet20 resnet8; do
    for bits in int8 int4; do
        config=configs/${net}_${bits}_cifar10.lua
        $lathe ptq "$config" --weights "$zoo/$net.ckpt" --data "$cifar10" \
            -o "$made/$net.$bits.ckpt" >"$made/$net.$bits.log"
        row "$net ptq $bits" "$config" "$made/$net.$bits.ckpt"
    done
done

if [ $failed -eq 0 ]; then
    $lathe repl tests/results.lua "$zoo/sizes.png"
fi
exit $failed
