-- want: tests/bad/no_coroutine.lua:2: unknown name 'coroutine'
return coroutine
