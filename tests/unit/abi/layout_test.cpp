// The same layouts, as C++ sees them.
#include "layout_test.c"
