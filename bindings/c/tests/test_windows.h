/* What tests of Windows alone need beside test.h. */
#ifndef SHMCV_TEST_WINDOWS_H
#define SHMCV_TEST_WINDOWS_H

#include "test.h"

/* start_with_console runs a program, or this one if it is NULL, with up to two arguments and a console of its own that has no
 * window. */
process start_with_console(const char *program, const char *first, const char *second);

/* press_ctrl_c presses Ctrl-C in a child's console. This process then has no console. */
bool press_ctrl_c(const process *c);

#endif
