#!/bin/bash
# The zoo's rows of the README's table, evaluated on all of CIFAR-10's test images: `make results`.
# Fails where a figure differs from the table's, otherwise draws the table's picture. Takes a
# folder of CIFAR-10, $LATHE_CIFAR10 or out/cifar10, which is fetched if it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

lathe=out/lathe
zoo=configs/zoo
cifar10=${LATHE_CIFAR10:-out/cifar10}
made=out/results # what ptq makes of the float network
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

for bits in int8 int4; do
    $lathe ptq "configs/resnet20_${bits}_cifar10.lua" --weights "$zoo/resnet20.ckpt" \
        --data "$cifar10" -o "$made/$bits.ckpt" >"$made/$bits.log"
    row "resnet20 ptq $bits" "configs/resnet20_${bits}_cifar10.lua" "$made/$bits.ckpt"
done

if [ $failed -eq 0 ]; then
    $lathe repl tests/results.lua "$zoo/sizes.png"
fi
exit $failed
