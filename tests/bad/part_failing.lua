error("this part fails")
