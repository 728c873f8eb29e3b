#include "jpeg.h"

static _Thread_local struct ops_jpeg_file file;

struct ops_jpeg_file *ops_jpeg_file(void) { return &file; }

#ifdef SHMCV_BUNDLED_OPENCV

#include "codec_hooks.h"

void ops_jpeg_set_hooks(void) {
    shmcv_codec_hooks = (struct shmcv_codec_hooks){
        .jpeg_errors_set = ops_jpeg_errors_set,
        .jpeg_decompress_started = ops_jpeg_decompress_started,
        .jpeg_decompress_ending = ops_jpeg_decompress_ending,
        .jpeg_compress_started = ops_jpeg_compress_started,
        .jpeg_compress_ending = ops_jpeg_compress_ending,
    };
}

#else

void ops_jpeg_set_hooks(void) {}

#endif
