-- want: tests/bad/maxpool_stride.lua:5: p: field 'stride' is missing, want 1..16
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = maxpool{ x, name = "p", kernel = { 1, 3 } }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
