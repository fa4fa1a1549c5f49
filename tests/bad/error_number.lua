-- want: 42
error(42)
