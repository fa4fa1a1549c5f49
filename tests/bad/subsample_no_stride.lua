-- want: tests/bad/subsample_no_stride.lua:5: image_subsample: field 'stride' is missing, want 1..16
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = subsample{ x }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
