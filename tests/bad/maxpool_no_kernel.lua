-- want: tests/bad/maxpool_no_kernel.lua:5: image_maxpool: field 'kernel' is missing, want 1..31
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = maxpool{ x }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
