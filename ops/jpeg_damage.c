// libjpeg goes on after damaged data, makes up pixels, and only prints a warning; OpenCV does not ask whether it did.
// In the bundled OpenCV the linker leads the calls of jpeg_std_error here (--wrap, see scripts/native.sh), so that the
// warnings are recorded instead of printed.
#include "codec.h"
#include "jpeg.h"

#include <string.h>

#ifdef SHMCV_BUNDLED_OPENCV

// Every libjpeg object begins with a pointer to its error manager.
struct jpeg_common {
    struct jpeg_error_mgr *err;
};

static _Thread_local const char *damage;

void ops_jpeg_add_damage(const char *warning) {
    if (!damage) damage = warning;
}

static int begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

// Whether a warning means that pixels were made up. Superfluous bytes between segments, which many cameras write, and
// odd Adobe, JFIF and ICC markers do no harm; ahead of a restart marker, though, nothing is superfluous.
static int is_damage(const struct jpeg_error_mgr *err, const char *warning) {
    if (strstr(warning, "extraneous bytes")) return err->msg_parm.i[1] >= 0xD0 && err->msg_parm.i[1] <= 0xD7;
    if (begins(warning, "Corrupt JPEG data")) return strstr(warning, "ICC") == NULL;
    return begins(warning, "Premature end") || begins(warning, "Inconsistent progression");
}

static void record(void *object, int level) {
    struct jpeg_error_mgr *err = ((struct jpeg_common *)object)->err;
    if (level >= 0) return; // a trace message
    err->num_warnings++;
    if (err->msg_code <= 0 || err->msg_code > err->last_jpeg_message) return;
    const char *warning = err->jpeg_message_table[err->msg_code];
    if (warning && is_damage(err, warning)) ops_jpeg_add_damage(warning);
}

static void nothing(void *object) { (void)object; }

struct jpeg_error_mgr *__real_jpeg_std_error(struct jpeg_error_mgr *err);

struct jpeg_error_mgr *__wrap_jpeg_std_error(struct jpeg_error_mgr *err) {
    __real_jpeg_std_error(err);
    err->emit_message = record;
    err->output_message = nothing;
    return err;
}

void ops_jpeg_forget_damage(void) { damage = NULL; }
const char *ops_jpeg_damage(void) { return damage; }

#else

void ops_jpeg_forget_damage(void) {}
const char *ops_jpeg_damage(void) { return NULL; }

#endif
