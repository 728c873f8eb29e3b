// cv::imdecode and cv::imencode for callers in C. No exception leaves them, they print nothing, and they do not copy
// the file.
#ifndef SHMCV_OPS_CODEC_H
#define SHMCV_OPS_CODEC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OPS_OK = 0, OPS_FAILED = 1, OPS_NO_MEMORY = 2 };

struct ops_decoded {
    int rows, cols, type;
    int threads;        // that decoded the file
    const char *damage; // a sentence without its full stop, static; NULL if there is none, or if nobody says which
};

// How a file is decoded.
struct ops_way {
    int flags;          // OpenCV's
    bool together;      // a second thread may help, if the format and the machine have use for one
    bool log_is_damage; // an error that the codec logs while it decodes means that pixels are wrong
    bool end_added;     // the JPEG's end marker is not the file's own
    bool may_leave_gaps; // nobody else notices if the decoder leaves a part of the pixels as it was
};

// Decodes a file's content into `room` bytes at `pixels`, rows without gaps. rows, cols and type are what the file's
// header promises: if the decoder makes just that, it writes to `pixels` itself, and nothing is copied. If it makes
// something else, `out` says what, and the result is copied to `pixels` if there is room. Returns OPS_FAILED also if
// the codec went on after damage that it only warns of.
int ops_decode(const void *content, size_t size, struct ops_way way, int rows, int cols, int type, void *pixels,
               size_t room, struct ops_decoded *out);

struct ops_encoded {
    void *owner; // of data; for ops_encoded_free
    const void *data;
    size_t size;
    int threads; // that encoded the image
};

// Encodes an image in the format of the extension (".png"), with pairs of parameter and value. The caller frees
// out->owner. `together` lets a second thread help.
int ops_encode(const char *extension, int rows, int cols, int type, void *pixels, size_t stride, const int *parameters,
               int parameter_count, bool together, struct ops_encoded *out);
void ops_encoded_free(void *owner);

// Keeps OpenCV's messages off the host's standard error, and sets the hooks into its codecs. Call before anything else.
void ops_start(void);

#ifdef __cplusplus
}
#endif
#endif
