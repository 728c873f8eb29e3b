// cv::imdecode and cv::imencode, for callers in C: no exception leaves, nothing is printed, no copy of the file is made.
#ifndef SHMCV_OPS_CODEC_H
#define SHMCV_OPS_CODEC_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OPS_OK = 0, OPS_FAILED = 1, OPS_NO_MEMORY = 2 };

struct ops_decoded {
    int rows, cols, type;
    int threads;      // that decoded it
    char reason[256]; // why it failed, as far as OpenCV or the codec says it; NUL-terminated
};

// Decodes a file's content into `room` bytes at `pixels`, rows without gaps. rows, cols and type are what the decoder
// will make of it according to the file's header: then it writes there itself, and nothing is copied. When it gives
// something else, that is told in `out`, and is copied to `pixels` if it has the room.
// OPS_FAILED also when the codec went on after damage that it only warns about.
// `together` lets a second thread help, where the format and the machine make it worth while.
int ops_decode(const void *content, size_t size, int flags, int rows, int cols, int type, void *pixels, size_t room,
               int together, struct ops_decoded *out);

struct ops_encoded {
    void *owner; // for ops_encoded_free
    const void *data;
    size_t size;
    int threads; // that encoded it
    char reason[256];
};

// Encodes an image in the format of the extension (".png"), with pairs of parameter and value. Free the result.
// `together` is as above.
int ops_encode(const char *extension, int rows, int cols, int type, void *pixels, size_t stride, const int *parameters,
               int parameter_count, int together, struct ops_encoded *out);
void ops_encoded_free(void *owner);

// Keeps OpenCV's messages off the host's standard error. Call before anything else.
void ops_silence(void);

// Forgets, and gives, the first damage that libjpeg has warned of on this thread: NULL when none, or when this build
// cannot know (it is linked with the system's OpenCV).
void ops_jpeg_forget_damage(void);
const char *ops_jpeg_damage(void);

#ifdef __cplusplus
}
#endif
#endif
