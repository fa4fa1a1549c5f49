-- Two classes whose scores nearly cancel: rounding is relative to the terms, not to their sum.
return { net = { layers = function()
  local x = image{ 16, 16, 3 }
  local a0 = relu(bn{ conv{ x, name = "c1", out = 4, kernel = 7, stride = 1, pad = "same" } })
  local v0 = relu(bn{ conv{ a0, name = "c2", out = 4, kernel = 1, stride = 1 } })
  local p1 = relu(bn{ conv{ v0, name = "c3", out = 8, kernel = 3, stride = 1 } })
  local q1 = bn{ conv{ p1, name = "c4", out = 4, kernel = 3, stride = 1 } }
  local v1 = relu(add(q1, v0))
  local p2 = relu(bn{ conv{ v1, name = "c5", out = 8, kernel = 3, stride = 2, pad = "same" } })
  local q2 = bn{ conv{ p2, name = "c6", out = 8, kernel = 3, stride = 1 } }
  local s2 = subsample{ v1, name = "sub2", stride = 2, out = 8 }
  local v2 = relu(add(q2, s2))
  local p3 = relu(bn{ conv{ v2, name = "c7", out = 8, kernel = 1, stride = 1, pad = 0 } })
  local q3 = bn{ conv{ p3, name = "c8", out = 8, kernel = 3, stride = 1 } }
  local v3 = relu(add(q3, v2))
  return dense{ avgpool(v3), name = "cl", out = 2, init = "zero" }
end }, train = { batch = 32, lr = 0.05 } }
