/* Functions of a test's own in place of those that the library imports, for tests of Windows. */
#ifndef SHMCV_TEST_IMPORTS_H
#define SHMCV_TEST_IMPORTS_H

typedef void any_function(void);

/* replace_import puts a function into the library's table of imports, for the one that a system's library has under a name. It
 * returns the one that was there, or NULL if the library does not import it. */
any_function *replace_import(const char *system_library, const char *name, any_function *by);

#endif
