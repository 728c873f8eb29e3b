/* What test.c needs of the operating system; test_linux.c and test_windows.c have it. The functions of test.h that handle
 * children are in these files too. */
#ifndef SHMCV_TEST_SYSTEM_H
#define SHMCV_TEST_SYSTEM_H

#include <stdbool.h>

enum { SKIPPED = 77 }; /* CMakeLists.txt tells ctest that 77 means skipped */

/* give_up ends a program that cannot test. */
_Noreturn void give_up(const char *what);

/* system_random_text stores 36 characters that nobody has had before, and returns false if there are none. */
bool system_random_text(char text[37]);

/* system_make_folder makes a new folder, and returns its path, or NULL. */
const char *system_make_folder(void);
void system_remove_folder(const char *folder);

/* system_remove_segment removes a segment of that name, if there is one. */
void system_remove_segment(const char *name);

/* system_end_with_parent has this process end with the one that has started it. */
void system_end_with_parent(void);

/* system_run_test runs a test in a further process of this program. It returns the exit status, or minus the signal that
 * killed the process. */
int system_run_test(const char *name);

#endif
