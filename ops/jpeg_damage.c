// After damaged data libjpeg goes on, makes up pixels, and prints a warning. OpenCV does not ask whether there was one.
// So the warnings are recorded here, instead of printed.
#include "jpeg.h"

static _Thread_local const char *damage;

void ops_jpeg_forget_damage(void) { damage = NULL; }
const char *ops_jpeg_damage(void) { return damage; }

void ops_jpeg_add_damage(const char *found) {
    if (!damage) damage = found;
}

#ifdef SHMCV_BUNDLED_OPENCV

#include <stdio.h>

#define JPEG_INTERNALS // for the messages' codes
#include <jpeglib.h>

// Says what damage the warning that was given last means; returns NULL if no pixel was made up. Superfluous bytes
// between segments, which many cameras write, do no harm, nor do odd Adobe, JFIF and ICC markers. But in front of a
// restart marker no byte is superfluous.
static const char *damage_of(const struct jpeg_error_mgr *err) {
    const int marker = err->msg_parm.i[1];
    switch (err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
        return marker >= 0xD0 && marker <= 0xD7 ? "there are superfluous bytes before a restart marker" : NULL;
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HUFF_BAD_CODE: return "its pixels have a code that does not exist";
    case JWRN_BOGUS_PROGRESSION: return "its scans do not follow each other";
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF: return "its pixels end early";
    case JWRN_MUST_RESYNC: return "a restart marker is missing, or is not the next one";
    }
    return NULL;
}

static void record(j_common_ptr cinfo, int level) {
    struct jpeg_error_mgr *err = cinfo->err;
    if (level >= 0) return; // a trace message
    err->num_warnings++;
    const char *found = damage_of(err);
    if (found) ops_jpeg_add_damage(found);
}

static void print_nothing(j_common_ptr cinfo) { (void)cinfo; }

void ops_jpeg_errors_set(struct jpeg_error_mgr *err) {
    err->emit_message = record;
    err->output_message = print_nothing;
}

#endif
