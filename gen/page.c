#include "page.h"
bool page_write(const Inspection *it, const char *path){(void)it;(void)path;return true;}
