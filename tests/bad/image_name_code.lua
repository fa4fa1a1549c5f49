-- want: tests/bad/image_name_code.lua:5: name '(at);system("id");': want at most 40 of a-z, 0-9 and _, beginning with a letter
return {
    net = {
        layers = function()
            local x = image{ 8, 8, 3, name = '(at);system("id");' }
            return dense{ avgpool(x), name = "fc", out = 4 }
        end,
    },
}
